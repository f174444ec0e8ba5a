"""The same numbers the slow way: from every history, as of any past instant. What the sums are held against, and what
reports of a closed month are made from, so that the same month gives the same numbers for ever."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select
from sqlmodel import Session, col

from dispatch.insight.metrics.measures import KEYS, keys_of
from dispatch.insight.metrics.periods import Period
from dispatch.insight.rollups import cells, marking, story
from dispatch.insight.rollups.cells import Counted
from dispatch.insight.rollups.models import DIMENSIONS, cell
from dispatch.insight.rollups.story import Key, Story
from dispatch.record.models import Ticket

AT_ONCE = 1000


def stories(session: Session, at: datetime, *conditions: ColumnElement[bool]) -> Iterator[Story]:
    """Every history that had begun by then."""
    query = select(col(Ticket.intake_district), col(Ticket.id)).where(
        col(Ticket.reported_at) <= at, *conditions
    )
    keys: list[Key] = [
        (district, ticket) for district, ticket in session.execute(query.order_by(col(Ticket.id)))
    ]
    for start in range(0, len(keys), AT_ONCE):
        yield from story.read(session, keys[start : start + AT_ONCE])


def rows(
    session: Session, at: datetime, zone: ZoneInfo, *conditions: ColumnElement[bool]
) -> Iterator[tuple[Story, Counted]]:
    """Every tally row as of then, with the history that it is of."""
    for one in stories(session, at, *conditions):
        for row in marking.rows_of(one, at, zone):
            codes = (one.source, one.category_code, row.organisation_code, *one.place)
            yield one, Counted(row.on, codes, row.marks)


def count(
    session: Session,
    at: datetime,
    zone: ZoneInfo,
    period: Period,
    *conditions: ColumnElement[bool],
    only: Callable[[Counted], bool] = lambda row: True,
) -> Counter[str]:
    """The measures of a period, counted one by one."""
    found: Counter[str] = Counter()
    for _, row in rows(session, at, zone, *conditions):
        if period.from_on <= row.on <= period.to_on and only(row):
            found.update(keys_of(row.marks))
    return found


def mismatches(session: Session, at: datetime, zone: ZoneInfo) -> list[str]:
    """Every cell that is not what the histories say, in words."""
    expected = cells.difference((), [row for _, row in rows(session, at, zone)])
    found: list[str] = []
    seen: set[cells.Address] = set()
    for row in session.execute(select(cell)).mappings():
        address = (row["cube"], row["grain"], row["on"], _codes(row))
        seen.add(address)
        right = expected.get(address, {})
        found += [
            f"{address} {key}: {row[key]}, should be {right.get(key, 0)}"
            for key in KEYS
            if row[key] != right.get(key, 0)
        ]
    found += [f"{address}: missing" for address in expected if address not in seen]
    return found


def _codes(row: object) -> tuple[str, ...]:

    return tuple(row[name] for name in DIMENSIONS)  # type: ignore[index]
