"""How an overloaded grid or community could be split: contiguous parts of about the same load.

What has finer areas is split along them (a community along its grids), a grid without any along a straight line; `proposing` makes a draft of it.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import cos, radians, sin
from typing import Any

import networkx
import shapely
import shapely.ops
from shapely.geometry import LineString

from grid.errors import InputError

DIRECTIONS = 12
MOST_UNEVEN = 0.35
TREES = 40


Work = tuple[float, float, float]
"""What waits somewhere: lon, lat, hours."""


@dataclass(frozen=True)
class Surfaces:
    """What a cut should heed: roads and rivers to go along, parks and compounds to leave whole."""

    roads: tuple[Any, ...] = ()
    compounds: tuple[Any, ...] = ()


NOTHING_KNOWN = Surfaces()


@dataclass(frozen=True)
class Proposal:
    """A split in two: the hours of each part before anything is drawn, and what draws it."""

    code: str
    loads: tuple[float, float]
    line: Any | None = None
    parts: tuple[tuple[str, ...], ...] = ()

    @property
    def uneven(self) -> float:
        """How far from half and half, as a share."""
        whole = sum(self.loads)
        return abs(self.loads[0] - self.loads[1]) / whole if whole else 0.0


def of_grid(shape: Any, code: str, work: Sequence[Work], ground: Surfaces = NOTHING_KNOWN) -> Proposal:
    """The straight line that about halves the hours that wait: it cuts no compound where it can be helped, goes along a
    road if there is one, and is the shortest."""
    points = [one for one in work if one[2]]
    if len(points) < 2:
        raise InputError("这个网格待办的工作太少,没有依据建议怎么拆", {"code": "待办太少"})
    lines = [_halving(shape, points, 180.0 * n / DIRECTIONS) for n in range(DIRECTIONS)]
    lines += [line for road in ground.roads if (line := _along(shape, road)) is not None]
    found = [cut for line in lines if (cut := _cut(shape, code, points, line))]
    if not found:
        raise InputError(
            "没有一条直线能把这个网格分成两块相当的区域,请在边界编辑页手工画线", {"code": "请手工画线"}
        )
    return min(found, key=lambda cut: _cost(shape, cut, ground))


def _cost(shape: Any, cut: Proposal, ground: Surfaces) -> tuple[float, float, float, float]:
    """What is cut that should stay whole, how much does not follow a road, how uneven, how long."""
    inside = cut.line.intersection(shape)  # type: ignore[union-attr]
    whole = sum(inside.intersection(one).length for one in ground.compounds if inside.crosses(one))
    beside = (
        inside.difference(shapely.union_all(list(ground.roads))).length if ground.roads else inside.length
    )
    return round(whole, 9), round(beside / inside.length, 1), round(cut.uneven, 1), inside.length


def _halving(shape: Any, points: Sequence[Work], degrees: float) -> LineString:
    """The line across one direction with half of the hours on each side."""
    dx, dy = cos(radians(degrees)), sin(radians(degrees))
    along = sorted((x * dx + y * dy, hours) for x, y, hours in points)
    half, before, place = sum(hours for _, hours in along) / 2, 0.0, 0
    # The last piece of work stays on the other side, so that no side is empty.
    while place < len(along) - 1 and (place == 0 or before + along[place][1] <= half):
        before += along[place][1]
        place += 1
    middle = (along[place - 1][0] + along[place][0]) / 2
    centre = shape.centroid
    shift = middle - (centre.x * dx + centre.y * dy)
    return _through(shape, centre.x + shift * dx, centre.y + shift * dy, -dy, dx)


def _along(shape: Any, road: Any) -> LineString | None:
    """The middle line of a road's longer side, where it crosses the grid."""
    part = road.intersection(shape)
    if part.is_empty or part.area == 0:
        return None
    box = shapely.minimum_rotated_rectangle(part)
    (ax, ay), (bx, by), (cx, cy) = box.exterior.coords[:3]
    along = (
        (bx - ax, by - ay)
        if (bx - ax) ** 2 + (by - ay) ** 2 > (cx - bx) ** 2 + (cy - by) ** 2
        else (cx - bx, cy - by)
    )
    length = (along[0] ** 2 + along[1] ** 2) ** 0.5
    return _through(shape, box.centroid.x, box.centroid.y, along[0] / length, along[1] / length)


def _through(shape: Any, x: float, y: float, dx: float, dy: float) -> LineString:
    reach = max(shape.bounds[2] - shape.bounds[0], shape.bounds[3] - shape.bounds[1]) * 2
    return LineString([(x - dx * reach, y - dy * reach), (x + dx * reach, y + dy * reach)])


def _cut(shape: Any, code: str, points: Sequence[Work], line: LineString) -> Proposal | None:
    """The line as a proposal, if it makes two parts of about the same load."""
    pieces: Any = shapely.get_parts(shapely.ops.split(shape, line)) if line.crosses(shape) else []
    if len(pieces) != 2:
        return None
    (ax, ay), (bx, by) = line.coords[0], line.coords[-1]
    first = sum(hours for x, y, hours in points if (bx - ax) * (y - ay) - (by - ay) * (x - ax) >= 0)
    proposal = Proposal(code, (first, sum(hours for _, _, hours in points) - first), line=line)
    return None if proposal.uneven > MOST_UNEVEN else proposal


def of_groups(code: str, grids: Mapping[str, Any], loads: Mapping[str, float]) -> Proposal:
    """Two contiguous groups of its finer areas with the most even load: edges of spanning trees are cut one by one."""
    graph: networkx.Graph[str] = networkx.Graph()
    codes = sorted(grids)
    graph.add_nodes_from(codes)
    for number, one in enumerate(codes):
        for other in codes[number + 1 :]:
            shared = shapely.intersection(grids[one], grids[other])
            if shared.length > 0:
                graph.add_edge(one, other)
    if len(codes) < 2 or not networkx.is_connected(graph):
        raise InputError("下面的网格不相连或只有一个,不能按网格拆", {"code": "不能按网格拆"})
    best: Proposal | None = None
    for seed in range(TREES):
        chance = random.Random(seed)  # noqa: S311 - many trees, the same ones each time
        for one, other in sorted(graph.edges):
            graph.edges[one, other]["weight"] = chance.random()
        tree = networkx.minimum_spanning_tree(graph)
        for edge in list(tree.edges):
            tree.remove_edge(*edge)
            left, right = (tuple(sorted(part)) for part in networkx.connected_components(tree))
            tree.add_edge(*edge)
            parts = tuple(sorted((left, right)))
            sums = tuple(sum(loads.get(one, 0.0) for one in part) for part in parts)
            found = Proposal(code, (sums[0], sums[1]), parts=parts)
            if best is None or (found.uneven, found.parts) < (best.uneven, best.parts):
                best = found
    assert best is not None
    return best
