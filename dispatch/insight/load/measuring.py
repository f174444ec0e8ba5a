"""Load in hours: what waits at a grid, a community or a unit, each kind of work with its estimate. Never per person."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

from sqlalchemy import func, select
from sqlmodel import Session, col

from dispatch.record.oversight import loads as loads_of
from dispatch.record.oversight.loads import ANY, COMMUNITY, GRID, ORGANISATION
from dispatch.record.oversight.models import InspectionPoint, InspectionVisit
from dispatch.record.world import Standing

KINDS = {GRID: "网格", COMMUNITY: "社区", ORGANISATION: "承办单位"}
WORDS = {
    "open": "在办",
    "to_verify": "待核查",
    "to_answer": "待补充、待回访",
    "inspections": "巡查点位",
    "suspended": "挂账",
}
TIMES_MEDIAN = 3.0


@dataclass(frozen=True)
class Load:
    """What waits at one place or unit."""

    code: str
    pieces: Mapping[str, int]
    limit_hours: float

    @property
    def hours(self) -> float:
        return loads_of.hours_of(dict(self.pieces))

    @property
    def over(self) -> bool:
        return self.hours > self.limit_hours


def loads(session: Session, standing: Standing, kind: str, today: date) -> dict[str, Load]:
    """Every place or unit of a kind, in the order of codes, those with nothing to do included."""
    pieces = loads_of.pieces(session, kind)
    for code, number in _inspections(session, standing, kind, today).items():
        pieces.setdefault(code, {})["inspections"] = number
    codes = (
        [code for code, area in standing.areas.items() if area.level == kind]
        if kind != ORGANISATION
        else list(pieces)
    )
    limits = loads_of.limits(session, kind)
    return {code: Load(code, pieces.get(code, {}), limits.get(code, limits[ANY])) for code in sorted(codes)}


def monday_of(day: date) -> date:
    """The first day of its week, by which inspections are kept."""
    return day - timedelta(days=day.weekday())


def _inspections(session: Session, standing: Standing, kind: str, today: date) -> Counter[str]:
    """The points of this week that nobody has looked at, by who is to go there or by where they lie."""
    column = col(InspectionVisit.executor_code if kind == ORGANISATION else InspectionVisit.grid_code)
    query = (
        select(column, func.count(col(InspectionPoint.id)))
        .join(InspectionPoint, col(InspectionPoint.visit_id) == col(InspectionVisit.id))
        .where(
            col(InspectionPoint.result).is_(None),
            col(InspectionVisit.week_on) == monday_of(today),
            column.is_not(None),
        )
        .group_by(column)
    )
    found: Counter[str] = Counter()
    for code, number in session.execute(query):
        found[_above(standing, code) if kind == COMMUNITY else code] += number
    return found


def _above(standing: Standing, grid: str) -> str:
    """The community that a grid lies in."""
    return next(
        (code for code in standing.area_lineage(grid) if standing.areas[code].level == COMMUNITY), grid
    )


def to_split(found: Mapping[str, Load]) -> list[Load]:
    """Those over their threshold, and those that carry three times what is usual where there is work, and more than
    half of their threshold. Idle places say nothing about what is usual."""
    usual = median(hours) if (hours := [load.hours for load in found.values() if load.hours]) else 0.0
    return [
        load
        for load in found.values()
        if load.over or load.hours >= max(TIMES_MEDIAN * usual, load.limit_hours / 2)
    ]


def could_share(found: Mapping[str, Load], standing: Standing, code: str) -> list[Load]:
    """Who under the same parent has room, the emptiest first: a proposal for people, not an order."""
    areas, units = standing.areas, standing.organisations
    parent = (
        areas[code].parent_code if code in areas else (units[code].parent_code if code in units else None)
    )
    kind = units[code].kind if code in units else None

    def alike(other: str) -> bool:
        if other in areas:
            return areas[other].parent_code == parent
        return other in units and units[other].kind == kind

    able = [
        load
        for other, load in found.items()
        if other != code and alike(other) and load.hours < load.limit_hours / 2
    ]
    return sorted(able, key=lambda load: (load.hours, load.code))[:5]
