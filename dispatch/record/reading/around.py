"""What lies near a place: open matters that a report may repeat, and reminders that did not help."""

from collections.abc import Collection
from datetime import datetime, timedelta
from math import cos, radians

from sqlalchemy import ColumnElement, and_, exists, select
from sqlmodel import Session, col

from dispatch.record import queries
from dispatch.record.models import Reporter, Source, Ticket, band_of
from dispatch.record.world import Standing
from dispatch.rules import likeness
from dispatch.rules.likeness import Alike, Matter, Near
from dispatch.rules.workflow import TICKET, State

REMINDED_WITHIN = timedelta(hours=24)
METRES_PER_DEGREE = 111_320.0
MOST_LOOKED_AT = 200
PUBLIC_REACH_M = 300.0
# What people complain of is theirs alone, wherever it came in.
NEVER_PUBLIC_NATURES = ("complaint", "report")


def alike(
    session: Session, standing: Standing, *, category_code: str, lon: float, lat: float, now: datetime
) -> list[tuple[Ticket, Alike]]:
    """Open matters of the same class near enough to be the same, the likeliest first."""
    reach_m = likeness.near_m(category_code)
    since = col(Ticket.reported_at) >= now - likeness.RECENT
    near = _around(session, lon, lat, reach_m, queries.is_open(), since, ~_confidential())
    tickets = {ticket.code: ticket for ticket, _ in near}
    asked = Matter("", category_code, now)
    found = likeness.alike(
        asked, [Near(Matter(t.code, t.category_code, t.reported_at), metres) for t, metres in near]
    )
    return [(tickets[one.key], one) for one in found]


def reminders(session: Session, *, category_code: str, lon: float, lat: float, now: datetime) -> int:
    """How often somebody was reminded of this class of matter at this place within the last day."""
    reach_m = likeness.near_m(category_code)
    near = _around(
        session,
        lon,
        lat,
        reach_m,
        col(Ticket.state) == State.REMINDED,
        col(Ticket.reported_at) > now - REMINDED_WITHIN,
        col(Ticket.category_code).startswith(category_code[: likeness.CLASS_DIGITS]),
    )
    return len(near)


def in_public(
    session: Session, standing: Standing, grid_codes: Collection[str], now: datetime
) -> list[Ticket]:
    """Open matters of public space in these grids that anybody may read of: never what somebody complained of."""
    public = [code for code, category in standing.categories.items() if category.public_space]
    query = (
        select(Ticket)
        .where(
            col(Ticket.grid_code).in_(grid_codes),
            queries.is_open(),
            col(Ticket.category_code).in_(public),
            col(Ticket.source).in_((Source.PATROL, Source.RESIDENT)),
            col(Ticket.nature).is_(None) | col(Ticket.nature).not_in(NEVER_PUBLIC_NATURES),
            ~_confidential(),
        )
        .order_by(col(Ticket.reported_at).desc())
        .limit(20)
    )
    return list(session.execute(query).scalars())


def distance_m(*, lon: float, lat: float, other_lon: float, other_lat: float) -> float:
    """Between two places close to each other."""
    east = (lon - other_lon) * cos(radians(lat))
    north = lat - other_lat
    return float((east * east + north * north) ** 0.5 * METRES_PER_DEGREE)


def _around(
    session: Session, lon: float, lat: float, reach_m: float, *conditions: ColumnElement[bool]
) -> list[tuple[Ticket, float]]:
    north = reach_m / METRES_PER_DEGREE
    east = north / max(cos(radians(lat)), 0.01)
    query = (
        select(Ticket)
        .where(
            col(Ticket.workflow) == TICKET,
            col(Ticket.lat_band).in_(range(band_of(lat - north), band_of(lat + north) + 1)),
            col(Ticket.lon).between(lon - east, lon + east),
            col(Ticket.lat).between(lat - north, lat + north),
            *conditions,
        )
        .order_by(col(Ticket.reported_at).desc())
        .limit(MOST_LOOKED_AT)
    )
    found = (
        (ticket, distance_m(lon=lon, lat=lat, other_lon=ticket.lon, other_lat=ticket.lat))
        for ticket in session.execute(query).scalars()
    )
    return [(ticket, metres) for ticket, metres in found if metres <= reach_m]


def _confidential() -> ColumnElement[bool]:
    return exists().where(
        and_(
            col(Reporter.intake_district) == col(Ticket.intake_district),
            col(Reporter.ticket_id) == col(Ticket.id),
            col(Reporter.confidential),
        )
    )
