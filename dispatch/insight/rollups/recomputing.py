"""The same numbers the slow way: from every history, as of any past instant. What the sums are held against, and what
reports of a closed month are made from, so that the same month gives the same numbers for ever."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select
from sqlmodel import Session, col

from dispatch.insight.metrics.measures import KEYS, keys_of
from dispatch.insight.metrics.periods import Period
from dispatch.insight.rollups import cells, durations, marking, story, stretches
from dispatch.insight.rollups.cells import Address, Counted, Spanned, Stretch
from dispatch.insight.rollups.cubes import CUBES, TIMES
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
        yield from story.read(session, story.these(keys[start : start + AT_ONCE]))


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
    every = list(rows(session, at, zone))
    found = _different(_kept(session), cells.difference((), (row for _, row in every)))
    spans = [
        Spanned(took.on, (one.source, one.category_code, took.organisation_code, *one.place), *took[2:])
        for one in stories(session, at)
        for took in durations.spans_of(one, at, zone)
    ]
    return found + _different(_lengths(session), cells.span_difference((), spans))


def _kept(session: Session) -> dict[Address, dict[str, int]]:
    found = {}
    for cube in CUBES:
        for row in session.execute(select(cube.table)).mappings():
            codes = tuple(row[name] for name in cube.told)
            counts = {key: row[key] for key in KEYS if row[key]}
            if counts:
                found[Address(cube.name, row["grain"], row["on"], codes)] = counts
    return found


def _lengths(session: Session) -> dict[Stretch, int]:
    found = {}
    for cube in TIMES:
        for row in session.execute(select(cube.table)).mappings():
            cell = Address(cube.name, row["grain"], row["on"], tuple(row[name] for name in cube.told))
            for minutes, number in stretches.read(row["times"]).items():
                if number:
                    found[Stretch(cell, row["clock"], row["stage"], minutes)] = number
    return found


def _different(kept: Mapping[Any, Any], right: Mapping[Any, Any]) -> list[str]:
    return [
        f"{place}: {kept.get(place)}, should be {right.get(place)}"
        for place in sorted(kept.keys() | right.keys())
        if kept.get(place) != right.get(place)
    ]
