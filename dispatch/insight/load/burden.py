"""The burden board: what this software asks of people, read from its own rows. Nothing of who used it, or how much."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlmodel import Session

from dispatch.insight.load.registers import REGISTERS
from dispatch.insight.metrics.counting import table, totals
from dispatch.insight.metrics.measures import BY_KEY as MEASURES
from dispatch.insight.metrics.slices import Slice
from dispatch.insight.rollups.models import NONE
from dispatch.rules.workflow import BY_ACTION, SUBMIT
from dispatch.rules.workflow.shapes import Need, Transition
from grid.permissions import Actor


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
    # What a report is, whatever the rows say may be added: the phone fills in the place.
    Ask("网格员上报(照片、类别、位置)", 3, sum(field.name != "photos" for field in SUBMIT.given)),
    *(
        _ask(BY_ACTION[name].label, BY_ACTION[name])
        for name in ("verify_pass", "contact", "handle", "object", "answer_satisfied")
    ),
)
# What the tally of tickets counts anyhow; the rest are registers.
OF_TICKETS = {"supplement_asked": "要求补充材料(次)", "repeated": "并单,免去的重复派单(件)"}


@dataclass(frozen=True)
class Count:
    """A line of the board; it opens as tickets of a measure, or as rows of a register."""

    key: str
    label: str
    number: int
    of_city: bool = False

    @property
    def is_measure(self) -> bool:
        return self.key in MEASURES


@dataclass(frozen=True)
class OfUnit:
    """What one unit asked of others in a period."""

    organisation_code: str
    supplements: int
    off_list: int


def board(session: Session, its: Slice, zone: ZoneInfo, actor: Actor) -> list[Count]:
    """Counts of a period: supplementary requests, duplicates put together, plans against what they led to."""
    counts = totals(session, its, tuple(OF_TICKETS))
    found = [Count(key, label, counts[key]) for key, label in OF_TICKETS.items()]
    for one in REGISTERS.values():
        if actor.may(one.verb):
            found.append(
                Count(one.key, one.label, one.number(session, its, zone, actor), one.is_of_city(its))
            )
    return found


def by_unit(session: Session, its: Slice, zone: ZoneInfo, actor: Actor) -> list[OfUnit]:
    """What each unit asked for beyond its own work, in the order of codes."""
    asked = table(session, its, ("supplement_asked",), "organisation")
    tries = REGISTERS["off_list"].rows(its, zone, actor).order_by(None).subquery()
    query = select(tries.c.by_code, func.count()).group_by(tries.c.by_code)
    tried = {code or NONE: int(times) for code, times in session.execute(query)}
    return [
        OfUnit(code, asked[code]["supplement_asked"] if code in asked else 0, tried.get(code, 0))
        for code in sorted(asked.keys() | tried.keys())
    ]
