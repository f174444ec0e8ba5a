"""Every border line once, pointing up, with the XOR of the keys of the polygons beside it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass
class Edges:
    """Rows of `line` are `ax, ay, dx, dy` with dy > 0, or dy = 0 and dx >= 0; borders of areas come first.

    An edge of no length (dx = dy = 0) with key 0 marks a corner that no edge rises from: it changes no
    answer and lets a point exactly on that corner be recognised.
    """

    line: Ints
    key: Ints
    area_edges: int


def collect_edges(rows: Ints, owner: Ints, shape_key: Ints, area_shapes: int) -> Edges:
    """Edges of all shapes; the first `area_shapes` are areas, the others overlays."""
    of_area = owner < area_shapes
    parts = [
        _with_corners(*_merged(rows[chosen], shape_key[owner[chosen]])) for chosen in (of_area, ~of_area)
    ]
    area_line, area_key = parts[0]
    return Edges(
        np.concatenate([area_line, parts[1][0]]), np.concatenate([area_key, parts[1][1]]), len(area_line)
    )


def _merged(rows: Ints, key: Ints) -> tuple[Ints, Ints]:
    """Equal segments as one, keys XORed; those whose keys cancel are no border and go."""
    if not len(rows):
        return np.zeros((0, 4), dtype=np.int64), np.zeros(0, dtype=np.int64)
    low, high = (rows[:, 1] << 31) | rows[:, 0], (rows[:, 3] << 31) | rows[:, 2]
    swap = low > high
    low[swap], high[swap] = high[swap], low[swap]
    order = _together(low, high)
    low, high, key = low[order], high[order], key[order]
    first = np.flatnonzero(np.concatenate([[True], (low[1:] != low[:-1]) | (high[1:] != high[:-1])]))
    merged = np.bitwise_xor.reduceat(key, first)
    kept = merged != 0
    low, high = low[first][kept], high[first][kept]
    mask = (1 << 31) - 1
    ax, ay, bx, by = low & mask, low >> 31, high & mask, high >> 31
    return np.column_stack([ax, ay, bx - ax, by - ay]), merged[kept]


def _together(low: Ints, high: Ints) -> Ints:
    """An order in which equal pairs are neighbours: by a mix of both, or pair by pair if the mix confuses two."""
    mixed = low.view(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    mixed += high.view(np.uint64)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    order = np.argsort(mixed)
    mixed, low_sorted, high_sorted = mixed[order], low[order], high[order]
    alike = mixed[1:] == mixed[:-1]
    same = (low_sorted[1:] == low_sorted[:-1]) & (high_sorted[1:] == high_sorted[:-1])
    return order if np.array_equal(alike, same) else np.lexsort((high, low))


def _with_corners(line: Ints, key: Ints) -> tuple[Ints, Ints]:
    """The edges in an order that keeps neighbours near in memory, and the corners nothing rises from."""
    if not len(line):
        return line, key
    start = (line[:, 1] << 31) | line[:, 0]
    end = ((line[:, 1] + line[:, 3]) << 31) | (line[:, 0] + line[:, 2])
    level = line[:, 3] == 0
    tops = _without(np.sort(end[~level]), np.sort(np.concatenate([start, end[level]])))
    mask = (1 << 31) - 1
    corners = np.column_stack([tops & mask, tops >> 31, np.zeros((len(tops), 2), dtype=np.int64)])
    line = np.concatenate([line, corners])
    key = np.concatenate([key, np.zeros(len(tops), dtype=np.int64)])
    order = np.argsort(_interleaved(line[:, 0] >> 12, line[:, 1] >> 12), kind="stable")
    return line[order], key[order]


def _without(some: Ints, others: Ints) -> Ints:
    """Distinct members of one sorted list that the other lacks (numpy's own hashes, which is slow here)."""
    some = some[np.concatenate([[True], some[1:] != some[:-1]])] if len(some) else some
    place = np.minimum(np.searchsorted(others, some), len(others) - 1)
    return np.asarray(some[others[place] != some])


def _interleaved(x: Ints, y: Ints) -> Any:
    """Morton order: near in the plane is mostly near in the list."""
    return _spread(x) | _spread(y) << 1


def _spread(value: Ints) -> Any:
    """The lower 20 bits with a zero after each."""
    spread = value & 0xFFFFF
    for shift, mask in (
        (16, 0x0000000F0000FFFF), (8, 0x000F00FF00FF00FF), (4, 0x0F0F0F0F0F0F0F0F),
        (2, 0x3333333333333333), (1, 0x5555555555555555),
    ):  # fmt: skip
        spread = (spread | spread << shift) & mask
    return spread
