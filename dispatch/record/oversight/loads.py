"""From which load on a place or a unit has too much: hours of work that wait, against a threshold that is a row."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from dispatch.record import queries
from dispatch.record.models import Ticket
from dispatch.record.oversight.models import LoadLimit
from dispatch.rules.workflow import OPEN_STATES, State
from grid.auditing import record_change
from grid.errors import InputError
from grid.permissions import Actor

GRID, COMMUNITY, ORGANISATION = "grid", "community", "organisation"
COLUMNS: dict[str, Any] = {
    GRID: Ticket.grid_code,
    COMMUNITY: Ticket.community_code,
    ORGANISATION: Ticket.main_code,
}
# Hours of one piece of work; a ticket that is suspended waits without work.
HOURS = {"open": 1.0, "to_verify": 0.5, "to_answer": 0.5, "inspections": 0.25, "suspended": 0.0}
PIECE = {
    State.HANDLED: "to_verify",
    State.NEED_INFO: "to_answer",
    State.VERIFIED: "to_answer",
    State.CALLBACK: "to_answer",
    State.SUSPENDED: "suspended",
}
DEFAULT_LIMIT_HOURS = 20.0
MOST_HOURS = 10_000.0
ANY = "*"


def pieces(session: Session, kind: str, codes: Iterable[str] | None = None) -> dict[str, dict[str, int]]:
    """What waits, by code and by kind of work; of these codes or of all."""
    column = col(COLUMNS[kind])
    query = (
        select(column, col(Ticket.state), func.count())
        .where(queries.is_open(), column.is_not(None))
        .group_by(column, col(Ticket.state))
    )
    if codes is not None:
        query = query.where(column.in_(sorted(codes)))
    found: dict[str, dict[str, int]] = {}
    for code, state, number in session.execute(query):
        of = found.setdefault(code, {})
        piece = PIECE.get(state, "open")
        of[piece] = of.get(piece, 0) + number
    return found


def states_of(piece: str) -> frozenset[State]:
    """The states in which a ticket is that kind of work."""
    return frozenset(state for state in OPEN_STATES if PIECE.get(state, "open") == piece)


def hours_of(waiting: dict[str, int]) -> float:
    return sum(HOURS[piece] * number for piece, number in waiting.items())


def limits(session: Session, kind: str) -> dict[str, float]:
    """The thresholds by code; `*` is everybody else of that kind."""
    rows = session.execute(select(LoadLimit).where(col(LoadLimit.kind) == kind)).scalars()
    return {ANY: DEFAULT_LIMIT_HOURS} | {row.code: row.hours for row in rows}


def set_limit(session: Session, kind: str, code: str, hours: float, actor: Actor, now: Any) -> None:
    """Change the threshold of one place or unit, or of everybody of a kind (`*`)."""
    if kind not in COLUMNS or not 0 < hours <= MOST_HOURS:
        raise InputError(f"阈值须大于 0 且不超过 {MOST_HOURS:.0f} 小时", {"hours": "请改阈值"})
    row = session.get(LoadLimit, (kind, code))
    before = {"hours": row.hours} if row else None
    row = row or LoadLimit(kind=kind, code=code, hours=hours)
    row.hours = hours
    session.add(row)
    record_change(
        session,
        actor,
        "load_limit",
        f"{kind}:{code}",
        "change",
        before=before,
        after={"hours": hours},
        now=now,
    )


def overloaded(session: Session, codes: Iterable[str]) -> dict[str, tuple[float, float]]:
    """Which of these units have more than their threshold: their hours and the threshold."""
    wanted = sorted(set(codes))
    allowed = limits(session, ORGANISATION)
    found = {code: hours_of(of) for code, of in pieces(session, ORGANISATION, wanted).items()}
    return {
        code: (hours, allowed.get(code, allowed[ANY]))
        for code, hours in found.items()
        if hours > allowed.get(code, allowed[ANY])
    }
