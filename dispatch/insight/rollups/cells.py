"""The cells of the cubes: which ones a tally row or a stretch of time belongs to, and how they change by a difference."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import RowMapping, Table, case, func, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from dispatch.insight.metrics.measures import BIT, KEYS
from dispatch.insight.rollups import stretches
from dispatch.insight.rollups.cubes import CUBES, DAY, TIMES, Cube
from dispatch.insight.rollups.models import DIMENSIONS

AT_ONCE = 500
LONG = 8000  # characters: some thousand lengths, a month's different ones twice over
_BY_NAME = {cube.name: cube for cube in (*CUBES, *TIMES)}
_PLACES = {name: tuple(DIMENSIONS.index(code) for code in cube.told) for name, cube in _BY_NAME.items()}


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
    """One length in a cell of how long things took."""

    cell: Address
    clock: str
    stage: str
    minutes: int


class Lengths(NamedTuple):
    """All lengths of one thing in one cell."""

    cell: Address
    clock: str
    stage: str


def addresses(on: date, codes: tuple[str, ...], cubes: Iterable[Cube] = CUBES) -> list[Address]:
    """The cells that a day's row or stretch with these codes is counted in."""
    month = on.replace(day=1)
    return [
        Address(cube.name, grain, on if grain == DAY else month, tuple(codes[n] for n in _PLACES[cube.name]))
        for cube in cubes
        for grain in cube.grains
    ]


def difference(before: Iterable[Counted], after: Iterable[Counted]) -> dict[Address, dict[str, int]]:
    """By how much which cells change."""
    changed = Counter(after)
    changed.subtract(before)
    sums: dict[Address, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row, times in changed.items():
        if not times or not row.marks:
            continue
        keys = [key for key, bit in BIT.items() if row.marks & bit]
        for address in addresses(row.on, row.codes):
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
            for cell in addresses(row.on, row.codes, TIMES):
                sums[Stretch(cell, row.clock, row.stage, row.minutes)] += times
    return {stretch: number for stretch, number in sums.items() if number}


def apply(session: Session, changes: Mapping[Address, Mapping[str, int]]) -> None:
    """Add the differences to the cells, always in the same order, so that two writers do not wait in a ring."""
    for cube in CUBES:
        rows = [_row(one, changes[one]) for one in sorted(c for c in changes if c.cube == cube.name)]
        _add(session, cube.table, rows, KEYS)


def apply_spans(session: Session, changes: Mapping[Stretch, int]) -> None:
    """The same for how long things took: what changes is written behind what a cell holds, and one that has grown long
    is written short again."""
    held: dict[Lengths, Counter[int]] = defaultdict(Counter)
    for one, number in changes.items():
        held[Lengths(*one[:-1])][one.minutes] += number
    for cube in TIMES:
        of = sorted(one for one in held if one.cell.cube == cube.name)
        rows = [{**_lengths(one), "times": stretches.written(held[one])} for one in of]
        key = list(cube.table.primary_key.columns)
        times = cube.table.c.times
        long = case((func.length(times) > LONG, times), else_=None).label("long")
        for row in _add(session, cube.table, rows, ("times",), (*key, long)):
            if row["long"]:
                same = [column == row[column.name] for column in key]
                short = stretches.written(stretches.read(row["long"]))
                session.execute(update(cube.table).where(*same).values(times=short))


def _add(
    session: Session,
    table: Table,
    rows: Sequence[dict[str, Any]],
    keys: Sequence[str],
    returned: Sequence[Any] = (),
) -> list[RowMapping]:
    """Add to numbers, or write behind texts; what the rows then hold of the columns asked for."""
    make: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = make(table)
    statement = statement.on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_={key: table.c[key] + statement.excluded[key] for key in keys},
    )
    found: list[RowMapping] = []
    for start in range(0, len(rows), AT_ONCE):
        if returned:
            done = session.execute(statement.returning(*returned), rows[start : start + AT_ONCE])
            found += done.mappings()
        else:
            session.execute(statement, rows[start : start + AT_ONCE])
    return found


def _lengths(one: Lengths) -> dict[str, Any]:
    return {**_place(one.cell), "clock": one.clock, "stage": one.stage}


def _row(address: Address, counts: Mapping[str, int]) -> dict[str, Any]:
    return {**_place(address), **{key: counts.get(key, 0) for key in KEYS}}


def _place(address: Address) -> dict[str, Any]:
    told = _BY_NAME[address.cube].told
    return {"grain": address.grain, "on": address.on, **dict(zip(told, address.codes, strict=True))}
