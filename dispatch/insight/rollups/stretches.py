"""How long things took: folded into tally rows, unfolded by the database, and summed up in cells.

A cell's text is pairs of length and number, `minutes,number,` one behind the other; the same length may come again, and
a number below nought takes away.
"""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import (
    JSON,
    Column,
    Date,
    Integer,
    Join,
    MetaData,
    String,
    Table,
    Text,
    column,
    delete,
    func,
    insert,
    literal,
    select,
    text,
    true,
    type_coerce,
)
from sqlalchemy import cast as in_sql
from sqlmodel import Session, col

from dispatch.insight.metrics.periods import Period
from dispatch.insight.rollups.cubes import DAY, TIMES, Cube
from dispatch.insight.rollups.models import DIMENSIONS, Tally

# Every stretch of a month, and what each kind of text says; for one session, while it sums up.
_ALL = Table(
    "stretch",
    MetaData(),
    Column("on", Date),
    *(Column(code, String) for code in DIMENSIONS),
    Column("stretch", Text),
    prefixes=["TEMPORARY"],
)
_KIND = Table(
    "stretch_kind",
    MetaData(),
    Column("stretch", Text, primary_key=True),
    Column("clock", String),
    Column("stage", String),
    Column("minutes", Integer),
    prefixes=["TEMPORARY"],
)


folded = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
"""Stretches as a tally row holds them."""


class Unfolded(NamedTuple):
    """Tally rows joined with every stretch that ended in them; a stretch is still text, so that alike ones can be
    counted before one of them is taken apart."""

    joined: Join
    stretch: Any


def unfolded(session: Session) -> Unfolded:
    """What to select from, and the column of stretches."""
    folded = col(Tally.took)
    if _is_sqlite(session):
        each: Any = func.json_each(folded)
    else:
        each = func.json_array_elements_text(in_sql(folded, JSON))
    stretches = each.table_valued(column("value", Text), name="stretch")
    return Unfolded(Tally.__table__.join(stretches, true()), stretches.c.value)  # type: ignore[attr-defined]


def is_of(stretch: Any, clock: str, stage: str, minutes: int | None = None) -> Any:
    """Whether an unfolded stretch is of this clock and stage (and just so long)."""
    if minutes is not None:
        return stretch == folded([clock, stage, minutes])
    return stretch.startswith(folded([clock, stage])[:-1] + ",", autoescape=True)


def written(times: Mapping[int, int]) -> str:
    """Lengths with how often they came, as a cell holds them."""
    return "".join(f"{minutes},{number}," for minutes, number in sorted(times.items()) if number)


def read(*texts: str) -> Counter[int]:
    """What the texts of cells say together."""
    numbers = "".join(texts)
    if not numbers:
        return Counter()
    pairs = np.fromstring(numbers, dtype=np.int64, sep=",").reshape(-1, 2)
    minutes, place = np.unique(pairs[:, 0], return_inverse=True)
    sums = np.zeros_like(minutes)
    np.add.at(sums, place, pairs[:, 1])
    return Counter(dict(zip(minutes.tolist(), sums.tolist(), strict=True)))


def sum_up(month: Period, session: Session) -> None:
    """The cells of one month from its tally rows."""
    _ALL.create(session.connection())
    _KIND.create(session.connection())
    rows = unfolded(session)
    columns = [col(getattr(Tally, name)) for name in ("on", *DIMENSIONS)]
    every = select(*columns, rows.stretch).select_from(rows.joined)
    every = every.where(col(Tally.on).between(month.from_on, month.to_on))
    session.execute(insert(_ALL).from_select([column.name for column in _ALL.c], every))
    kinds = select(_ALL.c.stretch).distinct().subquery().c.stretch
    session.execute(
        insert(_KIND).from_select(
            [column.name for column in _KIND.c], select(kinds, *_taken_apart(session, kinds))
        )
    )
    if not _is_sqlite(session):
        session.execute(text("ANALYZE stretch, stretch_kind"))
    for cube in TIMES:
        for grain in cube.grains:
            _sum_cube(session, cube, grain, month)
    _KIND.drop(session.connection())
    _ALL.drop(session.connection())


def _sum_cube(session: Session, cube: Cube, grain: str, month: Period) -> None:
    cells = cube.table.c
    within = cells.on.between(month.from_on, month.to_on)
    session.execute(delete(cube.table).where(cells.grain == grain, within))
    on: Any = _ALL.c.on if grain == DAY else literal(month.from_on, Date)
    codes = [_ALL.c[code] for code in cube.told]
    grouped = [*([_ALL.c.on] if grain == DAY else []), *codes, _ALL.c.stretch]
    counted = select(on.label("on"), *codes, _ALL.c.stretch, func.count().label("number")).group_by(*grouped)
    alike = counted.subquery()
    each = alike.c
    pair = in_sql(_KIND.c.minutes, String) + "," + in_sql(each.number, String) + ","
    key = [each.on, *(each[code] for code in cube.told), _KIND.c.clock, _KIND.c.stage]
    found = select(literal(grain), *key, func.aggregate_strings(pair, ""))
    found = found.select_from(alike.join(_KIND, _KIND.c.stretch == each.stretch))
    names = ["grain", "on", *cube.told, "clock", "stage", "times"]
    session.execute(insert(cube.table).from_select(names, found.group_by(*key).order_by(*key)))


def _taken_apart(session: Session, stretch: Any) -> tuple[Any, Any, Any]:
    """Clock, stage and minutes of a stretch."""
    parts: Any = type_coerce(stretch, JSON) if _is_sqlite(session) else in_sql(stretch, JSON)
    return parts[0].as_string(), parts[1].as_string(), parts[2].as_integer()


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"
