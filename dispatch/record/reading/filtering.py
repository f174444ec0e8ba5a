"""Narrows a list of tickets: by what, where, who, words, days and distance. Every part becomes a plain condition."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlmodel import Session, col

from dispatch.record.codes import read_code
from dispatch.record.desks.models import TicketHolder
from dispatch.record.models import SEARCHED, OpenWords, Source, Statement, Ticket, band_of
from dispatch.record.world import Standing

METRES_PER_DEGREE = 111_320.0
SHORTEST_WORD = 2
FEW = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list is narrowed to; everything left out narrows nothing."""

    words: str | None = None
    category_code: str | None = None
    area_code: str | None = None
    source: Source | None = None
    holder_id: UUID | None = None
    unheld: bool = False
    overdue: bool = False
    from_on: date | None = None
    to_on: date | None = None
    near_lon: float | None = None
    near_lat: float | None = None
    within_m: float | None = None


def conditions(
    session: Session, wanted: Wanted, standing: Standing, at: datetime, *, closed: bool = False
) -> list[ColumnElement[bool]]:
    """The conditions on `Ticket`, all of which must hold; words are looked for in open tickets unless `closed`."""
    return list(_conditions(session, wanted, standing, at, closed))


def _conditions(
    session: Session, wanted: Wanted, standing: Standing, at: datetime, closed: bool
) -> Iterator[ColumnElement[bool]]:
    if wanted.category_code:
        below = [code for code in standing.categories if wanted.category_code in standing.lineage(code)]
        yield col(Ticket.category_code).in_(below)
    if wanted.area_code:
        levels = (Ticket.grid_code, Ticket.community_code, Ticket.street_code, Ticket.district_code)
        yield or_(*(col(level) == wanted.area_code for level in levels))
    if wanted.source:
        yield col(Ticket.source) == wanted.source
    if wanted.holder_id or wanted.unheld:
        yield _held(wanted.holder_id)
    if wanted.overdue:
        yield col(Ticket.due_at) <= at
    zone = ZoneInfo(standing.zone)
    if wanted.from_on:
        yield col(Ticket.reported_at) >= _midnight(wanted.from_on, zone)
    if wanted.to_on:
        yield col(Ticket.reported_at) < _midnight(wanted.to_on + timedelta(days=1), zone)
    if wanted.near_lon is not None and wanted.near_lat is not None and wanted.within_m:
        yield within(lon=wanted.near_lon, lat=wanted.near_lat, metres=wanted.within_m)
    for word in (wanted.words or "").split():
        if len(word) >= SHORTEST_WORD:
            yield _says(session, word, standing, closed)


def within(*, lon: float, lat: float, metres: float) -> ColumnElement[bool]:
    """The tickets within so many metres of a point; a box goes first, since an index can serve it."""
    east_m = METRES_PER_DEGREE * math.cos(math.radians(lat))
    high, wide = metres / METRES_PER_DEGREE, metres / max(east_m, 1.0)
    east, north = (col(Ticket.lon) - lon) * east_m, (col(Ticket.lat) - lat) * METRES_PER_DEGREE
    return and_(
        col(Ticket.lat_band).between(band_of(lat - high), band_of(lat + high)),
        col(Ticket.lat).between(lat - high, lat + high),
        col(Ticket.lon).between(lon - wide, lon + wide),
        east * east + north * north <= metres * metres,
    )


def _held(account_id: UUID | None) -> ColumnElement[bool]:
    """In somebody's hands, or in nobody's."""
    of_it = and_(
        col(TicketHolder.intake_district) == col(Ticket.intake_district),
        col(TicketHolder.ticket_id) == col(Ticket.id),
    )
    if account_id is None:
        return ~exists().where(of_it)
    return exists().where(of_it, col(TicketHolder.account_id) == account_id)


def _says(session: Session, word: str, standing: Standing, closed: bool) -> ColumnElement[bool]:
    """The word stands in what was reported, in the category or in the place, or it is the ticket's code."""
    named = [code for code, category in standing.categories.items() if word in category.name]
    places = [code for code, area in (standing.areas | standing.former_areas).items() if word in area.name]
    pattern = "%" + word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    found: list[ColumnElement[bool]] = []
    code = read_code(word)
    if code:
        found.append(col(Ticket.code) == code)
    if named:
        found.append(col(Ticket.category_code).in_(named))
    if places:
        levels = (Ticket.grid_code, Ticket.community_code, Ticket.street_code)
        found += [col(level).in_(places) for level in levels]
    # Last, since it costs most: a database need not look at the words of what the others have found.
    return or_(*found, _said(session, Statement if closed else OpenWords, pattern))


def _said(session: Session, table: Any, pattern: str) -> ColumnElement[bool]:
    """Somebody said so when they reported it. Few tickets are named one by one, so that the list and every count after
    it need not read the words again; an IN over many reads them once, not once per ticket."""
    said = select(col(table.ticket_id)).where(col(table.text).like(pattern, escape="\\"))
    if table is Statement:
        said = said.where(col(Statement.name).in_(SEARCHED))
    few = list(session.execute(said.limit(FEW + 1)).scalars())
    if len(few) <= FEW:
        return col(Ticket.id).in_(few)
    many = said.cte()  # one reading for all parts of a statement
    return col(Ticket.id).in_(select(many.c.ticket_id))


def _midnight(on: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(on, time(), zone).astimezone(UTC)
