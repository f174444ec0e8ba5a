"""Sums of measures over a slice, from the cells where they suffice and from tally rows where they do not."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Select, case, func, literal, select
from sqlmodel import Session, col

from dispatch.insight.metrics.intervals import Value
from dispatch.insight.metrics.measures import BIT
from dispatch.insight.metrics.periods import months_within
from dispatch.insight.metrics.registry import Metric
from dispatch.insight.metrics.slices import DIMENSIONS, TIMES, Slice
from dispatch.insight.rollups.models import CUBES, GRAINS, Tally, cell

ALL = ""


def needed(metrics: Iterable[Metric]) -> tuple[str, ...]:
    """The measures that these metrics are made of, with what is shown beside them."""
    keys: dict[str, None] = {}
    for metric in metrics:
        keys |= dict.fromkeys(key for key, _ in metric.numerator)
        keys |= dict.fromkeys(key for key in (metric.denominator, *metric.excluded) if key)
    return tuple(keys)


def value(metric: Metric, counts: Counter[str]) -> Value:
    """The metric over these sums; a number alone where it has no denominator."""
    number = sum(weight * counts[key] for key, weight in metric.numerator)
    return Value(number, counts[metric.denominator] if metric.denominator else None)


def totals(session: Session, its: Slice, keys: Sequence[str]) -> Counter[str]:
    """The sums over the whole slice."""
    return table(session, its, keys, None).get(ALL, Counter())


def table(session: Session, its: Slice, keys: Sequence[str], by: str | None) -> dict[str, Counter[str]]:
    """The sums by the codes of a dimension (or by `day`, `month`), in the order of the codes."""
    found: dict[str, Counter[str]] = {}
    for query in _queries(its, keys, by):
        for code, *numbers in session.execute(query):
            _add(found, code, keys, numbers)
    return {code: found[code] for code in sorted(found) if any(found[code].values())}


def _add(found: dict[str, Counter[str]], code: Any, keys: Sequence[str], numbers: Sequence[Any]) -> None:
    name = code.isoformat() if isinstance(code, date) else str(code)
    counts = found.setdefault(name, Counter())
    for key, number in zip(keys, numbers, strict=True):
        counts[key] += int(number or 0)


def cube_for(columns: frozenset[str]) -> str | None:
    """The smallest cube that tells these columns apart, if there is one."""
    return next((name for name, told in CUBES.items() if columns <= told), None)


def _queries(its: Slice, keys: Sequence[str], by: str | None) -> list[Select[Any]]:
    column = DIMENSIONS[by][1] if by in DIMENSIONS else None
    cube = cube_for(its.columns | ({column} if column else frozenset())) if its.topic is None else None
    if cube is None:
        return [_from_rows(its, keys, by, column)]
    if "month" not in GRAINS[cube] or by == "day":
        return [_from_cells(cube, "day", its, keys, by, column)]
    months, rest = months_within(its.period)
    queries = [_from_cells(cube, "month", its, keys, by, column, months)] if months else []
    return queries + [_from_cells(cube, "day", its.during(left), keys, by, column) for left in rest]


def _from_cells(
    cube: str,
    grain: str,
    its: Slice,
    keys: Sequence[str],
    by: str | None,
    column: str | None,
    months: Sequence[date] | None = None,
) -> Select[Any]:
    on = cell.c.on
    days = on.in_(months) if months is not None else on.between(its.period.from_on, its.period.to_on)
    group = _group(by, on, cell.c[column] if column else None)
    query = select(group, *(func.sum(cell.c[key]) for key in keys))
    query = query.where(cell.c.cube == cube, cell.c.grain == grain, days, *its.conditions(cell.c))
    return query.group_by(group) if by else query


def _from_rows(its: Slice, keys: Sequence[str], by: str | None, column: str | None) -> Select[Any]:
    group = _group(by, col(Tally.on), col(getattr(Tally, column)) if column else None)
    bits = (func.sum(case((col(Tally.marks).op("&")(BIT[key]) != 0, 1), else_=0)) for key in keys)
    query = select(group, *bits).where(*its.of_tally())
    return query.group_by(group) if by else query


def _group(by: str | None, on: Any, column: Any) -> Any:
    if by in TIMES:
        return on
    return literal(ALL) if column is None else column


def months_of(rows: dict[str, Counter[str]]) -> dict[str, Counter[str]]:
    """Days (and whole months) gathered into months."""
    found: dict[str, Counter[str]] = {}
    for day, counts in rows.items():
        found.setdefault(day[:7], Counter()).update(counts)
    return found
