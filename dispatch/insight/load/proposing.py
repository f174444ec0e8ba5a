"""The split of an overloaded grid or community as people see it: its parts with their hours, and the draft made of it.

Only a proposal: it becomes a draft generation, which is rehearsed and put in force by people. While there is such a draft
of the borders in force, it is what is shown, and no second one is made.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any

import shapely
import shapely.ops
from sqlalchemy import select
from sqlmodel import Session, col

from dispatch.insight.load import splitting
from dispatch.insight.load.measuring import Load, monday_of
from dispatch.insight.load.splitting import Surfaces
from dispatch.insight.reports.drawing import Frame, widest
from dispatch.record import queries
from dispatch.record.models import Ticket
from dispatch.record.oversight import loads as loads_of
from dispatch.record.oversight.loads import GRID
from dispatch.record.oversight.models import InspectionPoint, InspectionVisit
from dispatch.record.world import Standing
from geo.borders import AreaShape, Level
from grid.areas import generations, redrawing
from grid.areas.generations import NewGeneration
from grid.errors import InputError
from grid.models import Area, Generation, GenerationState
from grid.permissions import Actor

SOURCE = "拆分建议 "
ALONG = frozenset({"road", "expressway", "railway", "river"})
FILLS = ("#d6e6f2", "#f5e6c8")  # light, and told apart by everybody


@dataclass(frozen=True)
class Waiting:
    """One piece of work and where it waits."""

    lon: float
    lat: float
    piece: str

    @property
    def hours(self) -> float:
        return loads_of.HOURS[self.piece]


@dataclass(frozen=True)
class Part:
    """One of the two areas, what would wait there, and the finer areas that it is made of, if there are any."""

    name: str
    shape: Any
    load: Load
    grids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Proposed:
    """What is proposed for an area: before and after, in hours of what waits now."""

    code: str
    name: str
    kind: str
    shape: Any
    before: Load
    parts: tuple[Part, Part]
    cut: splitting.Proposal | None
    draft: Generation | None
    picture: dict[str, Any]


def propose(session: Session, standing: Standing, code: str, today: date) -> Proposed:
    """The draft that there is, or else how it could be split.

    Raises
    ------
    InputError
        There is no such grid or community in force, or nothing to go by.
    """
    area = session.get(Area, (standing.generation_id, code))
    if area is None or area.level not in (Level.GRID, Level.COMMUNITY):
        raise InputError("没有这个网格或社区,或它已经拆分,请从负荷页面选择", {"code": "没有这个区域"})
    kind, shape = str(area.level), shapely.from_wkb(area.wkb)
    below = _below(session, standing, code)
    work = waiting(session, kind, code, today)
    ground = surfaces(session, standing)
    draft = drafted(session, code)
    cut = None
    if draft is not None:
        named = _of_draft(session, standing, draft, kind)
    else:
        cut = _cut(code, shape, below, work, ground)
        named = _named(area.name, shape, cut, below)
    limits = loads_of.limits(session, kind)
    limit = limits.get(code, limits[loads_of.ANY])
    before = Load(code, Counter(one.piece for one in work), limit)
    nearest = [_nearest([shape for _, shape, _ in named], one) for one in work]
    made = tuple(
        Part(
            name,
            its,
            Load("", Counter(w.piece for w, n in zip(work, nearest, strict=True) if n == at), limit),
            of,
        )
        for at, (name, its, of) in enumerate(named)
    )
    if len(made) != 2:
        raise InputError("这份草案不是一分为二,请管理员在边界版本页查看", {"code": "请看边界版本"})
    picture = _picture(made, below.values() if below else (*ground.roads, *ground.compounds), shape, work)
    return Proposed(code, area.name, kind, shape, before, made, cut, draft, picture)


def draft(session: Session, proposed: Proposed, actor: Actor, now: datetime, zone: tzinfo) -> Generation:
    """The borders as they would be, as a draft generation; where there is one, that."""
    session.execute(
        select(col(Generation.id)).where(col(Generation.state) == GenerationState.ACTIVE).with_for_update()
    )
    if known := drafted(session, proposed.code):
        return known
    active = generations.active_generation(session)
    if active is None or active.id is None or proposed.cut is None:
        raise InputError("还没有在用的边界,不能起草拆分", {"code": "没有边界"})
    areas = generations.areas_of(session, active.id)
    old = next(area for area in areas if area.code == proposed.code)
    codes = redrawing.next_codes(session, str(old.parent), 2)
    names = list(zip(codes, (part.name for part in proposed.parts), strict=True))
    if proposed.cut.line is not None:
        shapes = redrawing.split(areas, proposed.code, proposed.cut.line, names)
    else:
        shapes = _regrouped(areas, old, proposed.cut.parts, names)
    new = NewGeneration(
        f"拆分{old.name} {now.astimezone(zone):%Y-%m-%d %H:%M:%S}",
        shapes,
        generations.overlays_of(session, active.id),
        source=f"{SOURCE}{proposed.code}",
        synthetic=active.synthetic,
    )
    return generations.create_draft(session, new, actor, now)


def drafted(session: Session, code: str) -> Generation | None:
    """The newest draft of a split of this area, made of the borders in force."""
    active = generations.active_generation(session)
    query = select(Generation).where(
        col(Generation.source) == f"{SOURCE}{code}",
        col(Generation.state).in_((GenerationState.DRAFT, GenerationState.REHEARSED)),
    )
    if active is not None and active.active_from is not None:
        query = query.where(col(Generation.created_at) >= active.active_from)
    return session.execute(query.order_by(col(Generation.id).desc()).limit(1)).scalar_one_or_none()


def waiting(session: Session, kind: str, code: str, today: date) -> list[Waiting]:
    """The open tickets of an area and the points of this week's inspections there, each where it is."""
    tickets = select(col(Ticket.lon), col(Ticket.lat), col(Ticket.state)).where(
        queries.is_open(), col(loads_of.COLUMNS[kind]) == code
    )
    found = [
        Waiting(lon, lat, loads_of.PIECE.get(state, "open"))
        for lon, lat, state in session.execute(tickets.order_by(col(Ticket.id)))
    ]
    active = generations.active_generation(session)
    here = select(col(Area.code)).where(
        col(Area.generation_id) == (active.id if active else None),
        col(Area.code if kind == GRID else Area.parent_code) == code,
    )
    points = (
        select(col(InspectionVisit.lon), col(InspectionVisit.lat))
        .join(InspectionPoint, col(InspectionPoint.visit_id) == col(InspectionVisit.id))
        .where(
            col(InspectionPoint.result).is_(None),
            col(InspectionVisit.week_on) == monday_of(today),
            col(InspectionVisit.grid_code).in_(here),
        )
    )
    rows = session.execute(points.order_by(col(InspectionPoint.id)))
    return [*found, *(Waiting(lon, lat, "inspections") for lon, lat in rows)]


def surfaces(session: Session, standing: Standing) -> Surfaces:
    """The management surfaces in force, as roads to go along and grounds to leave whole."""
    found = generations.overlays_of(session, standing.generation_id) if standing.generation_id else []
    return Surfaces(
        tuple(one.geometry for one in found if one.kind in ALONG),
        tuple(one.geometry for one in found if one.kind not in ALONG),
    )


Named = tuple[str, Any, tuple[str, ...]]


def _cut(
    code: str, shape: Any, below: dict[str, Any], work: Sequence[Waiting], ground: Surfaces
) -> splitting.Proposal:
    """Along the areas that it is made of; where it is one of the finest, along a line."""
    if not below:
        return splitting.of_grid(shape, code, [(one.lon, one.lat, one.hours) for one in work], ground)
    codes, hours = list(below), dict.fromkeys(below, 0.0)
    for one in work:
        hours[codes[_nearest(list(below.values()), one)]] += one.hours
    return splitting.of_groups(code, below, hours)


def _named(name: str, shape: Any, cut: splitting.Proposal, below: dict[str, Any]) -> list[Named]:
    """The parts in the order in which they get their codes."""
    if cut.line is None:
        shapes = [(shapely.union_all([below[code] for code in part]), part) for part in cut.parts]
    else:
        pieces = redrawing.west_to_east(shapely.get_parts(shapely.ops.split(shape, cut.line)))
        shapes = [(piece, ()) for piece in pieces]
    return [(f"{name}之{nth}", its, of) for nth, (its, of) in zip("一二", shapes, strict=True)]


def _of_draft(session: Session, standing: Standing, made: Generation, kind: str) -> list[Named]:
    query = select(Area).where(col(Area.generation_id) == made.id)
    rows = session.execute(query.order_by(col(Area.code))).scalars().all()
    new = [row for row in rows if row.level == kind and row.code not in standing.areas]
    return [
        (row.name, shapely.from_wkb(row.wkb), tuple(r.code for r in rows if r.parent_code == row.code))
        for row in new
    ]


def _below(session: Session, standing: Standing, code: str) -> dict[str, Any]:
    query = select(col(Area.code), col(Area.wkb)).where(
        col(Area.generation_id) == standing.generation_id, col(Area.parent_code) == code
    )
    return {grid: shapely.from_wkb(wkb) for grid, wkb in session.execute(query.order_by(col(Area.code)))}


def _nearest(shapes: Sequence[Any], work: Waiting) -> int:
    """Which of the shapes the work lies in; on a border, or just outside for the rounding of one, the first nearest."""
    distances = shapely.distance(shapes, shapely.Point(work.lon, work.lat))
    return int(distances.argmin())


def _regrouped(
    areas: Sequence[AreaShape],
    old: AreaShape,
    parts: Sequence[Sequence[str]],
    names: Sequence[tuple[str, str]],
) -> list[AreaShape]:
    """The same areas under two instead of one."""
    of_part = {grid: code for part, (code, _) in zip(parts, names, strict=True) for grid in part}
    made = [AreaShape(code, name, old.level, old.parent, None) for code, name in names]
    kept = [
        AreaShape(a.code, a.name, a.level, of_part.get(a.code, a.parent), a.geometry)
        for a in areas
        if a.code != old.code
    ]
    return [*made, *kept]


def _picture(parts: Sequence[Part], across: Any, shape: Any, work: Sequence[Waiting]) -> dict[str, Any]:
    """The parts, what lies across them (the finer areas; roads and grounds), and what waits where."""
    frame = Frame.of([part.shape for part in parts])
    return {
        "width": frame.width,
        "height": frame.height,
        "areas": [
            {
                "name": part.name,
                "number": f"{part.load.hours:.1f}",
                "fill": fill,
                "rings": frame.rings(shapely.simplify(part.shape, frame.coarse)),
                "at": frame.at(middle.x, middle.y),
            }
            for fill, part in zip(FILLS, parts, strict=True)
            for middle in [widest(part.shape)]
        ],
        "across": [
            ring
            for one in across
            if one.intersects(shape)
            for ring in frame.rings(shapely.simplify(one.intersection(shape), frame.coarse))
        ],
        "dots": [frame.at(one.lon, one.lat) for one in work],
    }
