"""Who within a unit works on what, and how much everybody has in hand (负荷存量), so that work can be shared fairly.

Figures of persons are for sharing work within the unit: they are counts of what waits, and nobody is ranked by them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, delete, func, select
from sqlmodel import Session, col
from uuid6 import uuid7

from dispatch.record import queries
from dispatch.record.desks.models import TicketHolder
from dispatch.record.models import Ticket
from dispatch.rules.workflow import OPEN_STATES, State
from grid import accounts
from grid.errors import InputError, NotAllowed
from grid.models import Account, Post
from grid.permissions import ROLES, Actor, role_scopes

HANDLE = "ticket:handle"
WITH_UNIT = OPEN_STATES - {State.VERIFIED, State.CALLBACK, State.REVIEWING}


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody of the unit who may be given a ticket, with what they have in hand."""

    account_id: UUID
    name: str
    organisation_code: str
    in_hand: int
    overdue: int
    most: int

    @property
    def is_overloaded(self) -> bool:
        return self.in_hand > self.most


def colleagues(
    session: Session, organisations: Iterable[str], on: date, most_in_hand: int
) -> list[Colleague]:
    """Everybody of these units who may handle, by name; those with too much in hand are marked, never hidden."""
    found = _members(session, organisations, on)
    loads = load(session, found)
    return [
        Colleague(key, name, unit, *loads.get(key, (0, 0)), most=most_in_hand)
        for key, (name, unit) in found.items()
    ]


def _members(session: Session, organisations: Iterable[str], on: date) -> dict[UUID, tuple[str, str]]:
    """Name and unit of everybody of these units who may handle."""
    roles = [role for role in ROLES if role_scopes(role, HANDLE)]
    people = (
        select(col(Account.id), col(Account.name), col(Post.organisation_code))
        .join(Post, col(Post.account_id) == col(Account.id))
        .where(
            col(Post.organisation_code).in_(sorted(organisations)),
            col(Post.role).in_(roles),
            col(Account.disabled_at).is_(None),
            accounts.held_on(on),
        )
        .order_by(col(Account.name), col(Account.id))
    )
    return {key: (name, unit) for key, name, unit in session.execute(people)}


def load(session: Session, accounts: Iterable[UUID]) -> dict[UUID, tuple[int, int]]:
    """How many open tickets each has in hand, and how many of them are late."""
    query = (
        select(col(TicketHolder.account_id), func.count(), func.sum(_late()))
        .join(Ticket, _of_it())
        .where(col(TicketHolder.account_id).in_(list(accounts)), col(Ticket.state).in_(WITH_UNIT))
        .group_by(col(TicketHolder.account_id))
    )
    return {row[0]: (int(row[1]), int(row[2] or 0)) for row in session.execute(query)}


def who_can_share(colleagues: Iterable[Colleague]) -> list[Colleague]:
    """Whom to propose, the least loaded first; the overloaded are not proposed."""
    fit = [one for one in colleagues if one.in_hand < one.most]
    return sorted(fit, key=lambda one: (one.in_hand, one.name))


def give(
    session: Session, code: str, actor: Actor, account_id: UUID | None, on: date, now: datetime
) -> UUID | None:
    """Put a ticket into somebody's hands within the unit, or into nobody's; returns whose it was.

    Raises
    ------
    NotFound, NotAllowed, InputError
        Nothing was written.
    """
    ticket = queries.find(session, code, actor, lock=True)
    if not queries.reaches(session, ticket, actor, HANDLE) or actor.account_id is None:
        raise NotAllowed("只有承办单位的经办人能分给本单位的人")
    if ticket.state not in WITH_UNIT:
        raise InputError(f"工单 {code} 已不在本单位手上,不用再分人")
    if account_id is not None and account_id not in _members(session, actor.under, on):
        raise InputError("只能分给本单位(含下属)能办理的人,请重新选择", {"holder": "请重新选择"})
    before = holder_of(session, ticket)
    session.execute(delete(TicketHolder).where(queries.of_ticket(TicketHolder, ticket)))
    if account_id is not None:
        session.add(
            TicketHolder(
                intake_district=ticket.intake_district,
                id=uuid7(),
                ticket_id=ticket.id,
                account_id=account_id,
                given_by=actor.account_id,
                since_at=now,
            )
        )
    return before


def holder_of(session: Session, ticket: Ticket) -> UUID | None:
    query = select(col(TicketHolder.account_id)).where(queries.of_ticket(TicketHolder, ticket))
    found: UUID | None = session.execute(query).scalar_one_or_none()
    return found


def holders(session: Session, tickets: Iterable[Ticket]) -> dict[UUID, str]:
    """The names of whoever holds each of these tickets."""
    query = (
        select(col(TicketHolder.ticket_id), col(Account.name))
        .join(Account, col(Account.id) == col(TicketHolder.account_id))
        .where(queries.of_tickets(TicketHolder, tickets))
    )
    return {row[0]: row[1] for row in session.execute(query)}


def _of_it() -> ColumnElement[bool]:
    return and_(
        col(TicketHolder.intake_district) == col(Ticket.intake_district),
        col(TicketHolder.ticket_id) == col(Ticket.id),
    )


def _late() -> ColumnElement[int]:
    return case((col(Ticket.overdue).is_(True), 1), else_=0)
