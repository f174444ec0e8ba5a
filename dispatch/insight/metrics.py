"""The first figures as rows: each is a condition on tickets, so every number is the list of its tickets.

Numbers and lists come from the same condition and the same scope; there is nothing typed in by hand, nothing
about persons, and no order by size. Rates appear only from `LEAST_FOR_RATE` tickets on; below, counts are shown.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select
from sqlmodel import Session, col

from dispatch.record import queries
from dispatch.record.models import Queue, Ticket
from dispatch.rules.workflow import OPEN_STATES, State
from grid.errors import InputError
from grid.permissions import Actor

FIGURES = "figures:read"
LEAST_FOR_RATE = 30
NO_UNIT_YET = (
    Queue.INTAKE,
    Queue.UNROUTED,
    Queue.OUT_OF_AREA,
    Queue.AMBIGUOUS,
    Queue.OBJECTION,
    Queue.CONSULTATION,
    Queue.OWNERSHIP,
)


class Kind(StrEnum):
    """What a figure speaks of; traces of work (sign-ins, photos, words) are no kind."""

    RESULT = "result"
    TIMELINESS = "timeliness"
    QUALITY = "quality"


@dataclass(frozen=True, slots=True)
class Period:
    """From one instant, itself included, to another."""

    from_at: datetime
    to_at: datetime

    @classmethod
    def last_days(cls, days: int, now: datetime) -> "Period":
        return cls(now - timedelta(days=days), now)


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure: its condition, and whether it looks at a period or at the present."""

    key: str
    label: str
    kind: Kind
    condition: Callable[[Period], ColumnElement[bool]]
    now_only: bool = False
    version: int = 1


def _open(_: Period) -> ColumnElement[bool]:
    return col(Ticket.state).in_(OPEN_STATES)


def _overdue(period: Period) -> ColumnElement[bool]:
    return and_(col(Ticket.state).in_(OPEN_STATES), col(Ticket.due_at) < period.to_at)


def _within(column: Any, period: Period) -> ColumnElement[bool]:
    return and_(col(column) >= period.from_at, col(column) < period.to_at)


METRICS: tuple[Metric, ...] = (
    Metric("reported", "受理上报", Kind.RESULT, lambda p: _within(Ticket.reported_at, p)),
    Metric("open", "在办", Kind.RESULT, _open, now_only=True),
    Metric("overdue", "在办已超时", Kind.TIMELINESS, _overdue, now_only=True),
    Metric(
        "unowned",
        "待确定承办单位",
        Kind.TIMELINESS,
        lambda _: col(Ticket.queue).in_(NO_UNIT_YET),
        now_only=True,
    ),
    Metric("to_verify", "待核查", Kind.RESULT, lambda _: col(Ticket.state) == State.HANDLED, now_only=True),
    Metric(
        "to_ask",
        "待回访",
        Kind.RESULT,
        lambda _: col(Ticket.state).in_((State.VERIFIED, State.CALLBACK)),
        now_only=True,
    ),
    Metric("closed", "结案", Kind.RESULT, lambda p: _within(Ticket.closed_at, p)),
    Metric(
        "reworked",
        "返工或二次办理",
        Kind.QUALITY,
        lambda p: and_(_within(Ticket.reported_at, p), col(Ticket.reworks) > 0),
    ),
    Metric(
        "unsolved",
        "诉求人答未解决",
        Kind.QUALITY,
        lambda p: and_(_within(Ticket.reported_at, p), col(Ticket.solved) == "unsolved"),
    ),
)
BY_KEY = {metric.key: metric for metric in METRICS}

DIMENSIONS: dict[str, tuple[str, Any]] = {
    "department": ("承办单位", Ticket.main_code),
    "street": ("街道", Ticket.street_code),
    "community": ("社区", Ticket.community_code),
    "grid": ("网格", Ticket.grid_code),
    "state": ("环节", Ticket.state),
    "source": ("来源", Ticket.source),
}


def metric_of(key: str) -> Metric:
    """The metric of that name.

    Raises
    ------
    InputError
        There is none.
    """
    if key not in BY_KEY:
        raise InputError(f"没有指标 {key},请从数字页面打开", {"metric": "没有这个指标"})
    return BY_KEY[key]


def where(
    metric: Metric, actor: Actor, period: Period, dimension: str | None = None, code: str | None = None
) -> list[ColumnElement[bool]]:
    """The condition behind a number: scope, metric, and the cell of the table ('' is what has no code)."""
    conditions = [queries.visible(actor, FIGURES), metric.condition(period)]
    if dimension is not None:
        column = col(DIMENSIONS[dimension][1])
        conditions.append(column == code if code else column.is_(None))
    return conditions


def count(session: Session, metric: Metric, actor: Actor, period: Period) -> int:
    query = select(func.count()).select_from(Ticket).where(*where(metric, actor, period))
    return int(session.execute(query).scalar_one())


def table(
    session: Session, metrics: Sequence[Metric], actor: Actor, period: Period, dimension: str
) -> dict[str, dict[str, int]]:
    """Counts by code and metric, codes in their own order, states in the workflow's; no code stands under ''."""
    column = col(DIMENSIONS[dimension][1])
    found: dict[str, dict[str, int]] = {}
    for metric in metrics:
        query = select(column, func.count()).where(*where(metric, actor, period)).group_by(column)
        for code, number in session.execute(query):
            found.setdefault(code or "", {})[metric.key] = int(number)
    order = {state: place for place, state in enumerate(State)} if dimension == "state" else {}
    return dict(
        sorted(found.items(), key=lambda cell: (order.get(State(cell[0]), 0) if order else 0, cell[0]))
    )


def tickets(
    session: Session,
    metric: Metric,
    actor: Actor,
    period: Period,
    dimension: str | None = None,
    code: str | None = None,
    *,
    size: int = 100,
    offset: int = 0,
) -> list[Ticket]:
    """The tickets that a number is made of, oldest first."""
    query = select(Ticket).where(*where(metric, actor, period, dimension, code))
    query = query.order_by(col(Ticket.reported_at), col(Ticket.id)).limit(size).offset(offset)
    return list(session.execute(query).scalars())
