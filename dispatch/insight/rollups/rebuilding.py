"""Everything anew from the histories: for an installation that had no sums yet, after a restored dump, or in doubt.

Tally rows are made in batches by ticket while no index is kept; the cells are then summed up by the database, each cube
from the smallest one that is summed up already and tells enough apart. Tickets that change meanwhile are marked and
taken up afterwards as ever. After a kill: once more from the beginning.
"""

import gc
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from multiprocessing import get_context
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Date, Table, case, cast, delete, func, insert, literal, select, text, update
from sqlmodel import Session, col

from dispatch.insight import bulk
from dispatch.insight.metrics.measures import BIT, KEYS
from dispatch.insight.metrics.periods import Period, months_of
from dispatch.insight.rollups import keeping, story, stretches
from dispatch.insight.rollups.cubes import CUBES, DAY, TIMES, Cube
from dispatch.insight.rollups.models import Tally
from dispatch.insight.rollups.story import Key
from dispatch.record.models import Ticket
from grid.database import Database

AT_ONCE = 4000
OBJECTS_BETWEEN_COLLECTIONS = 1_000_000  # rows are no rings: looking for some takes a third of the time
_TABLES: tuple[Table, ...] = (Tally.__table__, *(cube.table for cube in (*CUBES, *TIMES)))  # type: ignore[attr-defined]
_BY_DAY = next(index for index in Tally.__table__.indexes if index.name == "ix_tally_on")  # type: ignore[attr-defined]


def rebuild(database: Database, zone: ZoneInfo, now: datetime | None = None, *, processes: int = 1) -> int:
    """Empty the sums and make them anew; the answer is how many tickets were counted. PostgreSQL lets several
    processes count at once."""
    with database.writing() as session:
        _unhurried(session)
        _empty(session, _TABLES)
        _drop_indexes(session, _TABLES)
    if processes == 1 or database.is_sqlite:
        done = sum(_count_batch(database, zone, now, *ends) for ends in _batches(database))
    else:
        url = database.engine.url.render_as_string(hide_password=False)
        with ProcessPoolExecutor(processes, get_context("spawn"), _open, (url, zone, now)) as pool:
            done = sum(pool.map(_count_here, _batches(database)))
    sum_up(database, processes)
    with database.writing() as session:
        _unhurried(session)
        _make_indexes(session, _TABLES)
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
    keeping.put(session, keeping.rows_for(stories, now or database.now(session), zone))
    return len(stories)


@dataclass(frozen=True)
class Sum:
    """One grain of a cube, and the cube and grain that it is summed up from: the tally rows where there is none."""

    cube: Cube
    grain: str
    source: tuple[Cube, str] | None


def _lanes() -> list[list[Sum]]:
    """What must come one after the other: each sum is made from the smallest one before it that tells enough apart."""
    found: dict[str, list[Sum]] = {}
    lane_of: dict[tuple[str, str], list[Sum]] = {}
    done: list[tuple[Cube, str]] = []
    for cube in sorted(CUBES, key=lambda cube: len(cube.told), reverse=True):
        for grain in cube.grains:  # days before months
            finer = [one for one in done if set(cube.told) <= set(one[0].told) and one[1] in (grain, DAY)]
            source = min(finer, key=lambda one: (len(one[0].told), one[1] != grain), default=None)
            lane = lane_of[source[0].name, source[1]] if source else found.setdefault(cube.name, [])
            lane.append(Sum(cube, grain, source))
            lane_of[cube.name, grain] = lane
            done.append((cube, grain))
    return list(found.values())


def sum_up(database: Database, processes: int) -> None:
    """Every cell from the tally rows, by the database; nobody else counts meanwhile. Stretches are so many that they
    are summed up month by month, each found by its days."""
    with database.writing() as session:
        _unhurried(session)
        _BY_DAY.create(session.connection(), checkfirst=True)
    work: list[Callable[[Session], None]] = [partial(_sum_lane, lane) for lane in _lanes()]
    work += [partial(stretches.sum_up, month) for month in _months(database)]
    if database.is_sqlite:
        with database.writing() as session:
            for one in work:
                one(session)
        return
    with database.writing() as holder, ThreadPoolExecutor(processes) as pool:
        _unhurried(holder)
        holder.execute(text("ANALYZE tally"))
        holder.execute(text("LOCK TABLE tally IN SHARE MODE"))
        list(pool.map(partial(_in_a_session_of_its_own, database), work))


def _in_a_session_of_its_own(database: Database, work: Callable[[Session], None]) -> None:
    with database.writing() as session:
        _unhurried(session)
        work(session)


def _sum_lane(lane: Iterable[Sum], session: Session) -> None:
    for one in lane:
        session.execute(delete(one.cube.table).where(one.cube.table.c.grain == one.grain))
        _sum_cube(session, one)


def _sum_cube(session: Session, one: Sum) -> None:
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    cells: Any = one.source[0].table.c if one.source else Tally.__table__.c  # type: ignore[attr-defined]
    group = [_on(cells["on"], one.grain, is_sqlite).label("on"), *(cells[code] for code in one.cube.told)]
    if one.source:
        sums, which = [func.sum(cells[key]) for key in KEYS], cells["grain"] == one.source[1]
    else:
        has = cells["marks"].op("&")
        sums = [func.sum(case((has(BIT[key]) != 0, 1), else_=0)) for key in KEYS]
        which = cells["marks"] != 0
    query = select(literal(one.grain), *group, *sums).where(which)
    names = ["grain", "on", *one.cube.told, *KEYS]
    session.execute(insert(one.cube.table).from_select(names, query.group_by(*group).order_by(*group)))


def _months(database: Database) -> list[Period]:
    with database.reading() as session:
        first, last = session.execute(select(func.min(col(Tally.on)), func.max(col(Tally.on)))).one()
    return months_of(Period(first, last)) if first else []


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
        limits = ("statement_timeout = 0", "lock_timeout = 0", "idle_in_transaction_session_timeout = 0")
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
