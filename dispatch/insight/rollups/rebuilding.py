"""Everything anew from the histories: for an installation that had no sums yet, after a restored dump, or in doubt.

Tally rows are made in batches by ticket; the cells are then summed up by the database in one statement for each cube
and grain. Tickets that change meanwhile are marked and taken up afterwards as ever.
"""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from multiprocessing import get_context
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Date, case, cast, delete, func, insert, literal, select, text, tuple_, update
from sqlmodel import Session, col

from dispatch.insight.metrics.measures import BIT, KEYS
from dispatch.insight.rollups import bulk, keeping, story
from dispatch.insight.rollups.models import ANY, CUBES, DIMENSIONS, GRAINS, Tally, TallySpan, cell
from dispatch.insight.rollups.story import Key
from dispatch.record.models import Ticket
from grid.database import Database

AT_ONCE = 2000


def rebuild(database: Database, zone: ZoneInfo, now: datetime | None = None, *, processes: int = 1) -> int:
    """Empty the sums and make them anew; the answer is how many tickets were counted. PostgreSQL lets several
    processes count at once."""
    with database.writing() as session:
        _unhurried(session)
        for table in (Tally, TallySpan):
            session.execute(delete(table))
        session.execute(delete(cell))
    if processes == 1 or database.is_sqlite:
        done = sum(_count_batch(database, zone, now, keys) for keys in _batches(database))
    else:
        url = database.engine.url.render_as_string(hide_password=False)
        with ProcessPoolExecutor(processes, get_context("spawn"), _open, (url, zone, now)) as pool:
            done = sum(pool.map(_count_here, _batches(database)))
    with database.writing() as session:
        sum_up(session)
    return done


_here: tuple[Database, ZoneInfo, datetime | None] | None = None


def _open(url: str, zone: ZoneInfo, now: datetime | None) -> None:
    global _here
    _here = (Database(url), zone, now)


def _count_here(keys: list[Key]) -> int:
    assert _here is not None
    return _count_batch(*_here, keys)


def _count_batch(database: Database, zone: ZoneInfo, now: datetime | None, keys: list[Key]) -> int:
    return database.write(lambda session: _count(session, database, keys, zone, now))


def _batches(database: Database) -> Iterator[list[Key]]:
    after: Key | None = None
    while True:
        query = select(col(Ticket.intake_district), col(Ticket.id))
        if after is not None:
            query = query.where(
                tuple_(col(Ticket.intake_district), col(Ticket.id)) > tuple_(*map(literal, after))
            )
        query = query.order_by(col(Ticket.intake_district), col(Ticket.id)).limit(AT_ONCE)
        with database.reading() as session:
            keys = [(district, ticket) for district, ticket in session.execute(query)]
        if not keys:
            return
        yield keys
        after = keys[-1]


def _count(
    session: Session, database: Database, keys: list[Key], zone: ZoneInfo, now: datetime | None
) -> int:
    rows, spans = keeping.rows_for(story.read(session, keys), now or database.now(session), zone)
    bulk.put(session, Tally, rows)
    bulk.put(session, TallySpan, spans)
    session.execute(
        update(Ticket)
        .where(story.among(Ticket.intake_district, Ticket.id, keys))
        .values(tally_due=False)
        .execution_options(synchronize_session=False)
    )
    return len(keys)


def sum_up(session: Session) -> None:
    """Every cell from the tally rows, by the database."""
    _unhurried(session)
    session.execute(delete(cell))
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    for cube, told in CUBES.items():
        for grain in GRAINS[cube]:
            on = col(Tally.on) if grain == "day" else _month(is_sqlite)
            codes = [col(getattr(Tally, name)) if name in told else literal(ANY) for name in DIMENSIONS]
            columns: list[Any] = [
                literal(cube).label("cube"),
                literal(grain).label("grain"),
                on.label("on"),
                *(code.label(name) for code, name in zip(codes, DIMENSIONS, strict=True)),
                *(func.sum(_bit(key)).label(key) for key in KEYS),
            ]
            groups = [on, *(col(getattr(Tally, name)) for name in DIMENSIONS if name in told)]
            session.execute(
                insert(cell).from_select(
                    [column.name for column in columns], select(*columns).group_by(*groups)
                )
            )


def _unhurried(session: Session) -> None:
    """The limits of a request do not hold for a rebuild."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL statement_timeout = 0"))


def _month(is_sqlite: bool) -> Any:
    """The first day of the month, as a date on both databases."""
    if is_sqlite:
        return func.date(col(Tally.on), "start of month", type_=Date)
    return cast(func.date_trunc("month", col(Tally.on)), Date)


def _bit(key: str) -> Any:
    return case((col(Tally.marks).op("&")(BIT[key]) != 0, 1), else_=0)
