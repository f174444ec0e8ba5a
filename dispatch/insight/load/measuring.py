"""Load in hours: what waits at a grid, a community or a unit, each kind of work with its estimate. Never per person."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
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


def loads(session: Session, standing: Standing, kind: str, this_week: date | None = None) -> dict[str, Load]:
    """Every place or unit of a kind, in the order of codes, those with nothing to do included."""
    pieces = loads_of.pieces(session, kind)
    if kind == GRID and this_week is not None:
        for code, number in _inspections(session, this_week):
            pieces.setdefault(code, {})["inspections"] = number
    codes = (
        [code for code, area in standing.areas.items() if area.level == kind]
        if kind != ORGANISATION
        else list(pieces)
    )
    limits = loads_of.limits(session, kind)
    return {code: Load(code, pieces.get(code, {}), limits.get(code, limits[ANY])) for code in sorted(codes)}


def _inspections(session: Session, this_week: date) -> list[tuple[str, int]]:
    query = (
        select(col(InspectionVisit.grid_code), func.count(col(InspectionPoint.id)))
        .join(InspectionPoint, col(InspectionPoint.visit_id) == col(InspectionVisit.id))
        .where(
            col(InspectionPoint.result).is_(None),
            col(InspectionVisit.week_on) == this_week,
            col(InspectionVisit.grid_code).is_not(None),
        )
        .group_by(col(InspectionVisit.grid_code))
    )
    return [(code, number) for code, number in session.execute(query)]


def to_split(found: Mapping[str, Load]) -> list[Load]:
    """Those that carry three times what is usual among their like."""
    usual = median(load.hours for load in found.values()) if found else 0.0
    return [load for load in found.values() if usual and load.hours >= TIMES_MEDIAN * usual]


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
