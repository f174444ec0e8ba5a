"""What whoever calls back needs to know beside the ticket: who was tried already, and what else one person waits for."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select
from sqlmodel import Session, col

from dispatch.record import queries
from dispatch.record.effects import asking
from dispatch.record.models import Reporter, Ticket, TicketEvent
from grid.permissions import Actor
from grid.settings import Settings

ATTEMPT, DECLINED = "attempt_callback", "decline_callback"


def last_attempts(session: Session, tickets: Collection[Ticket]) -> dict[UUID, datetime]:
    """When each of these tickets was last tried in vain."""
    query = (
        select(col(TicketEvent.ticket_id), func.max(TicketEvent.at))
        .where(
            queries.of_tickets(TicketEvent, tickets),
            col(TicketEvent.action) == ATTEMPT,
        )
        .group_by(col(TicketEvent.ticket_id))
    )
    return {row[0]: row[1] for row in session.execute(query)}


def of_the_same_person(session: Session, ticket: Ticket, waiting: ColumnElement[bool]) -> list[Ticket]:
    """The other tickets that wait and were reported from the same telephone, so that one call asks about all."""
    keys = {reporter.person_key for reporter in queries.reporters(session, ticket) if reporter.person_key}
    return _reported_by(session, keys, waiting, col(Ticket.id) != ticket.id) if keys else []


def earlier_of(session: Session, actor: Actor, settings: Settings, phone: str, size: int) -> list[Ticket]:
    """What was reported from this telephone before, the latest first."""
    key = asking.person_key(settings, phone)
    return _reported_by(session, {key}, queries.visible(actor))[:size] if key else []


def _reported_by(session: Session, keys: Collection[str], *conditions: ColumnElement[bool]) -> list[Ticket]:
    belongs = and_(
        col(Reporter.intake_district) == col(Ticket.intake_district),
        col(Reporter.ticket_id) == col(Ticket.id),
    )
    query = (
        select(Ticket)
        .join(Reporter, belongs)
        .where(col(Reporter.person_key).in_(keys), *conditions)
        .order_by(col(Ticket.reported_at).desc(), col(Ticket.id).desc())
    )
    return list(session.execute(query).scalars().unique())
