"""The burden board: what this software asks of people, read from its own rows. Nothing of who used it, or how much."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session, SQLModel, col

from dispatch.insight.metrics.counting import table, totals
from dispatch.insight.metrics.slices import Slice
from dispatch.insight.rollups.models import NONE
from dispatch.record import queries
from dispatch.record.models import TicketEvent
from dispatch.record.models.admitting import HandedDown
from dispatch.record.oversight.models import InspectionTask, InspectionVisit, PlanEntry, Recheck
from dispatch.rules.workflow import BY_ACTION, SUBMIT
from dispatch.rules.workflow.shapes import Need, Transition


@dataclass(frozen=True)
class Ask:
    """One thing that a person does, and how many things it must be given."""

    label: str
    must: int
    may: int


def _ask(label: str, row: Transition) -> Ask:
    must = sum(field.need is not Need.NEVER for field in row.given)
    return Ask(label, must, len(row.given) - must)


ASKS = (
    _ask("网格员上报", SUBMIT),
    *(
        _ask(BY_ACTION[name].label, BY_ACTION[name])
        for name in ("verify_pass", "contact", "handle", "object", "answer_satisfied")
    ),
)


@dataclass(frozen=True)
class OfUnit:
    """What one unit asked of others in a period."""

    organisation_code: str
    supplements: int
    off_list: int


def board(session: Session, its: Slice, zone: ZoneInfo) -> list[tuple[str, int]]:
    """Counts of a period: supplementary requests, duplicates put together, plans against what they led to."""
    counts = totals(session, its, ("supplement_asked", "repeated"))
    since, until = its.period.begins_at(zone.key), its.period.ends_at(zone.key)
    period = its.period

    def number(table: type[SQLModel], *conditions: ColumnElement[bool]) -> int:
        return int(session.execute(select(func.count()).select_from(table).where(*conditions)).scalar_one())

    def during(column: Any) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return col(column) >= since, col(column) < until

    return [
        ("要求补充材料(次)", counts["supplement_asked"]),
        ("清单外下派企图,已拦下待认定(次)", number(HandedDown, *during(HandedDown.at))),
        ("并单,免去的重复派单(件)", counts["repeated"]),
        (
            "自行处置、当场提醒,免去的流转(件)",
            number(
                TicketEvent,
                queries.seldom("self_handle", "remind"),
                *during(TicketEvent.at),
            ),
        ),
        (
            "期内有效的登记计划(项)",
            number(PlanEntry, col(PlanEntry.from_on) <= period.to_on, col(PlanEntry.to_on) >= period.from_on),
        ),
        ("按计划发布的巡查(项)", number(InspectionTask, *during(InspectionTask.created_at))),
        (
            "合并后的进门(次)",
            number(InspectionVisit, col(InspectionVisit.week_on).between(period.from_on, period.to_on)),
        ),
        ("按计划抽查(件)", number(Recheck, *during(Recheck.drawn_at))),
    ]


def by_unit(session: Session, its: Slice, zone: ZoneInfo) -> list[OfUnit]:
    """What each unit asked for beyond its own work, in the order of codes."""
    asked = table(session, its, ("supplement_asked",), "organisation")
    query = (
        select(col(HandedDown.by_code), func.count())
        .where(
            col(HandedDown.at) >= its.period.begins_at(zone.key),
            col(HandedDown.at) < its.period.ends_at(zone.key),
        )
        .group_by(col(HandedDown.by_code))
    )
    tried = {code or NONE: int(times) for code, times in session.execute(query)}
    return [
        OfUnit(code, asked[code]["supplement_asked"] if code in asked else 0, tried.get(code, 0))
        for code in sorted(asked.keys() | tried.keys())
    ]
