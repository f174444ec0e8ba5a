"""The burden board: what this software asks of people, read from its own rows. Nothing of who used it, or how much."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlmodel import Session, SQLModel, col

from dispatch.insight.metrics.counting import totals
from dispatch.insight.metrics.slices import Slice
from dispatch.record.models import TicketEvent
from dispatch.record.oversight.models import InspectionPoint, InspectionTask, PlanEntry
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


def board(session: Session, its: Slice, timezone: str) -> list[tuple[str, int]]:
    """Counts of a period: supplementary requests, duplicates put together, plans against what they led to."""
    counts = totals(session, its, ("supplement_asked", "repeated"))
    since, until = its.period.begins_at(timezone), its.period.ends_at(timezone)

    def events(*actions: str) -> int:
        query = (
            select(func.count())
            .select_from(TicketEvent)
            .where(
                col(TicketEvent.action).in_(actions),
                col(TicketEvent.at) >= since,
                col(TicketEvent.at) < until,
            )
        )
        return int(session.execute(query).scalar_one())

    def rows(table: type[SQLModel]) -> int:
        query = select(func.count()).select_from(table)
        return int(session.execute(query).scalar_one())

    return [
        ("要求补充材料(次)", counts["supplement_asked"]),
        ("并单,免去的重复派单(件)", counts["repeated"]),
        ("自行处置、当场提醒,免去的流转(件)", events("self_handle", "remind")),
        ("登记在册的计划(项)", rows(PlanEntry)),
        ("按计划发布的巡查(项)", rows(InspectionTask)),
        ("巡查点位,已合并进门(处)", rows(InspectionPoint)),
    ]
