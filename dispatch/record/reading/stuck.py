"""Tickets that do not get on, each with the reason why it is listed (线上巡查), and refused objections per unit."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlmodel import Session, col

from dispatch.record import queries
from dispatch.record.models import Objection, Ticket
from dispatch.rules.workflow import State
from grid.permissions import Actor

SOON = timedelta(hours=24)
RETURNED, REWORKED, URGED = 2, 2, 2
SHOWN = 200
# Past the unit's hands: nothing of it is stuck there.
ANSWERED = frozenset({State.HANDLED, State.VERIFIED, State.CALLBACK, State.REVIEWING})


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign of a stuck ticket: its name in the address, its label, its condition."""

    key: str
    label: str
    held: ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Stuck:
    """A ticket with every reason for which it is listed."""

    ticket: Ticket
    reasons: tuple[str, ...]


def signs(at: datetime) -> tuple[Sign, ...]:
    """The signs, the hardest first."""
    with_unit = col(Ticket.state).not_in(ANSWERED)
    return (
        Sign("late", "已超时", and_(with_unit, col(Ticket.due_at) <= at)),
        Sign("soon", "将超时", and_(with_unit, col(Ticket.due_at) > at, col(Ticket.due_at) <= at + SOON)),
        Sign("returned", "反复退单", col(Ticket.objections) >= RETURNED),
        Sign("reworked", "多次返工", col(Ticket.reworks) >= REWORKED),
        Sign("urged", "多次来电", col(Ticket.urged) + col(Ticket.merged_count) >= URGED),
    )


def stuck(
    session: Session, actor: Actor, at: datetime, *conditions: ColumnElement[bool], only: str | None = None
) -> list[Stuck]:
    """The stuck tickets within reach, the most pressing first."""
    known = [sign for sign in signs(at) if only in (None, sign.key)]
    found = queries.page(
        session,
        actor,
        queries.is_open(),
        or_(*(sign.held for sign in known)),
        *conditions,
        size=SHOWN,
    )
    return [Stuck(ticket, tuple(reasons(ticket, at))) for ticket in found]


def reasons(ticket: Ticket, at: datetime) -> Iterator[str]:
    """Why a ticket counts as stuck, in words."""
    if ticket.due_at is not None and ticket.state not in ANSWERED:
        if ticket.due_at <= at:
            yield "已超时"
        elif ticket.due_at <= at + SOON:
            yield "将超时"
    if ticket.objections >= RETURNED:
        yield f"反复退单({ticket.objections} 次)"
    if ticket.reworks >= REWORKED:
        yield f"多次返工({ticket.reworks} 次)"
    if ticket.urged + ticket.merged_count >= URGED:
        yield f"多次来电({ticket.urged + ticket.merged_count} 次)"


def counts(session: Session, actor: Actor, at: datetime) -> dict[str, int]:
    """How many tickets show each sign."""
    query = select(*(func.count().filter(sign.held) for sign in signs(at)))
    row = session.execute(query.select_from(Ticket).where(queries.is_open(), queries.visible(actor))).one()
    return {sign.key: int(number) for sign, number in zip(signs(at), row, strict=True)}


def refused_objections(session: Session, since: datetime) -> dict[str, int]:
    """How many objections of each unit were refused: a count and nothing more, by the units' codes."""
    query = (
        select(col(Objection.organisation_code), func.count())
        .where(col(Objection.outcome) == "refused", col(Objection.ruled_at) >= since)
        .group_by(col(Objection.organisation_code))
    )
    return {row[0]: row[1] for row in session.execute(query)}
