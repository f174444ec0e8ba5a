"""Online inspection (线上巡查): open matters that do not move, each with every reason."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, select
from sqlmodel import Session, col

from dispatch.record import queries
from dispatch.record.models import Source, Ticket
from dispatch.rules.workflow import State
from grid.permissions import Actor

FIGURES = "figures:read"
SOON, NO_CONTACT, MANY_URGED, MANY_REWORKS, MANY_RETURNS = timedelta(hours=8), timedelta(days=2), 3, 2, 2


@dataclass(frozen=True)
class Reason:
    """A row: why a matter counts as stuck."""

    key: str
    label: str
    condition: Callable[[datetime], ColumnElement[bool]]
    holds: Callable[[Ticket, datetime], bool]


REASONS = (
    Reason(
        "returned",
        f"退单 {MANY_RETURNS} 次以上",
        lambda now: col(Ticket.objections) >= MANY_RETURNS,
        lambda t, now: t.objections >= MANY_RETURNS,
    ),
    Reason(
        "reworked",
        f"返工 {MANY_REWORKS} 次以上",
        lambda now: col(Ticket.reworks) >= MANY_REWORKS,
        lambda t, now: t.reworks >= MANY_REWORKS,
    ),
    Reason(
        "due_soon",
        "已超时或 8 小时内到期",
        lambda now: col(Ticket.due_at) < now + SOON,
        lambda t, now: t.due_at is not None and t.due_at < now + SOON,
    ),
    Reason(
        "urged",
        f"催办 {MANY_URGED} 次以上",
        lambda now: col(Ticket.urged) >= MANY_URGED,
        lambda t, now: t.urged >= MANY_URGED,
    ),
    Reason(
        "to_audit",
        "更正类别、性质改动了时限,抽中待审",
        lambda now: col(Ticket.correction_drawn).is_(True),
        lambda t, now: t.correction_drawn,
    ),
    Reason(
        "no_contact",
        "派出两天仍未联系诉求人",
        lambda now: and_(
            col(Ticket.state) == State.IN_PROGRESS,
            col(Ticket.contacted_at).is_(None),
            col(Ticket.dispatched_at) < now - NO_CONTACT,
            col(Ticket.source) != Source.PATROL,
        ),
        lambda t, now: (
            t.state is State.IN_PROGRESS
            and t.contacted_at is None
            and t.source is not Source.PATROL
            and t.dispatched_at is not None
            and t.dispatched_at < now - NO_CONTACT
        ),
    ),
)


def stuck(
    session: Session, actor: Actor, now: datetime, only: str | None = None, size: int = 200
) -> list[tuple[Ticket, tuple[str, ...]]]:
    """The stuck ones, the most reasons first, with all their reasons in words."""
    rows = [reason for reason in REASONS if only in (None, reason.key)]
    query = (
        select(Ticket)
        .where(
            queries.visible(actor, FIGURES),
            or_(queries.is_open(), col(Ticket.correction_drawn).is_(True)),
        )
        .where(or_(*(reason.condition(now) for reason in rows)))
        .order_by(col(Ticket.due_at), col(Ticket.id))
        .limit(size)
    )
    found = [
        (ticket, tuple(r.label for r in REASONS if r.holds(ticket, now)))
        for ticket in session.execute(query).scalars()
    ]
    return sorted(found, key=lambda row: -len(row[1]))
