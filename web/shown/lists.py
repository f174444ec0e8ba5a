"""What lists of tickets need besides the tickets."""

from collections.abc import Iterable
from uuid import UUID

from sqlmodel import Session, col, select

from dispatch.record import queries
from dispatch.record.models import Statement, Ticket
from dispatch.record.world import Standing
from grid.models import Area
from web.shown.labels import cursor, masked


def area_names(session: Session, standing: Standing, tickets: Iterable[Ticket]) -> dict[str, str]:
    """The names of the grids and streets in a list of tickets."""
    codes = {code for ticket in tickets for code in (ticket.grid_code, ticket.street_code) if code}
    query = select(Area.code, Area.name).where(
        Area.generation_id == standing.generation_id, col(Area.code).in_(codes)
    )
    return dict(session.exec(query).all())


def after_of(ticket: Ticket) -> str:
    """Where the page after this ticket begins, for an address."""
    return f"{cursor(ticket.due_at) if ticket.due_at else ''}~{ticket.id}"


def words_of(session: Session, tickets: Iterable[Ticket]) -> dict[UUID, str]:
    """What was reported, masked, for lists that show it."""
    query = select(Statement.ticket_id, Statement.text).where(
        queries.of_tickets(Statement, tickets), Statement.name == "text"
    )
    return {
        ticket_id: masked(text) for ticket_id, text in session.exec(query.order_by(col(Statement.id).desc()))
    }
