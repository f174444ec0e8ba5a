"""Takes up the tickets that changed: their tally rows are written anew, the cells change by the difference.

All of it is one transaction per batch, with the tickets locked, so whatever is killed when, the cells are the sums of
the rows and the rows are what the histories say. Several may keep at once; on PostgreSQL each takes others.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select, update
from sqlmodel import Session, col

from dispatch.insight import bulk
from dispatch.insight.rollups import cells, durations, marking, story
from dispatch.insight.rollups.cells import Counted, Spanned
from dispatch.insight.rollups.models import TALLIED, Tally
from dispatch.insight.rollups.story import Story, Which
from dispatch.insight.rollups.stretches import folded
from dispatch.record.models import Ticket
from grid.database import Database

BATCH = 200
_ON = TALLIED.index("on")


def catch_up(database: Database, zone: ZoneInfo, now: datetime | None = None, *, batches: int = 20) -> int:
    """Take up what changed, up to a limit; the answer is how many tickets were."""
    done = 0
    for _ in range(batches):
        with database.reading() as session:
            if session.execute(due().limit(1)).first() is None:
                break
        taken = database.write(partial(_take_up, database, zone, now))
        done += taken
        if taken < BATCH:
            break
    return done


def waiting(session: Session) -> bool:
    """Whether some change is not in the sums yet."""
    return session.execute(due().limit(1)).first() is not None


def due() -> Any:
    """The tickets that changed and are not in the sums yet."""
    # Said as the index says it: with "IS TRUE" PostgreSQL looks at every ticket there is.
    return select(col(Ticket.intake_district), col(Ticket.id)).where(col(Ticket.tally_due))


def _take_up(database: Database, zone: ZoneInfo, now: datetime | None, session: Session) -> int:
    query = due().order_by(col(Ticket.id)).limit(BATCH).with_for_update(of=Ticket, skip_locked=True)
    keys = [(district, ticket) for district, ticket in session.execute(query)]
    if not keys:
        return 0
    at = now or database.now(session)
    which = story.these(keys)
    stories = story.read(session, which)
    before = stored(session, which)
    forget(session, which)
    rows = rows_for(stories, at, zone)
    put(session, rows)
    cells.apply(session, cells.difference(map(_counted, before), map(_counted, rows)))
    cells.apply_spans(session, cells.span_difference(_spanned(before), _spanned(rows)))
    session.execute(
        update(Ticket)
        .where(which(Ticket.intake_district, Ticket.id))
        .values(tally_due=False)
        .execution_options(synchronize_session=False)
    )
    return len(keys)


Row = tuple[Any, ...]


def rows_for(stories: Sequence[Story], at: datetime, zone: ZoneInfo) -> list[Row]:
    """The tally rows of these histories as of `at`, as `TALLIED` has them."""
    rows: list[Row] = []
    for one in stories:
        (district, ticket), place = one.key, one.place
        under = (one.source, one.category_code)
        took: dict[tuple[date, str], list[tuple[str, str, int]]] = defaultdict(list)
        for on, unit, clock, stage, minutes in durations.spans_of(one, at, zone):
            took[on, unit].append((clock, stage, minutes))
        counted = [
            (on, unit, marks, took.pop((on, unit), None))
            for on, unit, marks in marking.rows_of(one, at, zone)
        ]
        counted += [(on, unit, 0, stretches) for (on, unit), stretches in took.items()]
        rows += [
            (district, ticket, nr, on, *under, unit, *place, marks, folded(stretches) if stretches else None)
            for nr, (on, unit, marks, stretches) in enumerate(counted)
        ]
    return rows


def forget(session: Session, which: Which) -> None:
    """Take away what is counted of these tickets; the cells stay as they are."""
    session.execute(delete(Tally).where(which(Tally.intake_district, Tally.ticket_id)))


def put(session: Session, rows: Sequence[Row]) -> None:
    """Keep what is counted."""
    bulk.put(session, Tally, TALLIED, rows)


def stored(session: Session, which: Which) -> list[Row]:
    """The tally rows of these tickets as they stand."""
    columns = [getattr(Tally, name) for name in TALLIED]
    query = select(*columns).where(which(Tally.intake_district, Tally.ticket_id))
    return [tuple(row) for row in session.execute(query)]


def _counted(row: Row) -> Counted:
    return Counted(row[_ON], tuple(row[_ON + 1 : -2]), row[-2])


def _spanned(rows: Iterable[Row]) -> Iterator[Spanned]:
    for row in rows:
        for clock, stage, minutes in json.loads(row[-1]) if row[-1] else ():
            yield Spanned(row[_ON], tuple(row[_ON + 1 : -2]), clock, stage, minutes)
