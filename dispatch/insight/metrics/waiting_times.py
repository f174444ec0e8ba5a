"""Medians and ninetieth percentiles of how long things took, by all three readings."""

import math
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session, col

from dispatch.insight.metrics.registry import LEAST_FOR_RATE
from dispatch.insight.metrics.slices import Slice
from dispatch.insight.rollups.models import Tally, TallySpan

CLOCK_LABELS = {"total": "诉求总时长", "handle": "承办时长", "stage": "环节时长"}
OF_SPANS = frozenset({"organisation_code", "street_code"})


class Took(NamedTuple):
    """How long one thing took: how often, and, from thirty on, half of them and nine tenths at most so long."""

    clock: str
    stage: str
    number: int
    median_minutes: int | None
    p90_minutes: int | None


def of_slice(session: Session, its: Slice) -> list[Took]:
    """Every clock and stage of a slice."""
    columns = {name: col(getattr(TallySpan, name)) for name in OF_SPANS}
    known = {name: codes for name, codes in its.codes.items() if name in OF_SPANS}
    where: list[ColumnElement[bool]] = [
        col(TallySpan.on).between(its.period.from_on, its.period.to_on),
        *(columns[name].in_(sorted(codes)) for name, codes in known.items()),
    ]
    if its.columns - OF_SPANS or its.scope is not None or its.topic is not None:
        where.append(
            select(col(Tally.id))
            .where(
                col(Tally.intake_district) == col(TallySpan.intake_district),
                col(Tally.ticket_id) == col(TallySpan.ticket_id),
                *its.of_matters(),
            )
            .exists()
        )
    kinds = session.execute(
        select(col(TallySpan.clock), col(TallySpan.stage), func.count())
        .where(*where)
        .group_by(col(TallySpan.clock), col(TallySpan.stage))
    ).all()
    order = list(CLOCK_LABELS)
    found = []
    for clock, stage, number in sorted(kinds, key=lambda kind: (order.index(kind[0]), kind[1])):
        ranks = [math.ceil(number * share) - 1 for share in (0.5, 0.9)]
        minutes = [
            session.execute(
                select(col(TallySpan.minutes))
                .where(*where, col(TallySpan.clock) == clock, col(TallySpan.stage) == stage)
                .order_by(col(TallySpan.minutes))
                .limit(1)
                .offset(rank)
            ).scalar_one()
            for rank in ranks
        ]
        shown = minutes if number >= LEAST_FOR_RATE else [None, None]
        found.append(Took(clock, stage, number, shown[0], shown[1]))
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
