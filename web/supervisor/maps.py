"""The map: areas coloured by a number, level by level, and the points behind it; and the heat of hours and weekdays."""

from collections import Counter
from functools import lru_cache
from typing import Any

from flask import Response, current_app, render_template
from flask.typing import ResponseReturnValue
from shapely import coverage_simplify, from_wkb
from shapely.geometry import mapping
from sqlalchemy import and_, select
from sqlmodel import Session, col

from dispatch.insight.metrics import counting, waiting_times
from dispatch.insight.metrics.measures import BIT
from dispatch.insight.metrics.slices import FIGURES, LEVELS
from dispatch.insight.reports import drawing
from dispatch.insight.reports.sheets import Plain, Sheet
from dispatch.insight.rollups.models import Tally
from dispatch.record import queries
from dispatch.record.models import Ticket
from dispatch.record.world import Standing
from dispatch.rules.worktime import WEEKDAYS
from grid.areas import generations
from grid.database import Database
from grid.errors import NotFound
from grid.models import Area
from web.gate.access import permission_required
from web.service.context import database, now, world
from web.shown.lists import names_of_areas
from web.supervisor.answering.asking import Asked, asked, title_of
from web.supervisor.answering.sending import days_of, file_of, named
from web.supervisor.blueprint import blueprint

BELOW = {None: "district", "district": "street", "street": "community", "community": "grid", "grid": "grid"}
MOST_POINTS = 3000
TOLERANCE_DEGREES = {"district": 0.0005, "street": 0.0002, "community": 0.00005, "grid": 0.00001}


@blueprint.get("/map")
@permission_required(FIGURES)
def map() -> ResponseReturnValue:
    """The map of one level, with its table."""
    with database().reading() as session:
        standing = world().refresh(session)
        its = asked(standing)
        level = _level(its, standing)
        counts = {
            code: c["received"]
            for code, c in counting.table(session, its.slice, ("received",), level).items()
        }
        codes = sorted(_areas(its, standing, level))
        bounds = drawing.steps({code: counts.get(code, 0) for code in codes})
        names = names_of_areas(standing, codes)
        rows = [
            (code, names[code], counts.get(code, 0), drawing.step(counts.get(code, 0), bounds))
            for code in codes
        ]
        if its.query.format != "html":
            return _file(session, its, standing, [(code, name, number) for code, name, number, _ in rows])
        days = counting.table(session, its.slice, ("received",), "day")
        return render_template(
            "supervisor/map.html",
            asked=its,
            about=title_of(its.query, standing),
            level=level,
            rows=rows,
            bounds=bounds,
            above=[
                (code, standing.areas[code].name)
                for code in reversed(standing.area_lineage(its.query.area or ""))
            ],
            now_there=_now_there(standing, its.query.area),
            days=list(days),
            outside=sum(counts.values()) - sum(number for _, _, number, _ in rows),
        )


def _file(
    session: Session, its: Asked, standing: Standing, rows: list[tuple[str, str, int]]
) -> ResponseReturnValue:
    """The map as a picture with its numbers, or the table behind it."""
    name, covers = f"地图 {title_of(its.query, standing)}".strip(), its.slice.period
    if its.query.format != "svg":
        sheet = Sheet("地图", ["编码", "区域", "登记"], rows)
        return file_of(its.query.format, sheet, name, covers)
    generation, codes = _generation(session, its, standing), [code for code, _, _ in rows]
    query = select(Area).where(col(Area.generation_id) == generation, col(Area.code).in_(codes))
    areas = session.execute(query.order_by(col(Area.code))).scalars().all()
    if not areas:
        raise NotFound("这一级没有可画的区域,请从地图页面选择")
    drawn = drawing.outlines(areas, {code: number for code, _, number in rows})
    page = render_template(
        "supervisor/map.svg", map=drawn, about=title_of(its.query, standing), period=covers
    )
    return named(Response(page, mimetype="image/svg+xml"), f"{name} {days_of(covers)}.svg")


@blueprint.get("/map.json")
@permission_required(FIGURES)
def map_shapes() -> ResponseReturnValue:
    """The areas of one level as GeoJSON, and the points of the slice; a point without a code is one that its reader may
    count and not open."""
    with database().reading() as session:
        standing = world().refresh(session)
        its = asked(standing)
        level = _level(its, standing)
        codes = tuple(sorted(_areas(its, standing, level)))
        query = (
            select(col(Ticket.lon), col(Ticket.lat), col(Ticket.code), col(Tally.on))
            .join(
                Tally,
                and_(
                    col(Ticket.intake_district) == col(Tally.intake_district),
                    col(Ticket.id) == col(Tally.ticket_id),
                ),
            )
            .where(*its.slice.of_tally(), col(Tally.marks).op("&")(BIT["received"]) != 0)
            .add_columns(queries.visible(its.actor))
        )
        query = query.order_by(col(Tally.on).desc(), col(Ticket.id)).limit(MOST_POINTS)
        points = [
            [round(lon, 6), round(lat, 6), code if opens else None, on.isoformat()]
            for lon, lat, code, on, opens in session.execute(query)
        ]
        features = shapes(database(), _generation(session, its, standing), codes, level)
    body = current_app.json.dumps({"type": "FeatureCollection", "features": features, "points": points})
    return Response(body, mimetype="application/geo+json")


@blueprint.get("/heat")
@permission_required(FIGURES)
def heat() -> ResponseReturnValue:
    """When reports come in: hours of the day against days of the week, in local time."""
    with database().reading() as session:
        standing = world().refresh(session)
        its = asked(standing)
        counts = waiting_times.arrivals(session, its.slice)
    if its.query.format != "html":
        name = f"时段 {title_of(its.query, standing)}".strip()
        return file_of(its.query.format, _hours(counts), name, its.slice.period)
    bounds = drawing.steps({str(place): number for place, number in counts.items()})
    rows = [
        (
            WEEKDAYS[day],
            [(counts[(day, hour)], drawing.step(counts[(day, hour)], bounds)) for hour in range(24)],
        )
        for day in range(7)
    ]
    return render_template(
        "supervisor/heat.html",
        asked=its,
        about=title_of(its.query, standing),
        rows=rows,
        bounds=bounds,
        at=now(),
    )


def _hours(counts: Counter[tuple[int, int]]) -> Sheet:
    lines: list[list[Plain]] = [
        [WEEKDAYS[day], *(counts[(day, hour)] for hour in range(24))] for day in range(7)
    ]
    return Sheet("时段", ["星期", *(str(hour) for hour in range(24))], lines)


def _level(its: Asked, standing: Standing) -> str:
    """The level below the area that is looked at; where a city lacks one, the next that it has. An area that went with
    earlier borders is looked at itself."""
    known = standing.area(its.query.area)
    if known and its.query.area not in standing.areas:
        return known.level
    wanted = BELOW[known.level if known else None]
    while wanted != "grid" and not _areas(its, standing, wanted):
        wanted = BELOW[wanted]
    return wanted


def _generation(session: Session, its: Asked, standing: Standing) -> int | None:
    """The borders in which what is looked at is drawn: those in force, or the last that had it."""
    area = its.query.area
    if area is None or area in standing.areas:
        return standing.generation_id
    return generations.last_with(session, area)


def _now_there(standing: Standing, area: str | None) -> list[tuple[str, str]]:
    """The areas that have the ground of one that went with earlier borders."""
    if area is None or area in standing.areas:
        return []
    return [(code, standing.areas[code].name) for code in standing.now_there(area)]


def _areas(its: Asked, standing: Standing, level: str) -> list[str]:
    area, scope = its.query.area, its.slice.scope
    if area in standing.former_areas:
        return [area]
    found = []
    for code, known in standing.areas.items():
        if known.level != level:
            continue
        lineage = standing.area_lineage(code)
        values = {LEVELS[standing.areas[c].level]: c for c in lineage if standing.areas[c].level in LEVELS}
        within_scope = scope is None or any(values.get(name) in codes for name, codes in scope.items())
        if within_scope and (area is None or area in lineage):
            found.append(code)
    return found


@lru_cache(maxsize=32)
def shapes(
    its: Database, generation_id: int | None, codes: tuple[str, ...], level: str
) -> list[dict[str, Any]]:
    """The areas' shapes as coarse as their level is drawn; borders of a generation never change. They are made coarse
    together, so that neighbours keep one border between them."""
    areas: list[Area] = []
    with its.reading() as session:
        for start in range(0, len(codes), 500):
            query = select(Area).where(
                col(Area.generation_id) == generation_id, col(Area.code).in_(codes[start : start + 500])
            )
            areas += session.execute(query.order_by(col(Area.code))).scalars()
    drawn = [from_wkb(area.wkb) for area in areas]
    return [
        {
            "type": "Feature",
            "geometry": mapping(shape),
            "properties": {"code": area.code, "name": area.name, "at": _middle(whole)},
        }
        for area, whole, shape in zip(
            areas, drawn, coverage_simplify(drawn, TOLERANCE_DEGREES[level]), strict=True
        )
    ]


def _middle(shape: Any) -> list[float]:
    at = drawing.widest(shape)
    return [round(at.x, 6), round(at.y, 6)]
