"""Medians and ninetieth percentiles of how long things took, by all three readings; and when in the week things come."""

import json
import math
from collections import Counter
from typing import Any, NamedTuple

from sqlalchemy import func, literal, or_, select, union_all
from sqlmodel import Session

from dispatch.insight.metrics.periods import pieces
from dispatch.insight.metrics.registry import LEAST_FOR_RATE
from dispatch.insight.metrics.slices import Slice
from dispatch.insight.rollups.cubes import DAY, MONTH, TIMED, TIMED_BY_DAY, WHOLE
from dispatch.insight.rollups.cubes import took as cells
from dispatch.insight.rollups.durations import ARRIVAL
from dispatch.insight.rollups.unfolding import unfolded

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
    if (held := _kept(its)) is not None:
        return _from_cells(session, its, held, clocks)
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


def _kept(its: Slice) -> tuple[str, frozenset[str]] | None:
    """The dimension and codes of the cells that are the whole slice, if there are such."""
    held = [*its.codes.items(), *(its.scope or {}).items()] or [(WHOLE, frozenset({WHOLE}))]
    if its.topic is not None or its.scope == {} or len(held) > 1 or held[0][0] not in (WHOLE, *TIMED):
        return None
    return held[0]


def _from_cells(
    session: Session, its: Slice, held: tuple[str, frozenset[str]], clocks: tuple[str, ...]
) -> dict[Kind, Counter[int]]:
    parts = pieces(its.period)
    dimension, codes = held
    of = [cells.c.dimension == dimension, cells.c.code.in_(sorted(codes)), cells.c.clock.in_(clocks)]
    queries = []
    if parts.months:
        months = cells.c.on.between(parts.months[0].from_on, parts.months[-1].to_on)
        queries.append(_cells(1).where(*of, cells.c.grain == MONTH, months))
    ends = [(days, sign) for days, sign in ((parts.added, 1), (parts.taken, -1)) if days]
    by_day = dimension in TIMED_BY_DAY
    if by_day:
        for days, sign in ends:
            within = or_(*(cells.c.on.between(period.from_on, period.to_on) for period in days))
            queries.append(_cells(sign).where(*of, cells.c.grain == DAY, within))
    parts_left = [] if by_day else [(its.during(p), sign) for days, sign in ends for p in days]
    found = _from_rows(session, parts_left, clocks)
    for sign, clock, stage, minutes, number in session.execute(union_all(*queries)) if queries else ():
        found.setdefault((clock, stage), Counter())[minutes] += sign * int(number)
    return found


def _cells(sign: int) -> Any:
    grouped = (cells.c.clock, cells.c.stage, cells.c.minutes)
    return select(literal(sign), *grouped, func.sum(cells.c.number)).group_by(*grouped)


def _from_rows(
    session: Session, parts: list[tuple[Slice, int]], clocks: tuple[str, ...]
) -> dict[Kind, Counter[int]]:
    """From the tally rows: alike stretches are counted by the database and taken apart here."""
    rows = unfolded(session)
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
