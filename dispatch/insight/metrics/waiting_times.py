"""Medians and ninetieth percentiles of how long things took, by all three readings; and when in the week things come."""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import func, literal, or_, select, union_all
from sqlmodel import Session

from dispatch.insight.metrics.periods import Period, pieces
from dispatch.insight.metrics.registry import LEAST_FOR_RATE
from dispatch.insight.metrics.slices import Slice
from dispatch.insight.rollups import stretches
from dispatch.insight.rollups.cubes import DAY, MONTH, TIMES, Cube, cube_for
from dispatch.insight.rollups.durations import ARRIVAL

CLOCK_LABELS = {"total": "诉求总时长", "handle": "承办时长", "stage": "环节时长"}


class Took(NamedTuple):
    """How long one thing took: how often, and, from thirty on, half of them and nine tenths at most so long."""

    clock: str
    stage: str
    number: int
    median_minutes: int | None
    p90_minutes: int | None


Kind = tuple[str, str]


def of_slice(session: Session, its: Slice) -> list[Took]:
    """Every clock and stage of a slice."""
    counted = _counted(session, its, tuple(CLOCK_LABELS))
    order = list(CLOCK_LABELS)
    return [
        _took(clock, stage, counted[(clock, stage)])
        for clock, stage in sorted(counted, key=lambda kind: (order.index(kind[0]), kind[1]))
        if sum(counted[(clock, stage)].values())
    ]


def arrivals(session: Session, its: Slice) -> Counter[tuple[int, int]]:
    """How many came in at which weekday (Monday is 0) and hour, local time."""
    found: Counter[tuple[int, int]] = Counter()
    for minutes, number in _counted(session, its, (ARRIVAL,)).get((ARRIVAL, ARRIVAL), Counter()).items():
        found[divmod(minutes // 60, 24)] += number
    return found


def _counted(session: Session, its: Slice, clocks: tuple[str, ...]) -> dict[Kind, Counter[int]]:
    if (cube := _kept(its)) is not None:
        return _from_cells(session, its, cube, clocks)
    return _from_rows(session, [(its, 1)], clocks)


def _took(clock: str, stage: str, times: Counter[int]) -> Took:
    number = sum(times.values())
    if number < LEAST_FOR_RATE:
        return Took(clock, stage, number, None, None)
    return Took(clock, stage, number, _reached(times, number * 0.5), _reached(times, number * 0.9))


def _reached(times: Counter[int], share: float) -> int:
    """The shortest stretch that at least so many are not longer than."""
    passed = 0
    for minutes in sorted(times):
        passed += times[minutes]
        if passed >= math.ceil(share):
            return minutes
    raise AssertionError("unreachable")


def are_kept(its: Slice) -> bool:
    """Whether sums answer this slice; else every matter of it is looked at, which may take seconds."""
    return _kept(its) is not None


def _kept(its: Slice) -> Cube | None:
    return cube_for(its.columns, among=TIMES) if its.topic is None else None


def _from_cells(
    session: Session, its: Slice, cube: Cube, clocks: tuple[str, ...]
) -> dict[Kind, Counter[int]]:
    """Whole months from the cells; the days at the ends too if the cube has days, else from tally rows."""
    parts = pieces(its.period)
    ends = [(days, sign) for days, sign in ((parts.added, 1), (parts.taken, -1)) if days]
    by_day = DAY in cube.grains
    found = _from_rows(
        session, [] if by_day else [(its.during(p), sign) for days, sign in ends for p in days], clocks
    )
    queries = [_cells(cube, MONTH, its, parts.months, 1, clocks)] if parts.months else []
    if by_day:
        queries += [_cells(cube, DAY, its, days, sign, clocks) for days, sign in ends]
    texts: dict[tuple[int, Kind], list[str]] = defaultdict(list)
    for sign, clock, stage, times in session.execute(union_all(*queries)) if queries else ():
        texts[sign, (clock, stage)].append(times)
    for (sign, kind), of in texts.items():
        counted = found.setdefault(kind, Counter())
        for minutes, number in stretches.read(*of).items():
            counted[minutes] += sign * number
    return found


def _cells(
    cube: Cube, grain: str, its: Slice, periods: Sequence[Period], sign: int, clocks: tuple[str, ...]
) -> Any:
    cells = cube.table.c
    within = or_(*(cells.on.between(period.from_on, period.to_on) for period in periods))
    query = select(literal(sign), cells.clock, cells.stage, cells.times)
    return query.where(cells.grain == grain, within, cells.clock.in_(clocks), *its.conditions(cells))


def _from_rows(
    session: Session, parts: list[tuple[Slice, int]], clocks: tuple[str, ...]
) -> dict[Kind, Counter[int]]:
    """From the tally rows: alike stretches are counted by the database and taken apart here."""
    rows = stretches.unfolded(session)
    queries = [
        select(literal(sign), rows.stretch, func.count())
        .select_from(rows.joined)
        .where(*its.of_tally())
        .group_by(rows.stretch)
        for its, sign in parts
    ]
    found: dict[Kind, Counter[int]] = {}
    for sign, stretch, number in session.execute(union_all(*queries)) if queries else ():
        clock, stage, minutes = json.loads(stretch)
        if clock in clocks:
            found.setdefault((clock, stage), Counter())[minutes] += sign * int(number)
    return found


def words(minutes: int | None) -> str:
    """Minutes as people say them."""
    if minutes is None:
        return "—"
    if minutes < 60:
        return f"{minutes} 分钟"
    if minutes < 48 * 60:
        return f"{minutes / 60:.1f} 小时"
    return f"{minutes / 1440:.1f} 天"
