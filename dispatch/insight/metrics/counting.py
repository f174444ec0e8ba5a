"""Sums of measures over a slice, from the cells where they suffice and from tally rows where they do not."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Select, func, literal, or_, select, union_all
from sqlmodel import Session, col

from dispatch.insight.metrics.intervals import Value
from dispatch.insight.metrics.measures import BIT
from dispatch.insight.metrics.periods import Period, pieces
from dispatch.insight.metrics.registry import Metric
from dispatch.insight.metrics.slices import DIMENSIONS, TIMES, Slice
from dispatch.insight.rollups.cubes import DAY, MONTH, Cube, cube_for
from dispatch.insight.rollups.models import DIMENSIONS as CODES
from dispatch.insight.rollups.models import Tally

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
    """The sums by the codes of a dimension (or by `day`, or `month`: its first day), in the order of the codes."""
    question = _Question(its, tuple(keys), by, DIMENSIONS[by][1] if by in DIMENSIONS else None)
    grain = DAY if by == "day" else MONTH
    cube = cube_for(question.columns, grain) if its.topic is None else None
    if cube is None:
        found = _from_rows(session, question, [(its.period, 1)])
    elif by == "day":
        found = _from_cells(session, question, [_cells(cube, DAY, question, [its.period], 1)])
    else:
        found = _from_pieces(session, question, cube)
    return {code: found[code] for code in sorted(found) if any(found[code].values())}


@dataclass(frozen=True)
class _Question:
    """What is to be summed up, of what, by which column."""

    its: Slice
    keys: tuple[str, ...]
    by: str | None
    column: str | None

    @property
    def columns(self) -> frozenset[str]:
        return self.its.columns | ({self.column} if self.column else frozenset())

    def group(self, columns: Any) -> Any:
        if self.by in TIMES:
            return columns["on"]
        return literal(ALL) if self.column is None else columns[self.column]

    def name(self, code: Any) -> str:
        if not isinstance(code, date):
            return str(code)
        return (code.replace(day=1) if self.by == "month" else code).isoformat()


Sums = dict[str, Counter[str]]


def _from_pieces(session: Session, question: _Question, cube: Cube) -> Sums:
    """Whole months from the cube; the days at the ends from the cube too if it has days, else from tally rows."""
    parts = pieces(question.its.period)
    ends = [(parts.added, 1), (parts.taken, -1)]
    queries = [_cells(cube, MONTH, question, parts.months, 1)] if parts.months else []
    if DAY in cube.grains:
        queries += [_cells(cube, DAY, question, days, sign) for days, sign in ends if days]
        return _from_cells(session, question, queries)
    found = _from_rows(session, question, [(period, sign) for days, sign in ends for period in days])
    for code, counts in _from_cells(session, question, queries).items():
        found[code] = _sum(found.get(code), counts)
    return found


def _sum(one: Counter[str] | None, other: Counter[str]) -> Counter[str]:
    """Both together; what was to be taken away comes as a number below nought, which `+` would drop."""
    if one is not None:
        other.update(one)
    return other


def _cells(
    cube: Cube, grain: str, question: _Question, stretches: Sequence[Period], sign: int
) -> Select[Any]:
    cells = cube.table.c
    group = question.group(cells)
    within = or_(*(cells.on.between(period.from_on, period.to_on) for period in stretches))
    query = select(literal(sign), group, *(func.sum(cells[key]) for key in question.keys))
    query = query.where(cells.grain == grain, within, *question.its.conditions(cells))
    return query.group_by(group) if question.by else query


def _from_cells(session: Session, question: _Question, queries: Sequence[Select[Any]]) -> Sums:
    """All of them as one statement, so that they speak of one moment."""
    found: Sums = {}
    if queries:
        for sign, code, *numbers in session.execute(union_all(*queries)):
            counts = found.setdefault(question.name(code), Counter())
            for key, number in zip(question.keys, numbers, strict=True):
                counts[key] += sign * int(number or 0)
    return found


def _from_rows(session: Session, question: _Question, parts: Sequence[tuple[Period, int]]) -> Sums:
    """From the tally rows: alike ones are counted by the database, their bits are taken apart here."""
    group = question.group({name: col(getattr(Tally, name)) for name in ("on", *CODES)})
    grouped = [group, col(Tally.marks)] if question.by else [col(Tally.marks)]
    found: Sums = {}
    queries = [
        select(literal(sign), group, col(Tally.marks), func.count())
        .where(*question.its.during(period).of_tally())
        .group_by(*grouped)
        for period, sign in parts
    ]
    if queries:
        for sign, code, marks, number in session.execute(union_all(*queries)):
            counts = found.setdefault(question.name(code), Counter())
            for key in question.keys:
                if marks & BIT[key]:
                    counts[key] += sign * number
    return found


def every_day(rows: dict[str, Counter[str]], period: Period) -> dict[str, Counter[str]]:
    """The days of the period one by one: on those that have none, nothing happened."""
    days = (period.from_on + timedelta(days=n) for n in range(period.days))
    return {day.isoformat(): rows.get(day.isoformat(), Counter()) for day in days}


def months_of(rows: dict[str, Counter[str]]) -> dict[str, Counter[str]]:
    """Days gathered into months."""
    found: dict[str, Counter[str]] = {}
    for day, counts in rows.items():
        found.setdefault(day[:7], Counter()).update(counts)
    return found
