"""One inbox for all posts of an account: what waits, and notices: urgent ones at once, the others every half hour."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select
from sqlmodel import Session, col

from dispatch.record import queries
from dispatch.record.desks.models import InboxMark
from dispatch.record.models import Notice, Ticket, TicketCode
from dispatch.rules.workflow import OPEN_STATES, State
from grid.permissions import Actor

EVERY = timedelta(minutes=30)
LOOKED_BACK = timedelta(days=7)
MOST = 300
ANSWERED = frozenset({State.HANDLED, State.VERIFIED, State.CALLBACK, State.REVIEWING, State.ANSWER_PENDING})
# Which of the tickets within reach of a verb wait for somebody who holds it.
WAITS: dict[str, frozenset[State]] = {
    "ticket:handle": OPEN_STATES - ANSWERED,
    "ticket:assist": OPEN_STATES - ANSWERED,
    "ticket:approve": frozenset({State.ANSWER_PENDING}),
    "ticket:verify": frozenset({State.HANDLED, State.VERIFYING_PRE}),
    "ticket:review": frozenset({State.REVIEWING}),
    "ticket:rule": frozenset({State.OBJECTED, State.CONSULTING, State.EXT_PENDING, State.SUSPEND_PENDING}),
    "ticket:dispatch": frozenset({State.FILED}),
}


@dataclass(frozen=True, slots=True)
class Bundle:
    """Notices shown as one: an urgent one alone, the others of one half hour together."""

    at: datetime
    urgent: bool
    notices: tuple[tuple[Notice, str | None], ...]
    fresh: bool


def waiting(session: Session, actor: Actor, size: int) -> list[Ticket]:
    """What waits for this person, over all posts, the most pressing first."""
    parts = [
        and_(part, col(Ticket.state).in_(states))
        for verb, states in WAITS.items()
        for part in queries.reached(actor, verb).values()
    ]
    return queries.page(session, actor, queries.is_open(), size=size, parts=parts)


def bundles(session: Session, actor: Actor, now: datetime) -> list[Bundle]:
    """The notices of the last days, newest first; what is not urgent appears when its half hour is over."""
    mine = or_(
        col(Notice.account_id) == actor.account_id,
        col(Notice.organisation_code).in_(sorted({tenure.organisation_code for tenure in actor.tenures})),
    )
    query = (
        select(Notice, col(TicketCode.code))
        .join(TicketCode, col(TicketCode.ticket_id) == col(Notice.ticket_id), isouter=True)
        .where(mine, col(Notice.created_at) > now - LOOKED_BACK)
        .order_by(col(Notice.created_at).desc(), col(Notice.id))
        .limit(MOST)
    )
    mark = session.get(InboxMark, actor.account_id)
    return bundle(
        [(row[0], row[1]) for row in session.execute(query)], now, mark.shown_until if mark else None
    )


def bundle(
    notices: Iterable[tuple[Notice, str | None]], now: datetime, shown_until: datetime | None
) -> list[Bundle]:
    """Urgent ones by themselves at once, the rest by the half hour in which they came, once that is over."""
    groups: dict[tuple[datetime, str], list[tuple[Notice, str | None]]] = {}
    for notice, code in notices:
        ends_at = end_of_window(notice.created_at)
        if notice.urgent:
            groups.setdefault((notice.created_at, str(notice.id)), []).append((notice, code))
        elif ends_at <= now:
            groups.setdefault((ends_at, ""), []).append((notice, code))
    found = [
        Bundle(at, bool(alone), tuple(members), shown_until is None or at > shown_until)
        for (at, alone), members in groups.items()
    ]
    return sorted(found, key=lambda one: one.at, reverse=True)


def end_of_window(at: datetime) -> datetime:
    """When the half hour of an instant ends."""
    seconds = at.timestamp()
    return at + timedelta(seconds=EVERY.total_seconds() - seconds % EVERY.total_seconds())


def mark_shown(session: Session, actor: Actor, now: datetime) -> None:
    """Remember that the inbox was shown; nobody is asked to confirm anything, and nobody is judged by it."""
    if actor.account_id is not None:
        session.merge(InboxMark(account_id=actor.account_id, shown_until=now))
