"""Tickets that do not get on, each with the reason why it is listed (线上巡查), and refused objections per unit."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlmodel import Session, col

from dispatch.record import queries
from dispatch.record.models import Objection, Source, Ticket
from dispatch.rules.workflow import State
from grid.errors import InputError
from grid.permissions import Actor

SOON, NO_CONTACT = timedelta(hours=24), timedelta(days=2)
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


# Closed ones too: whether a correction that moved a limit was proper is asked whenever it was drawn.
TO_AUDIT = Sign("to_audit", "更正待审", and_(col(Ticket.correction_drawn)))


def signs(at: datetime) -> tuple[Sign, ...]:
    """The signs, the hardest first."""
    with_unit = col(Ticket.state).not_in(ANSWERED)
    return (
        Sign("late", "承办超时", and_(with_unit, col(Ticket.due_at) <= at)),
        Sign(
            "soon",
            "承办 24 小时内到期",
            and_(with_unit, col(Ticket.due_at) > at, col(Ticket.due_at) <= at + SOON),
        ),
        Sign("returned", "反复退单", col(Ticket.objections) >= RETURNED),
        Sign("reworked", "多次返工", col(Ticket.reworks) >= REWORKED),
        Sign("urged", "多次来电", col(Ticket.urged) + col(Ticket.merged_count) >= URGED),
        Sign("no_contact", "派出两天未联系诉求人", _without_contact(at)),
        TO_AUDIT,
    )


def _without_contact(at: datetime) -> ColumnElement[bool]:
    return and_(
        col(Ticket.state) == State.IN_PROGRESS,
        col(Ticket.contacted_at).is_(None),
        col(Ticket.dispatched_at) <= at - NO_CONTACT,
        col(Ticket.source) != Source.PATROL,
    )


def stuck(
    session: Session, actor: Actor, at: datetime, *conditions: ColumnElement[bool], only: str | None = None
) -> list[Stuck]:
    """The stuck tickets within reach, the most pressing first.

    Raises
    ------
    InputError
        There is no such sign.
    """
    known = [sign for sign in signs(at) if only in (None, sign.key)]
    if not known:
        raise InputError("没有这种卡单,请从页面选择", {"tab": "请从页面选择"})
    held = [sign.held for sign in known if sign is not TO_AUDIT]
    # Apart, for each has an index of its own.
    wanted = [and_(queries.is_open(), or_(*held))] if held else []
    wanted += [TO_AUDIT.held] if TO_AUDIT in known else []
    found: dict[UUID, Ticket] = {}
    for one in wanted:
        page = queries.page(session, actor, one, *conditions, size=SHOWN)
        found |= {ticket.id: found.get(ticket.id, ticket) for ticket in page}
    return [Stuck(ticket, tuple(reasons(ticket, at))) for ticket in found.values()]


def reasons(ticket: Ticket, at: datetime) -> Iterator[str]:
    """Why a ticket counts as stuck, in words."""
    if ticket.due_at is not None and ticket.state not in ANSWERED:
        if ticket.due_at <= at:
            yield "承办超时"
        elif ticket.due_at <= at + SOON:
            yield "承办 24 小时内到期"
    if ticket.objections >= RETURNED:
        yield f"反复退单({ticket.objections} 次)"
    if ticket.reworks >= REWORKED:
        yield f"多次返工({ticket.reworks} 次)"
    if ticket.urged + ticket.merged_count >= URGED:
        yield f"多次来电({ticket.urged + ticket.merged_count} 次)"
    if _has_no_contact(ticket, at):
        yield "派出两天未联系诉求人"
    if ticket.correction_drawn:
        yield "更正类别、性质改动了时限,抽中待审"


def _has_no_contact(ticket: Ticket, at: datetime) -> bool:
    long_out = ticket.dispatched_at is not None and ticket.dispatched_at <= at - NO_CONTACT
    asked_for = ticket.state is State.IN_PROGRESS and ticket.source is not Source.PATROL
    return asked_for and long_out and ticket.contacted_at is None


def counts(session: Session, actor: Actor, at: datetime) -> dict[str, int]:
    """How many tickets show each sign."""
    known = [sign for sign in signs(at) if sign is not TO_AUDIT]
    query = select(*(func.count().filter(sign.held) for sign in known))
    row = session.execute(query.select_from(Ticket).where(queries.is_open(), queries.visible(actor))).one()
    drawn = select(func.count()).select_from(Ticket).where(TO_AUDIT.held, queries.visible(actor))
    found = {sign.key: int(number) for sign, number in zip(known, row, strict=True)}
    return found | {TO_AUDIT.key: int(session.execute(drawn).scalar_one())}


def refused_objections(session: Session, since: datetime) -> dict[str, int]:
    """How many objections of each unit were refused: a count and nothing more, by the units' codes."""
    query = (
        select(col(Objection.organisation_code), func.count())
        .where(col(Objection.outcome) == "refused", col(Objection.ruled_at) >= since)
        .group_by(col(Objection.organisation_code))
    )
    return {row[0]: row[1] for row in session.execute(query)}
