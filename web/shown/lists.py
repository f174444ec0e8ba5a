"""What lists of tickets need besides the tickets."""

from collections.abc import Iterable

from sqlmodel import Session, col, select

from dispatch.record.models import Ticket
from dispatch.record.world import Standing
from grid.models import Area


def area_names(session: Session, standing: Standing, tickets: Iterable[Ticket]) -> dict[str, str]:
    """The names of the grids and streets in a list of tickets."""
    codes = {code for ticket in tickets for code in (ticket.grid_code, ticket.street_code) if code}
    query = select(Area.code, Area.name).where(
        Area.generation_id == standing.generation_id, col(Area.code).in_(codes)
    )
    return dict(session.exec(query).all())
