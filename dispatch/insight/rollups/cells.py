"""The cells of the cubes: which ones a tally row or a stretch of time belongs to, and how they change by a difference."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from dispatch.insight.metrics.measures import BIT, KEYS
from dispatch.insight.rollups.cubes import CUBES, DAY, MONTH, TIMED, TIMED_BY_DAY, WHOLE, took
from dispatch.insight.rollups.models import DIMENSIONS

AT_ONCE = 500
_BY_NAME = {cube.name: cube for cube in CUBES}
_PLACES = {cube.name: tuple(DIMENSIONS.index(code) for code in cube.told) for cube in CUBES}
_TIMED = tuple((name, DIMENSIONS.index(name)) for name in TIMED)


class Counted(NamedTuple):
    """A tally row without its ticket: the day, the codes in the order of `DIMENSIONS`, the bits."""

    on: date
    codes: tuple[str, ...]
    marks: int


class Spanned(NamedTuple):
    """A stretch of time without its ticket."""

    on: date
    codes: tuple[str, ...]
    clock: str
    stage: str
    minutes: int


class Address(NamedTuple):
    """One cell of a cube."""

    cube: str
    grain: str
    on: date
    codes: tuple[str, ...]


class Stretch(NamedTuple):
    """One cell of how long things took, in the order of the table's key."""

    dimension: str
    code: str
    grain: str
    on: date
    clock: str
    stage: str
    minutes: int


def addresses(row: Counted) -> list[Address]:
    """The cells that a row is counted in."""
    month, codes = row.on.replace(day=1), row.codes
    return [
        Address(
            cube.name, grain, row.on if grain == DAY else month, tuple(codes[n] for n in _PLACES[cube.name])
        )
        for cube in CUBES
        for grain in cube.grains
    ]


def stretches(row: Spanned) -> list[Stretch]:
    """The cells that a stretch is counted in."""
    month, of = row.on.replace(day=1), (row.clock, row.stage, row.minutes)
    held = [(WHOLE, WHOLE), *((name, row.codes[n]) for name, n in _TIMED)]
    days = [Stretch(name, code, DAY, row.on, *of) for name, code in held if name in TIMED_BY_DAY]
    return days + [Stretch(name, code, MONTH, month, *of) for name, code in held]


def difference(before: Iterable[Counted], after: Iterable[Counted]) -> dict[Address, dict[str, int]]:
    """By how much which cells change."""
    changed = Counter(after)
    changed.subtract(before)
    sums: dict[Address, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row, times in changed.items():
        if not times or not row.marks:
            continue
        keys = [key for key, bit in BIT.items() if row.marks & bit]
        for address in addresses(row):
            counts = sums[address]
            for key in keys:
                counts[key] += times
    return {
        address: moved
        for address, counts in sums.items()
        if (moved := {key: number for key, number in counts.items() if number})
    }


def span_difference(before: Iterable[Spanned], after: Iterable[Spanned]) -> dict[Stretch, int]:
    """By how much which cells of durations change."""
    changed = Counter(after)
    changed.subtract(before)
    sums: Counter[Stretch] = Counter()
    for row, times in changed.items():
        if times:
            for stretch in stretches(row):
                sums[stretch] += times
    return {stretch: number for stretch, number in sums.items() if number}


def apply(session: Session, changes: Mapping[Address, Mapping[str, int]]) -> None:
    """Add the differences to the cells, always in the same order, so that two writers do not wait in a ring."""
    for cube in CUBES:
        rows = [_row(one, changes[one]) for one in sorted(c for c in changes if c.cube == cube.name)]
        _add(session, cube.table, rows, KEYS)


def apply_spans(session: Session, changes: Mapping[Stretch, int]) -> None:
    """The same for the cells of durations."""
    _add(session, took, [{**one._asdict(), "number": changes[one]} for one in sorted(changes)], ("number",))


def _add(session: Session, table: Table, rows: Sequence[dict[str, Any]], keys: Sequence[str]) -> None:
    make: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = make(table)
    statement = statement.on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_={key: table.c[key] + statement.excluded[key] for key in keys},
    )
    for start in range(0, len(rows), AT_ONCE):
        session.execute(statement, rows[start : start + AT_ONCE])


def _row(address: Address, counts: Mapping[str, int]) -> dict[str, Any]:
    told = _BY_NAME[address.cube].told
    return {
        "grain": address.grain,
        "on": address.on,
        **dict(zip(told, address.codes, strict=True)),
        **{key: counts.get(key, 0) for key in KEYS},
    }
