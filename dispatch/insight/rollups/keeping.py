"""Takes up the tickets that changed: their tally rows are written anew, the cells change by the difference.

All of it is one transaction per batch, with the tickets locked, so whatever is killed when, the cells are the sums of
the rows and the rows are what the histories say. Several may keep at once; on PostgreSQL each takes others.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select, update
from sqlmodel import Session, col

from dispatch.insight.rollups import bulk, cells, durations, marking, story
from dispatch.insight.rollups.cells import Counted, Spanned
from dispatch.insight.rollups.models import SPANNED, TALLIED, Tally, TallySpan
from dispatch.insight.rollups.story import Story, Which
from dispatch.record.models import Ticket
from grid.database import Database

BATCH = 200
_ON = TALLIED.index("on")


def catch_up(database: Database, zone: ZoneInfo, now: datetime | None = None, *, batches: int = 20) -> int:
    """Take up what changed, up to a limit; the answer is how many tickets were."""
    done = 0
    for _ in range(batches):
        with database.reading() as session:
            if session.execute(_due().limit(1)).first() is None:
                break
        taken = database.write(partial(_take_up, database, zone, now))
        done += taken
        if taken < BATCH:
            break
    return done


def waiting(session: Session) -> bool:
    """Whether some change is not in the sums yet."""
    return session.execute(_due().limit(1)).first() is not None


def _due() -> Any:
    return select(col(Ticket.intake_district), col(Ticket.id)).where(col(Ticket.tally_due).is_(True))


def _take_up(database: Database, zone: ZoneInfo, now: datetime | None, session: Session) -> int:
    query = _due().order_by(col(Ticket.id)).limit(BATCH).with_for_update(of=Ticket, skip_locked=True)
    keys = [(district, ticket) for district, ticket in session.execute(query)]
    if not keys:
        return 0
    at = now or database.now(session)
    which = story.these(keys)
    stories = story.read(session, which)
    before, spanned_before = counted(session, which), spanned(session, which)
    forget(session, which)
    rows, spans = rows_for(stories, at, zone)
    put(session, rows, spans)
    cells.apply(session, cells.difference(before, map(_counted, rows)))
    cells.apply_spans(session, cells.span_difference(spanned_before, map(_spanned, spans)))
    session.execute(
        update(Ticket)
        .where(which(Ticket.intake_district, Ticket.id))
        .values(tally_due=False)
        .execution_options(synchronize_session=False)
    )
    return len(keys)


Rows = list[tuple[Any, ...]]


def rows_for(stories: Sequence[Story], at: datetime, zone: ZoneInfo) -> tuple[Rows, Rows]:
    """The tally rows and spans of these histories as of `at`, as `TALLIED` and `SPANNED` have them."""
    rows: Rows = []
    spans: Rows = []
    for one in stories:
        (district, ticket), place = one.key, one.place
        under = (one.source, one.category_code)
        rows += [
            (district, ticket, nr, on, *under, unit, *place, marks)
            for nr, (on, unit, marks) in enumerate(marking.rows_of(one, at, zone))
        ]
        spans += [
            (district, ticket, nr, on, *under, unit, *place, clock, stage, minutes)
            for nr, (on, unit, clock, stage, minutes) in enumerate(durations.spans_of(one, at, zone))
        ]
    return rows, spans


def forget(session: Session, which: Which) -> None:
    """Take away what is counted of these tickets; the cells stay as they are."""
    for table in (Tally, TallySpan):
        session.execute(delete(table).where(which(table.intake_district, table.ticket_id)))


def put(session: Session, rows: Rows, spans: Rows) -> None:
    """Keep what is counted."""
    bulk.put(session, Tally, TALLIED, rows)
    bulk.put(session, TallySpan, SPANNED, spans)


def counted(session: Session, which: Which) -> list[Counted]:
    """The stored tally rows of these tickets, as the cells see them."""
    return [_counted(row) for row in _stored(session, Tally, TALLIED, which)]


def spanned(session: Session, which: Which) -> list[Spanned]:
    """The stored spans of these tickets, as the cells see them."""
    return [_spanned(row) for row in _stored(session, TallySpan, SPANNED, which)]


def _stored(session: Session, table: Any, names: Sequence[str], which: Which) -> Sequence[Any]:
    columns = [getattr(table, name) for name in names]
    return session.execute(select(*columns).where(which(table.intake_district, table.ticket_id))).all()


def _counted(row: Sequence[Any]) -> Counted:
    return Counted(row[_ON], tuple(row[_ON + 1 : -1]), row[-1])


def _spanned(row: Sequence[Any]) -> Spanned:
    return Spanned(row[_ON], tuple(row[_ON + 1 : -3]), *row[-3:])
