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
from dispatch.insight.rollups.cells import HOUR, IN_DAYS, IN_HOURS, TWO_DAYS
from dispatch.insight.rollups.cubes import CUBES, DAY, MONTH, SPANNED, WHOLE, Cube, took
from dispatch.insight.rollups.models import Tally, TallySpan
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
        empty(session)
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
    """Every cell from the tally rows and spans, by the database."""
    _unhurried(session)
    empty(session)
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    for cube in CUBES:
        for grain in cube.grains:
            _sum_cube(session, cube, grain, is_sqlite)
    for dimension in (WHOLE, *SPANNED):
        for grain in (DAY, MONTH) if dimension == WHOLE else (MONTH,):
            _sum_spans(session, dimension, grain, is_sqlite)


def empty(session: Session) -> None:
    """No cell is left."""
    for table in (*(cube.table for cube in CUBES), took):
        session.execute(delete(table))


def _sum_cube(session: Session, cube: Cube, grain: str, is_sqlite: bool) -> None:
    """Alike rows are counted first, so that the bits are looked at once for all of them."""
    on = _on(Tally, grain, is_sqlite).label("on")
    codes: list[Any] = [col(getattr(Tally, name)).label(name) for name in cube.told]
    alike = (
        select(on, *codes, col(Tally.marks).label("marks"), func.count().label("times"))
        .group_by(on, *codes, col(Tally.marks))
        .subquery()
    )
    group = [alike.c.on, *(alike.c[name] for name in cube.told)]
    sums = (func.sum(case((alike.c.marks.op("&")(BIT[key]) != 0, alike.c.times), else_=0)) for key in KEYS)
    names = ["grain", "on", *cube.told, *KEYS]
    session.execute(
        insert(cube.table).from_select(names, select(literal(grain), *group, *sums).group_by(*group))
    )


def _sum_spans(session: Session, dimension: str, grain: str, is_sqlite: bool) -> None:
    on = _on(TallySpan, grain, is_sqlite).label("on")
    code = col(getattr(TallySpan, dimension)) if dimension else literal(WHOLE)
    minutes = col(TallySpan.minutes)
    width = case((minutes < HOUR, 1), (minutes < TWO_DAYS, IN_HOURS), else_=IN_DAYS)
    stepped = ((minutes + width // 2) // width * width).label("minutes")
    group = [on, col(TallySpan.clock), col(TallySpan.stage), stepped]
    names = ["dimension", "code", "grain", "on", "clock", "stage", "minutes", "number"]
    query = select(literal(dimension), code, literal(grain), *group, func.count())
    session.execute(insert(took).from_select(names, query.group_by(*([code] if dimension else []), *group)))


def _unhurried(session: Session) -> None:
    """The limits of a request do not hold for a rebuild."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL statement_timeout = 0"))


def _on(table: Any, grain: str, is_sqlite: bool) -> Any:
    """The day, or the first day of its month as a date on both databases."""
    if grain == DAY:
        return col(table.on)
    if is_sqlite:
        return func.date(col(table.on), "start of month", type_=Date)
    return cast(func.date_trunc("month", col(table.on)), Date)
