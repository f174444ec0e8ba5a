"""How an overloaded grid or community could be split: contiguous parts of about the same load.

A grid is cut along a straight line, a community along its grids. Only a proposal: it becomes a draft generation, which
is rehearsed and put in force by people.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import cos, radians, sin
from typing import Any

import networkx
import shapely
import shapely.ops
from shapely.geometry import LineString
from sqlalchemy import select
from sqlmodel import Session, col

from dispatch.record.models import Ticket
from geo.borders import AreaShape, Level
from grid.areas import generations, redrawing
from grid.areas.generations import NewGeneration
from grid.errors import InputError
from grid.models import Generation
from grid.permissions import Actor

LOOKED_BACK = timedelta(days=180)
DIRECTIONS = 12
MOST_UNEVEN = 0.35
TREES = 40
ALONG = frozenset({"road", "expressway", "railway", "river"})


@dataclass(frozen=True)
class Surfaces:
    """What a cut should heed: roads and rivers to go along, parks and compounds to leave whole."""

    roads: tuple[Any, ...] = ()
    compounds: tuple[Any, ...] = ()


NOTHING_KNOWN = Surfaces()


@dataclass(frozen=True)
class Proposal:
    """A split in two: the load of each part before anything is drawn, and what draws it."""

    code: str
    loads: tuple[float, float]
    line: Any | None = None
    parts: tuple[tuple[str, ...], ...] = ()

    @property
    def uneven(self) -> float:
        """How far from half and half, as a share."""
        whole = sum(self.loads)
        return abs(self.loads[0] - self.loads[1]) / whole if whole else 0.0


def surfaces(session: Session) -> Surfaces:
    """The management surfaces in force, as roads to go along and grounds to leave whole."""
    active = generations.active_generation(session)
    found = generations.overlays_of(session, active.id) if active and active.id is not None else []
    return Surfaces(
        tuple(one.geometry for one in found if one.kind in ALONG),
        tuple(one.geometry for one in found if one.kind not in ALONG),
    )


def of_grid(
    session: Session, shape: Any, code: str, now: datetime, ground: Surfaces = NOTHING_KNOWN
) -> Proposal:
    """The straight line that about halves the reports of half a year: it cuts no compound where it can be helped, goes
    along a road if there is one, and is the shortest."""
    query = select(col(Ticket.lon), col(Ticket.lat)).where(
        col(Ticket.grid_code) == code, col(Ticket.reported_at) > now - LOOKED_BACK
    )
    points = [(lon, lat) for lon, lat in session.execute(query.order_by(col(Ticket.id)))]
    if len(points) < 2:
        raise InputError("这个网格半年内的工单太少,没有依据建议怎么拆", {"code": "工单太少"})
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


def _halving(shape: Any, points: Sequence[tuple[float, float]], degrees: float) -> LineString:
    """The line across one direction at the middle of the points."""
    dx, dy = cos(radians(degrees)), sin(radians(degrees))
    along = sorted(x * dx + y * dy for x, y in points)
    middle = (along[len(along) // 2 - 1] + along[len(along) // 2]) / 2
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


def _cut(shape: Any, code: str, points: Sequence[tuple[float, float]], line: LineString) -> Proposal | None:
    """The line as a proposal, if it makes two parts of about the same load."""
    pieces: Any = shapely.get_parts(shapely.ops.split(shape, line)) if line.crosses(shape) else []
    if len(pieces) != 2:
        return None
    (ax, ay), (bx, by) = line.coords[0], line.coords[-1]
    first = sum((bx - ax) * (y - ay) - (by - ay) * (x - ax) >= 0 for x, y in points)
    proposal = Proposal(code, (float(first), float(len(points) - first)), line=line)
    return None if proposal.uneven > MOST_UNEVEN else proposal


def of_community(code: str, grids: Mapping[str, Any], loads: Mapping[str, float]) -> Proposal:
    """Two contiguous groups of its grids with the most even load: edges of spanning trees are cut one by one."""
    graph: networkx.Graph[str] = networkx.Graph()
    codes = sorted(grids)
    graph.add_nodes_from(codes)
    for number, one in enumerate(codes):
        for other in codes[number + 1 :]:
            shared = shapely.intersection(grids[one], grids[other])
            if shared.length > 0:
                graph.add_edge(one, other)
    if len(codes) < 2 or not networkx.is_connected(graph):
        raise InputError("这个社区的网格不相连或只有一个,不能按网格拆", {"code": "不能按网格拆"})
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


def draft(session: Session, proposal: Proposal, label: str, actor: Actor, now: datetime) -> Generation:
    """The borders as they would be, as a draft generation to be rehearsed and put in force by people."""
    active = generations.active_generation(session)
    if active is None or active.id is None:
        raise InputError("还没有在用的边界,不能起草拆分", {"code": "没有边界"})
    areas = generations.areas_of(session, active.id)
    old = next(area for area in areas if area.code == proposal.code)
    codes = redrawing.next_codes(session, str(old.parent), 2)
    names = [(code, f"{old.name}之{nth}") for code, nth in zip(codes, "一二", strict=True)]
    if proposal.line is not None:
        shapes = redrawing.split(areas, proposal.code, proposal.line, names)
    else:
        shapes = _regrouped(areas, old, proposal.parts, names)
    new = NewGeneration(
        label, shapes, generations.overlays_of(session, active.id), source=f"拆分建议 {proposal.code}"
    )
    return generations.create_draft(session, new, actor, now)


def _regrouped(
    areas: Sequence[AreaShape],
    old: AreaShape,
    parts: Sequence[Sequence[str]],
    names: Sequence[tuple[str, str]],
) -> list[AreaShape]:
    """The same grids under two communities instead of one."""
    of_part = {grid: code for part, (code, _) in zip(parts, names, strict=True) for grid in part}
    made = [AreaShape(code, name, Level.COMMUNITY, old.parent, None) for code, name in names]
    kept = [
        AreaShape(a.code, a.name, a.level, of_part.get(a.code, a.parent), a.geometry)
        for a in areas
        if a.code != old.code
    ]
    return [*made, *kept]
