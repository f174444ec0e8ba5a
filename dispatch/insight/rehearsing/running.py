"""A rehearsal as a job: asked for as a row, carried out by whoever takes its lease, its progress in the row."""

import csv
import gzip
import io
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import String, Text, case, or_, type_coerce
from sqlalchemy import select as columns
from sqlmodel import Session, col, func, select
from uuid6 import uuid7

from dispatch.insight.leasing import LEASE, renewed
from dispatch.insight.rehearsing.replaying import Comparison, Past, plain, replay, unit_name
from dispatch.insight.tables import Rehearsal, RehearsalState
from dispatch.record.judging.books import stored_book
from dispatch.record.models import Ticket
from dispatch.record.world import Standing, World
from dispatch.rules.routing import ASSET_RULE
from dispatch.rules.workflow import TICKET
from geo.borders import LEVELS
from geo.locating import Locator
from grid.areas.generations import index_here
from grid.database import Database
from grid.errors import InputError, NotFound
from grid.models import Generation, GenerationState, Ruleset
from grid.permissions import Actor

SAVE_EVERY_S = 2.0
BATCH = 5000
USUAL = timedelta(days=90)  # the period that a page proposes
COLUMNS = ("工单", "类别", "网格", "经度", "纬度", "现在派给", "规则", "演练派给", "规则")
# Without the place: a lead, and a ticket merged into another, are not routed.
FIELDS = (
    Ticket.code,
    Ticket.category_code,
    type_coerce(col(Ticket.source), String),
    Ticket.reported_at,
    Ticket.grid_code,
    Ticket.community_code,
    Ticket.street_code,
    Ticket.district_code,
    Ticket.overlay_codes,
    case((type_coerce(col(Ticket.routed), Text).like(f'%"rule":"{ASSET_RULE}"%'), col(Ticket.routed))),
    Ticket.lon,
    Ticket.lat,
)


def ask(
    session: Session,
    version: int,
    from_on: date,
    to_on: date,
    actor: Actor | None,
    now: datetime,
    generation_id: int | None = None,
) -> Rehearsal:
    """Ask for a rehearsal of a set of rules, of borders, or of both, over a period of past tickets.

    Raises
    ------
    InputError, NotFound
        The period ends before it begins; there is no such set or generation.
    """
    if to_on < from_on:
        raise InputError("结束日期早于开始日期", {"to_on": "早于开始日期"})
    if session.get(Ruleset, version) is None:
        raise NotFound(f"没有第 {version} 版规则")
    if generation_id is not None:
        generation = session.get(Generation, generation_id)
        if generation is None or generation.index_file is None:
            raise NotFound(f"没有编号为 {generation_id} 的边界版本,或它还没有索引")
    made = Rehearsal(
        id=uuid7(),
        ruleset_version=version,
        generation_id=generation_id,
        from_on=from_on,
        to_on=to_on,
        asked_by=actor.account_id if actor else None,
        asked_at=now,
    )
    session.add(made)
    return made


def run_waiting(database: Database, world: World, clock: Callable[[], datetime]) -> int:
    """Carry out every rehearsal that waits or whose worker died; the answer is how many."""
    done = 0
    while _any_waits(database, clock()):
        key = database.write(lambda session: _claim(session, clock()))
        if key is None:
            break
        run(database, world, key, clock)
        done += 1
    return done


def _any_waits(database: Database, now: datetime) -> bool:
    """A look without a lock."""
    with database.reading() as session:
        return session.exec(select(Rehearsal.id).where(*_free(now)).limit(1)).first() is not None


def _free(now: datetime) -> tuple[Any, ...]:
    unleased = or_(col(Rehearsal.leased_until).is_(None), col(Rehearsal.leased_until) < now)
    return col(Rehearsal.state).in_((RehearsalState.WAITING, RehearsalState.RUNNING)), unleased


def _claim(session: Session, now: datetime) -> UUID | None:
    query = select(Rehearsal).where(*_free(now)).order_by(col(Rehearsal.asked_at)).limit(1)
    found = session.exec(query.with_for_update(skip_locked=True)).first()
    if found is None:
        return None
    found.state, found.leased_until = RehearsalState.RUNNING, now + LEASE
    session.add(found)
    return found.id


def run(database: Database, world: World, key: UUID, clock: Callable[[], datetime]) -> None:
    """Replay; what goes wrong is written into the row for the person who asked."""

    def renew() -> None:
        database.write(lambda s: _change(s, key, leased_until=clock() + LEASE))

    try:
        with renewed(renew):
            _run(database, world, key, clock)
    except Exception as error:
        sentence = f"演练没有完成({type(error).__name__}),请重试;仍不行时请管理员看日志"
        database.write(
            lambda s: _change(s, key, state=RehearsalState.FAILED, error=sentence, finished_at=clock())
        )
        raise


def _run(database: Database, world: World, key: UUID, clock: Callable[[], datetime]) -> None:
    with database.reading() as session:
        standing = world.refresh(session)
        asked = session.get_one(Rehearsal, key)
        conditions = _conditions(asked, standing)
        total = int(session.exec(select(func.count()).select_from(Ticket).where(*conditions)).one())
        before = standing.book
        after = before
        if asked.ruleset_version != standing.ruleset_version:
            after = stored_book(session, asked.ruleset_version)
        locator = _locator(session, asked, world.settings.instance_path)
    database.write(lambda s: _change(s, key, total=total, done=0))
    comparison, rows, saved_s = Comparison(), [COLUMNS], time.monotonic()
    with database.reading() as session:
        for batch in _batches(session, conditions):
            moved_to = _placed(locator, batch) if locator else {}
            placed = (lambda past, to=moved_to: to[past.code]) if locator else None
            for one in replay(batch, before, after, standing, placed=placed, comparison=comparison):
                past = one.past
                rows.append(
                    (
                        past.code,
                        standing.categories[past.category_code].name,
                        past.areas[0] if past.areas else "",
                        str(past.lon),
                        str(past.lat),
                        unit_name(standing, one.before.main),
                        one.before.rule,
                        unit_name(standing, one.after.main),
                        one.after.rule,
                    )
                )
            if time.monotonic() - saved_s > SAVE_EVERY_S:
                saved_s = time.monotonic()
                database.write(lambda s, n=comparison.total: _change(s, key, done=n))  # type: ignore[misc]
    result = {**plain(comparison, standing), "in_force": standing.ruleset_version}
    moved_csv = _packed(rows)
    database.write(
        lambda s: _change(
            s,
            key,
            state=RehearsalState.DONE,
            done=comparison.total,
            result=result,
            moved_csv=moved_csv,
            finished_at=clock(),
            leased_until=None,
        )
    )
    database.write(lambda s: _mark_generation(s, asked.generation_id))


def unpacked(rehearsal: Rehearsal) -> str:
    """The list of moved tickets as CSV text."""
    return gzip.decompress(rehearsal.moved_csv or gzip.compress(b"")).decode()


def latest_of(session: Session, version: int, generation_id: int | None = None) -> Rehearsal | None:
    """The newest finished rehearsal of a set of rules, or of a generation of borders."""
    query = select(Rehearsal).where(Rehearsal.state == RehearsalState.DONE)
    if generation_id is not None:
        query = query.where(Rehearsal.generation_id == generation_id)
    else:
        query = query.where(Rehearsal.ruleset_version == version, col(Rehearsal.generation_id).is_(None))
    return session.exec(query.order_by(col(Rehearsal.finished_at).desc()).limit(1)).first()


def _conditions(asked: Rehearsal, standing: Standing) -> list[Any]:
    zone = ZoneInfo(standing.zone)
    begins = datetime.combine(asked.from_on, datetime.min.time(), zone)
    ends = datetime.combine(asked.to_on + timedelta(days=1), datetime.min.time(), zone)
    return [
        col(Ticket.reported_at) >= begins,
        col(Ticket.reported_at) < ends,
        col(Ticket.workflow) == TICKET,
    ]


def _batches(session: Session, conditions: list[Any]) -> Iterator[list[Past]]:
    """The tickets of the period in lots, each read as plain columns."""
    query = columns(*FIELDS).where(*conditions)  # type: ignore[call-overload]
    # Straight from the connection: nothing of these rows is ever written, and the session's bookkeeping costs a third.
    found = session.connection().execution_options(yield_per=BATCH).execute(query)
    for rows in found.partitions(BATCH):
        yield [_past(row) for row in rows]


def _past(row: Any) -> Past:
    code, category, source, at, grid, community, street, district, overlays, routed, lon, lat = row
    return Past(
        code,
        category,
        source,
        at,
        _areas(grid, community, street, district),
        tuple(overlays.split(",")) if overlays else (),
        routed.get("main") if routed else None,
        lon,
        lat,
    )


@lru_cache(maxsize=100_000)
def _areas(*codes: str | None) -> tuple[str, ...]:
    return tuple(code for code in codes if code)


def _locator(session: Session, asked: Rehearsal, folder: Path) -> Locator | None:
    if asked.generation_id is None:
        return None
    path = index_here(session, session.get_one(Generation, asked.generation_id), folder)
    return Locator.open(path) if path else None


def _placed(locator: Locator, batch: list[Past]) -> dict[str, Past]:
    """The tickets as they lie in the draft's borders, all at once."""
    many = locator.locate_many(
        lon=np.array([past.lon for past in batch]), lat=np.array([past.lat for past in batch]), frame="wgs84"
    )
    levels = [many.codes(level) for level in reversed(LEVELS) if level != "city" and level != "unit"]
    overlays = many.overlays()
    return {
        past.code: past._replace(areas=tuple(codes[n] for codes in levels if codes[n]), overlays=overlays[n])
        for n, past in enumerate(batch)
    }


def _packed(rows: list[Any]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return gzip.compress(("\ufeff" + text.getvalue()).encode())


def _change(session: Session, key: UUID, **values: Any) -> None:
    row = session.get_one(Rehearsal, key)
    for name, value in values.items():
        setattr(row, name, value)
    session.add(row)


def _mark_generation(session: Session, generation_id: int | None) -> None:
    generation = session.get(Generation, generation_id) if generation_id is not None else None
    if generation is not None and generation.state is GenerationState.DRAFT:
        generation.state = GenerationState.REHEARSED
        session.add(generation)
