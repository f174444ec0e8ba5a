"""The tabs of a department's queue as rows: what each holds. Their counts come from one read."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlmodel import Session, col

from dispatch.record import queries
from dispatch.record.models import Ticket
from dispatch.rules.workflow import OPEN_STATES, State
from grid.permissions import Actor

HELD = ("ticket:handle", "ticket:approve")
HELP = "ticket:assist"
SOON = timedelta(hours=24)
WAITING = frozenset({State.HANDLED, State.VERIFIED, State.CALLBACK, State.REVIEWING})

Condition = Callable[[datetime], ColumnElement[bool]]


def _in(*states: State) -> Condition:
    return lambda at: col(Ticket.state).in_(states)


@dataclass(frozen=True, slots=True)
class Tab:
    """One view of the queue: its name in the address, its label, what it holds; `helping` is work for others."""

    key: str
    label: str
    holds: Condition
    helping: bool = False

    @property
    def verbs(self) -> tuple[str, ...]:
        return (HELP,) if self.helping else HELD


TABS = (
    Tab("all", "在办", _in(*sorted(OPEN_STATES - WAITING))),
    Tab("new", "待签收", _in(State.DISPATCHED)),
    Tab("working", "办理中", _in(State.IN_PROGRESS, State.EXT_PENDING)),
    Tab("rework", "返工", _in(State.REWORK)),
    Tab("joint", "协办", _in(*sorted(OPEN_STATES - WAITING)), helping=True),
    Tab("approval", "答复待审", _in(State.ANSWER_PENDING)),
    Tab("objected", "异议中", _in(State.OBJECTED, State.CONSULTING)),
    Tab(
        "soon",
        "快到期",
        lambda at: and_(
            col(Ticket.state).in_(OPEN_STATES - WAITING),
            col(Ticket.due_at) > at,
            col(Ticket.due_at) <= at + SOON,
        ),
    ),
    Tab(
        "late",
        "超时",
        lambda at: and_(col(Ticket.state).in_(OPEN_STATES - WAITING), col(Ticket.due_at) <= at),
    ),
    Tab(
        "returned",
        "退回给我",
        lambda at: and_(
            col(Ticket.state).in_(OPEN_STATES - WAITING),
            or_(col(Ticket.no_return).is_(True), col(Ticket.reworks) > 0),
        ),
    ),
    Tab("waiting", "已办理待核查", _in(*sorted(WAITING))),
)
BY_KEY = {tab.key: tab for tab in TABS}


def tab_of(key: str | None) -> Tab:
    return BY_KEY.get(key or "", TABS[0])


def reach(actor: Actor, verbs: tuple[str, ...]) -> ColumnElement[bool]:
    """What is the units' now; what they once held can be read but is nobody's work."""
    return or_(*(queries.visible(actor, verb) for verb in verbs))


def counts(
    session: Session, actor: Actor, at: datetime, narrowed: list[ColumnElement[bool]]
) -> dict[str, int]:
    """How many tickets each tab holds under the filters that are set."""
    found: dict[str, int] = {}
    for verbs in dict.fromkeys(tab.verbs for tab in TABS):
        tabs = [tab for tab in TABS if tab.verbs == verbs]
        sums = [func.coalesce(func.sum(case((tab.holds(at), 1), else_=0)), 0) for tab in tabs]
        query = (
            select(*sums)
            .select_from(Ticket)
            .where(col(Ticket.state).in_(OPEN_STATES), reach(actor, verbs), *narrowed)
        )
        row = session.execute(query).one()
        found.update({tab.key: int(number) for tab, number in zip(tabs, row, strict=True)})
    return found
