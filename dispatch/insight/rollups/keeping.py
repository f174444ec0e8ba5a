"""Takes up the tickets that changed: their tally rows are written anew, the cells change by the difference.

All of it is one transaction per batch, with the tickets locked, so whatever is killed when, the cells are the sums of
the rows and the rows are what the histories say. Several may keep at once; on PostgreSQL each takes others.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import delete, insert, select, update
from sqlmodel import Session, col
from uuid6 import uuid7

from dispatch.insight.rollups import cells, durations, marking, story
from dispatch.insight.rollups.cells import Counted, Spanned
from dispatch.insight.rollups.models import DIMENSIONS, Tally, TallySpan
from dispatch.insight.rollups.story import Key, Story
from dispatch.record.models import Ticket
from grid.database import Database

BATCH = 200


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
    stories = story.read(session, keys)
    before, spanned_before = counted(session, keys), spanned(session, keys)
    session.execute(delete(Tally).where(_of(Tally, keys)))
    session.execute(delete(TallySpan).where(_of(TallySpan, keys)))
    rows, spans = rows_for(stories, at, zone)
    if rows:
        session.execute(insert(Tally), rows)
    if spans:
        session.execute(insert(TallySpan), spans)
    cells.apply(session, cells.difference(before, map(_counted, rows)))
    cells.apply_spans(session, cells.span_difference(spanned_before, map(_spanned, spans)))
    session.execute(
        update(Ticket)
        .where(story.among(Ticket.intake_district, Ticket.id, keys))
        .values(tally_due=False)
        .execution_options(synchronize_session=False)
    )
    return len(keys)


def rows_for(
    stories: Sequence[Story], at: datetime, zone: ZoneInfo
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The tally rows and spans of these histories as of `at`, as values to insert."""
    rows: list[dict[str, Any]] = []
    spans: list[dict[str, Any]] = []
    ids = map(
        _uuid, count(uuid7().int)
    )  # one draw and then upwards: a draw for each row takes longer than the row
    for one in stories:
        district, street, community, grid = one.place
        under = {
            "intake_district": one.key[0],
            "ticket_id": one.key[1],
            "source": one.source,
            "category_code": one.category_code,
            "district_code": district,
            "street_code": street,
            "community_code": community,
            "grid_code": grid,
        }
        rows += [{**under, "id": next(ids), **row._asdict()} for row in marking.rows_of(one, at, zone)]
        spans += [{**under, "id": next(ids), **took._asdict()} for took in durations.spans_of(one, at, zone)]
    return rows, spans


def _uuid(number: int) -> UUID:
    return UUID(int=number)


def counted(session: Session, keys: Sequence[Key]) -> list[Counted]:
    """The stored tally rows of these tickets, as the cells see them."""
    columns = [getattr(Tally, name) for name in ("on", *DIMENSIONS, "marks")]
    found = session.execute(select(*columns).where(_of(Tally, keys)))
    return [Counted(row[0], tuple(row[1:-1]), row[-1]) for row in found]


def spanned(session: Session, keys: Sequence[Key]) -> list[Spanned]:
    """The stored spans of these tickets, as the cells see them."""
    columns = [getattr(TallySpan, name) for name in ("on", *DIMENSIONS, "clock", "stage", "minutes")]
    found = session.execute(select(*columns).where(_of(TallySpan, keys)))
    return [Spanned(row[0], tuple(row[1:-3]), *row[-3:]) for row in found]


def _counted(row: dict[str, Any]) -> Counted:
    return Counted(row["on"], tuple(row[name] for name in DIMENSIONS), row["marks"])


def _spanned(row: dict[str, Any]) -> Spanned:
    codes = tuple(row[name] for name in DIMENSIONS)
    return Spanned(row["on"], codes, row["clock"], row["stage"], row["minutes"])


def _of(table: Any, keys: Sequence[Key]) -> Any:
    return story.among(table.intake_district, table.ticket_id, keys)
