"""The tabs of a department's queue as rows: what each holds. Their counts come from one read."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, case, func, literal, or_, select, union_all
from sqlmodel import Session, col

from dispatch.record import queries
from dispatch.record.models import Ticket
from dispatch.rules.workflow import OPEN_STATES, State
from grid.permissions import Actor

HELD = ("ticket:handle", "ticket:approve")
HELP = queries.HELP
SOON = timedelta(hours=24)
WAITING = frozenset({State.HANDLED, State.VERIFIED, State.CALLBACK, State.REVIEWING})
IN_HAND = OPEN_STATES - WAITING
DECIDED_ELSEWHERE = frozenset({State.OBJECTED, State.CONSULTING})


class Due(StrEnum):
    """How a ticket stands to its limit."""

    LATE = "late"
    SOON = "soon"
    CALM = "calm"


@dataclass(frozen=True, slots=True)
class Tab:
    """One view of the queue: its name in the address, its label, what it holds; `helping` is work for others."""

    key: str
    label: str
    states: frozenset[State] = IN_HAND
    due: Due | None = None
    came_back: bool = False
    helping: bool = False

    @property
    def verbs(self) -> tuple[str, ...]:
        return (HELP,) if self.helping else HELD

    def holds(self, at: datetime) -> ColumnElement[bool]:
        """The tab as a condition."""
        due_at = col(Ticket.due_at)
        conditions: list[ColumnElement[bool]] = [
            queries.is_open(),
            col(Ticket.state).in_(sorted(self.states)),
        ]
        if self.due is Due.LATE:
            conditions.append(due_at <= at)
        elif self.due is Due.SOON:
            conditions += [due_at > at, due_at <= at + SOON]
        if self.came_back:
            conditions.append(_CAME_BACK)
        return and_(*conditions)

    def goes_on(self, at: datetime) -> ColumnElement[bool]:
        """Where the next one is looked for: what is being ruled on is nobody's turn here, unless one asked for it."""
        if self.states <= DECIDED_ELSEWHERE:
            return self.holds(at)
        return and_(self.holds(at), col(Ticket.state).not_in(DECIDED_ELSEWHERE))

    def counts(self, state: State, due: str, came_back: bool) -> bool:
        """Whether tickets of this kind are among the tab's."""
        fits = self.due in (None, due) and (came_back or not self.came_back)
        return fits and state in self.states


TABS = (
    Tab("all", "在办"),
    Tab("new", "待签收", frozenset({State.DISPATCHED})),
    Tab("working", "办理中", frozenset({State.IN_PROGRESS, State.EXT_PENDING})),
    Tab("rework", "返工", frozenset({State.REWORK})),
    Tab("joint", "协办", helping=True),
    Tab("approval", "答复待审", frozenset({State.ANSWER_PENDING})),
    Tab("objected", "异议中", frozenset({State.OBJECTED, State.CONSULTING})),
    Tab("soon", "快到期", due=Due.SOON),
    Tab("late", "超时", due=Due.LATE),
    Tab("returned", "退回给我", came_back=True),
    Tab("waiting", "已办理待核查", WAITING),
)
BY_KEY = {tab.key: tab for tab in TABS}
_CAME_BACK = or_(col(Ticket.no_return).is_(True), col(Ticket.reworks) > 0)


def _stands(at: datetime) -> ColumnElement[str]:
    due_at = col(Ticket.due_at)
    return case((due_at <= at, Due.LATE), (due_at <= at + SOON, Due.SOON), else_=Due.CALM)


def tab_of(key: str | None) -> Tab:
    return BY_KEY.get(key or "", TABS[0])


def counts(
    session: Session, actor: Actor, at: datetime, narrowed: list[ColumnElement[bool]]
) -> dict[str, int]:
    """How many tickets each tab holds under the filters that are set."""
    found: dict[str, int] = {tab.key: 0 for tab in TABS}
    kinds = (col(Ticket.state), _stands(at).label("stands"), _CAME_BACK.label("came_back"))
    parts = [
        select(literal(helping).label("helping"), *kinds, func.count())
        .where(queries.is_open(), part, *narrowed)
        .group_by(*(kind.name if hasattr(kind, "name") else kind for kind in kinds))
        for helping, verbs in ((False, HELD), (True, (HELP,)))
        for part in queries.apart(actor, verbs)
    ]
    for helping, state, due, came_back, number in session.execute(union_all(*parts)):
        for tab in TABS:
            if tab.helping == bool(helping) and tab.counts(state, due, bool(came_back)):
                found[tab.key] += number
    return found
