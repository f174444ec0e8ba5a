"""Open tickets near a place that may be the same matter, found by position first and judged by the rules of likeness.

What the public and the street may see is decided here: components and the look of the city in public space, never
complaints, whistle-blowing or anything confidential.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import Select, and_, bindparam, exists, or_, select
from sqlmodel import Session, col

from dispatch.record import queries
from dispatch.record.models import Reporter, Statement, Ticket, band_of
from dispatch.record.world import Standing
from dispatch.rules.likeness import CLASS_DIGITS, RECENT, Alike, Matter, Near, alike, near_m

METRES_PER_DEGREE = 111_320.0
LOOKED_AT = 60
SHOWN = 5
NOT_FOR_THE_PUBLIC = ("complaint", "report")
VISIBLE_KINDS = ("part", "event")


@dataclass(frozen=True, slots=True)
class Resembling:
    """An open ticket that may be the same matter."""

    ticket: Ticket
    category: str
    alike: Alike


def similar(
    session: Session,
    standing: Standing,
    *,
    category_code: str,
    lon: float,
    lat: float,
    at: datetime,
    text: str = "",
    public: bool = True,
    leave_out: str | None = None,
) -> list[Resembling]:
    """The open tickets that this report may repeat, the likeliest first; the position is WGS-84."""
    reach_m = near_m(category_code)
    family = category_code[:CLASS_DIGITS]
    found = _near(session, lon=lon, lat=lat, reach_m=reach_m, since=at - RECENT, public=public, family=family)
    tickets: dict[str, Ticket] = {}
    words: dict[str, str] = {}
    for ticket, text_said in found:
        if ticket.code != leave_out and _may_show(standing, ticket, public):
            tickets[ticket.code] = ticket
            words[ticket.code] = text_said or ""
    report = Matter("", category_code, at, text)
    others = [
        Near(
            Matter(ticket.code, ticket.category_code, ticket.reported_at, words[ticket.code]),
            distance_m(lon=lon, lat=lat, other_lon=ticket.lon, other_lat=ticket.lat),
        )
        for ticket in tickets.values()
    ]
    return [
        Resembling(tickets[one.key], standing.categories[tickets[one.key].category_code].name, one)
        for one in alike(report, others)[:SHOWN]
    ]


def distance_m(*, lon: float, lat: float, other_lon: float, other_lat: float) -> float:
    """Metres between two near positions, on a sphere flattened here."""
    north = (other_lat - lat) * METRES_PER_DEGREE
    east = (other_lon - lon) * METRES_PER_DEGREE * math.cos(math.radians(lat))
    return math.hypot(north, east)


def _near(
    session: Session, *, lon: float, lat: float, reach_m: float, since: datetime, public: bool, family: str
) -> list[tuple[Ticket, str | None]]:
    """The open tickets in a box around the place with what was said: a few narrow ranges of the index of open places."""
    high = reach_m / METRES_PER_DEGREE
    wide = high / max(math.cos(math.radians(lat)), 0.01)
    asked = {
        "bands": list(range(band_of(lat - high), band_of(lat + high) + 1)),
        "south": lat - high,
        "north": lat + high,
        "west": lon - wide,
        "east": lon + wide,
        "since": since,
        "family": f"{family}%",
    }
    return [(ticket, text) for ticket, text in session.execute(_statement(public), asked)]


@cache
def _statement(public: bool) -> Select[Ticket, str | None]:
    """Put together once: while somebody types, building it anew would take longer than the database does."""
    said = and_(
        col(Statement.intake_district) == col(Ticket.intake_district),
        col(Statement.ticket_id) == col(Ticket.id),
        col(Statement.name) == "text",
    )
    query = (
        select(Ticket, col(Statement.text))
        .join(Statement, said, isouter=True)
        .where(
            col(Ticket.closed_at).is_(None),
            col(Ticket.lat_band).in_(bindparam("bands", expanding=True)),
            col(Ticket.lat).between(bindparam("south"), bindparam("north")),
            col(Ticket.lon).between(bindparam("west"), bindparam("east")),
            col(Ticket.reported_at) >= bindparam("since"),
            col(Ticket.category_code).like(bindparam("family")),
            queries.is_open(),
        )
        .limit(LOOKED_AT)
    )
    if public:
        told_in_confidence = exists().where(
            and_(
                col(Reporter.intake_district) == col(Ticket.intake_district),
                col(Reporter.ticket_id) == col(Ticket.id),
                col(Reporter.confidential),
            )
        )
        open_to_all = or_(col(Ticket.nature).is_(None), col(Ticket.nature).not_in(NOT_FOR_THE_PUBLIC))
        query = query.where(open_to_all, ~told_in_confidence)
    return query


def _may_show(standing: Standing, ticket: Ticket, public: bool) -> bool:
    category = standing.categories[ticket.category_code]
    return not public or (category.public_space and category.kind in VISIBLE_KINDS)
