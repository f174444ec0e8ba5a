"""Who belongs to whom in the made-up city: regions grown over neighbours, evenly, plus a few enclaves."""

import heapq

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def grow(neighbours: list[list[int]], weights: Ints, parts: int, centres: NDArray[np.float64]) -> Ints:
    """Split a connected graph into `parts` connected regions of about equal weight."""
    order = _snake(centres)
    steps = np.linspace(0, len(order), parts, endpoint=False) + len(order) / parts / 2
    region = np.full(len(neighbours), -1, dtype=np.int64)
    load = np.zeros(parts, dtype=np.int64)
    heap: list[tuple[int, int, int, int]] = []
    tick = 0
    for part, step in enumerate(steps):
        heapq.heappush(heap, (0, tick := tick + 1, part, int(order[int(step)])))
    while heap:
        seen_load, _, part, node = heapq.heappop(heap)
        if region[node] >= 0:
            continue
        if seen_load < load[part]:
            heapq.heappush(heap, (int(load[part]), tick := tick + 1, part, node))
            continue
        region[node] = part
        load[part] += weights[node]
        for other in neighbours[node]:
            if region[other] < 0:
                heapq.heappush(heap, (int(load[part]), tick := tick + 1, part, other))
    return region


def region_graph(neighbours: list[list[int]], region: Ints, parts: int) -> list[list[int]]:
    """Which regions touch."""
    touching: list[set[int]] = [set() for _ in range(parts)]
    for node, others in enumerate(neighbours):
        for other in others:
            if region[node] != region[other]:
                touching[region[node]].add(int(region[other]))
    return [sorted(t) for t in touching]


def with_enclaves(rng: np.random.Generator, neighbours: list[list[int]], region: Ints, count: int) -> Ints:
    """Hand `count` cells inside one region to another some steps away: a hole here, an exclave there."""
    region = region.copy()
    sizes = np.bincount(region)
    inner = [n for n, others in enumerate(neighbours) if all(region[o] == region[n] for o in others)]
    changed: set[int] = set()
    for node in rng.permutation(inner).tolist():
        if len(changed) >= count:
            break
        near = {node, *neighbours[node]}
        if near & changed or sizes[region[node]] < 6:
            continue
        for _ in range(4):
            near |= {o for n in near for o in neighbours[n]}
        others = sorted({int(region[n]) for n in near} - {int(region[node])})
        if others:
            sizes[region[node]] -= 1
            region[node] = others[int(rng.integers(len(others)))]
            sizes[region[node]] += 1
            changed.add(node)
    return region


def _snake(centres: NDArray[np.float64]) -> Ints:
    """Walk the plane in strips, to and fro, so that evenly spaced steps are spread over it."""
    rank_x, rank_y = (np.argsort(np.argsort(centres[:, k], kind="stable")) for k in (0, 1))
    strips = max(1, int(np.sqrt(len(centres)) / 2))
    strip = rank_x * strips // len(centres)
    along = np.where(strip % 2 == 0, rank_y, -rank_y)
    return np.lexsort((along, strip))
