"""Everything anew from the histories: for an installation that had no sums yet, after a restored dump, or in doubt.

Tally rows are made in batches by ticket while no index is kept; the cells are then summed up by the database, each cube
from the smallest one that is summed up already and tells enough apart. Tickets that change meanwhile are marked and
taken up afterwards as ever. After a kill: once more from the beginning.
"""

import gc
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from multiprocessing import get_context
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Date, Table, case, cast, delete, func, insert, literal, select, text, update
from sqlmodel import Session, col

from dispatch.insight.metrics.measures import BIT, KEYS
from dispatch.insight.rollups import bulk, keeping, story
from dispatch.insight.rollups.cells import HOUR, IN_DAYS, IN_HOURS, TWO_DAYS
from dispatch.insight.rollups.cubes import CUBES, DAY, MONTH, TIMED, WHOLE, Cube, took
from dispatch.insight.rollups.models import Tally, TallySpan
from dispatch.insight.rollups.story import Key
from dispatch.record.models import Ticket
from grid.database import Database

AT_ONCE = 4000
OBJECTS_BETWEEN_COLLECTIONS = 1_000_000  # rows are no rings: looking for some takes a third of the time
_ROWS: tuple[Table, ...] = (Tally.__table__, TallySpan.__table__)  # type: ignore[attr-defined]
_CELLS: tuple[Table, ...] = (*(cube.table for cube in CUBES), took)


def rebuild(database: Database, zone: ZoneInfo, now: datetime | None = None, *, processes: int = 1) -> int:
    """Empty the sums and make them anew; the answer is how many tickets were counted. PostgreSQL lets several
    processes count at once."""
    with database.writing() as session:
        _unhurried(session)
        _empty(session, (*_ROWS, *_CELLS))
        _drop_indexes(session, (*_ROWS, *_CELLS))
    if processes == 1 or database.is_sqlite:
        done = sum(_count_batch(database, zone, now, *ends) for ends in _batches(database))
    else:
        url = database.engine.url.render_as_string(hide_password=False)
        with ProcessPoolExecutor(processes, get_context("spawn"), _open, (url, zone, now)) as pool:
            done = sum(pool.map(_count_here, _batches(database)))
    with database.writing() as session:
        sum_up(session)
    with database.writing() as session:
        _unhurried(session)
        _make_indexes(session, (*_ROWS, *_CELLS))
    return done


_here: tuple[Database, ZoneInfo, datetime | None] | None = None


def _open(url: str, zone: ZoneInfo, now: datetime | None) -> None:
    global _here
    _here = (Database(url), zone, now)
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)


def _count_here(ends: tuple[Key, Key]) -> int:
    assert _here is not None
    return _count_batch(*_here, *ends)


def _count_batch(database: Database, zone: ZoneInfo, now: datetime | None, first: Key, last: Key) -> int:
    return database.write(lambda session: _count(session, database, first, last, zone, now))


def _batches(database: Database) -> Iterator[tuple[Key, Key]]:
    """The first and the last ticket of each batch; every batch is of one district."""
    district = ""
    while True:
        with database.reading() as session:
            following = select(func.min(col(Ticket.intake_district)))
            found = session.execute(following.where(col(Ticket.intake_district) > district)).scalar()
        if found is None:
            return
        district, last = found, UUID(int=0)
        while ids := _ids(database, district, last):
            yield (district, ids[0]), (district, ids[-1])
            last = ids[-1]


def _ids(database: Database, district: str, after: UUID) -> list[UUID]:
    query = select(col(Ticket.id)).where(col(Ticket.intake_district) == district, col(Ticket.id) > after)
    with database.reading() as session:
        return [row[0] for row in bulk.rows(session, query.order_by(col(Ticket.id)).limit(AT_ONCE))]


def _count(
    session: Session, database: Database, first: Key, last: Key, zone: ZoneInfo, now: datetime | None
) -> int:
    """One batch. The marks go first: whoever changes a ticket from then on marks it anew."""
    _unhurried(session)
    which = story.between(first, last)
    session.execute(
        update(Ticket)
        .where(which(Ticket.intake_district, Ticket.id), col(Ticket.tally_due).is_(True))
        .values(tally_due=False)
        .execution_options(synchronize_session=False)
    )
    stories = story.read(session, which)
    keeping.forget(session, which)
    keeping.put(session, *keeping.rows_for(stories, now or database.now(session), zone))
    return len(stories)


def sum_up(session: Session) -> None:
    """Every cell from the tally rows and spans, by the database; nobody else counts meanwhile."""
    _unhurried(session)
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    if not is_sqlite:
        session.execute(text("LOCK TABLE tally, tally_span IN SHARE MODE"))
    for table in _CELLS:
        session.execute(delete(table))
    summed: list[Cube] = []
    for cube in sorted(CUBES, key=lambda cube: len(cube.told), reverse=True):
        for grain in cube.grains:  # days before months
            _sum_cube(session, cube, grain, summed, is_sqlite)
        summed.append(cube)
    for dimension in (WHOLE, *TIMED):
        for grain in (DAY, MONTH) if dimension == WHOLE else (MONTH,):
            _sum_spans(session, dimension, grain, is_sqlite)


def _sum_cube(session: Session, cube: Cube, grain: str, summed: list[Cube], is_sqlite: bool) -> None:
    finer = [one for one in summed if DAY in one.grains and set(cube.told) <= set(one.told)]
    if grain == MONTH and DAY in cube.grains:
        finer.append(cube)
    source: Any = finer[-1].table.c if finer else {c.name: c for c in Tally.__table__.columns}  # type: ignore[attr-defined]
    on = _on(source["on"], grain, is_sqlite).label("on")
    group = [on, *(source[code] for code in cube.told)]
    if finer:
        sums = [func.sum(source[key]) for key in KEYS]
    else:
        sums = [func.sum(case((source["marks"].op("&")(BIT[key]) != 0, 1), else_=0)) for key in KEYS]
    query = select(literal(grain), *group, *sums)
    if finer:
        query = query.where(source["grain"] == DAY)
    names = ["grain", "on", *cube.told, *KEYS]
    session.execute(insert(cube.table).from_select(names, query.group_by(*group).order_by(*group)))


def _sum_spans(session: Session, dimension: str, grain: str, is_sqlite: bool) -> None:
    on = _on(col(TallySpan.on), grain, is_sqlite).label("on")
    code = col(getattr(TallySpan, dimension)) if dimension else literal(WHOLE)
    minutes = col(TallySpan.minutes)
    width = case((minutes < HOUR, 1), (minutes < TWO_DAYS, IN_HOURS), else_=IN_DAYS)
    stepped = ((minutes + width // 2) // width * width).label("minutes")
    group = [on, col(TallySpan.clock), col(TallySpan.stage), stepped]
    names = ["dimension", "code", "grain", "on", "clock", "stage", "minutes", "number"]
    query = select(literal(dimension), code, literal(grain), *group, func.count())
    session.execute(insert(took).from_select(names, query.group_by(*([code] if dimension else []), *group)))


def _empty(session: Session, tables: Iterable[Table]) -> None:
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"TRUNCATE {', '.join(table.name for table in tables)}"))
        return
    for table in tables:
        session.execute(delete(table))


def _drop_indexes(session: Session, tables: Iterable[Table]) -> None:
    for table in tables:
        for index in table.indexes:
            index.drop(session.connection(), checkfirst=True)


def _make_indexes(session: Session, tables: Iterable[Table]) -> None:
    for table in tables:
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            index.create(session.connection(), checkfirst=True)


def _unhurried(session: Session) -> None:
    """The limits of a request do not hold for a rebuild."""
    if session.get_bind().dialect.name == "postgresql":
        limits = ("statement_timeout = 0", "lock_timeout = 0")
        memory = ("work_mem = '256MB'", "maintenance_work_mem = '512MB'")
        for setting in (*limits, *memory):
            session.execute(text(f"SET LOCAL {setting}"))


def _on(on: Any, grain: str, is_sqlite: bool) -> Any:
    """The day, or the first day of its month as a date on both databases."""
    if grain == DAY:
        return on
    if is_sqlite:
        return func.date(on, "start of month", type_=Date)
    return cast(func.date_trunc("month", on), Date)
