"""The cells: which ones a tally row belongs to, and how they change by a difference."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from dispatch.insight.metrics.measures import BIT, KEYS
from dispatch.insight.rollups.models import ANY, CUBES, DIMENSIONS, GRAINS, cell

AT_ONCE = 500


class Counted(NamedTuple):
    """A tally row without its ticket: the day, the codes in the order of `DIMENSIONS`, the bits."""

    on: date
    codes: tuple[str, ...]
    marks: int


Address = tuple[str, str, date, tuple[str, ...]]
_TOLD = {cube: tuple(name in told for name in DIMENSIONS) for cube, told in CUBES.items()}


def addresses(on: date, codes: tuple[str, ...]) -> list[Address]:
    """The cells that a row with this day and these codes is counted in."""
    found: list[Address] = []
    for cube, told in _TOLD.items():
        its = tuple(code if tells else ANY for code, tells in zip(codes, told, strict=True))
        found += [(cube, grain, on if grain == "day" else on.replace(day=1), its) for grain in GRAINS[cube]]
    return found


def difference(before: Iterable[Counted], after: Iterable[Counted]) -> dict[Address, dict[str, int]]:
    """By how much which cells change."""
    sums: dict[Address, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for rows, sign in ((before, -1), (after, 1)):
        for row in rows:
            keys = [key for key, bit in BIT.items() if row.marks & bit]
            for address in addresses(row.on, row.codes):
                counts = sums[address]
                for key in keys:
                    counts[key] += sign
    return {
        address: changed
        for address, counts in sums.items()
        if (changed := {key: number for key, number in counts.items() if number})
    }


def apply(session: Session, changes: Mapping[Address, Mapping[str, int]]) -> None:
    """Add the differences to the cells, always in the same order, so that two writers do not wait in a ring."""
    dialect = session.get_bind().dialect.name
    make: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert
    rows = [_row(address, changes[address]) for address in sorted(changes)]
    for start in range(0, len(rows), AT_ONCE):
        statement = make(cell)
        statement = statement.on_conflict_do_update(
            index_elements=list(cell.primary_key.columns),
            set_={key: cell.c[key] + statement.excluded[key] for key in KEYS},
        )
        session.execute(statement, rows[start : start + AT_ONCE])


def _row(address: Address, counts: Mapping[str, int]) -> dict[str, Any]:
    cube, grain, on, codes = address
    return {
        "cube": cube,
        "grain": grain,
        "on": on,
        **dict(zip(DIMENSIONS, codes, strict=True)),
        **{key: counts.get(key, 0) for key in KEYS},
    }
