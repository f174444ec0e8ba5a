"""What else there is at a ticket's place, and what its reporter reported before, for whoever works on it."""

from datetime import timedelta

from sqlalchemy import select
from sqlmodel import Session, col

from dispatch.record import queries
from dispatch.record.models import Reporter, Ticket
from dispatch.record.reading.filtering import within
from grid.permissions import Actor

NEAR_M = 60.0
SINCE = timedelta(days=90)
SHOWN = 5


def open_nearby(session: Session, ticket: Ticket, actor: Actor) -> list[Ticket]:
    """Tickets of the same class within a few steps of the place, the latest first."""
    query = (
        select(Ticket)
        .where(
            queries.visible(actor),
            within(lon=ticket.lon, lat=ticket.lat, metres=NEAR_M),
            col(Ticket.id) != ticket.id,
            col(Ticket.category_code).startswith(ticket.category_code[:4]),
            col(Ticket.reported_at) >= ticket.reported_at - SINCE,
        )
        .order_by(col(Ticket.reported_at).desc())
        .limit(SHOWN)
    )
    return list(session.execute(query).scalars())


def earlier_of_reporter(session: Session, ticket: Ticket, actor: Actor) -> list[Ticket]:
    """What the same telephone reported before, as far as the actor may read it."""
    keys = {row.person_key for row in queries.reporters(session, ticket) if row.person_key}
    if not keys:
        return []
    owned = select(col(Reporter.ticket_id)).where(col(Reporter.person_key).in_(keys))
    query = (
        select(Ticket)
        .where(queries.visible(actor), col(Ticket.id).in_(owned), col(Ticket.id) != ticket.id)
        .order_by(col(Ticket.reported_at).desc())
        .limit(SHOWN)
    )
    return list(session.execute(query).scalars())
