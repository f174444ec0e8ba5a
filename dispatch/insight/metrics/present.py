"""What is so now: open matters by state, age and colour, straight from the tickets (only the open ones, by index)."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlmodel import Session, col

from dispatch.insight.metrics.slices import FIGURES, Slice
from dispatch.insight.rollups.models import NONE
from dispatch.record import queries
from dispatch.record.models import Queue, Ticket
from dispatch.rules.workflow import OPEN_STATES, State
from grid.permissions import Actor

SOON = timedelta(hours=4)
NO_UNIT_YET = (
    Queue.INTAKE,
    Queue.UNROUTED,
    Queue.OUT_OF_AREA,
    Queue.AMBIGUOUS,
    Queue.OBJECTION,
    Queue.CONSULTATION,
    Queue.OWNERSHIP,
)
AGES = ((1, "1 天内"), (3, "1—3 天"), (7, "3—7 天"), (15, "7—15 天"), (30, "15—30 天"), (None, "30 天以上"))
COLOURS = {"late": "已超时", "soon": "即将到期", "calm": "未到期", "still": "暂停计时"}

Condition = Callable[[datetime], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Now:
    """A figure of the present moment: its words and its condition on tickets."""

    key: str
    label: str
    condition: Condition


def _is_open() -> ColumnElement[bool]:
    return col(Ticket.state).in_(OPEN_STATES)


PRESENT: tuple[Now, ...] = (
    Now("open", "在办", lambda now: _is_open()),
    Now("overdue", "在办已超时", lambda now: and_(_is_open(), col(Ticket.due_at) < now)),
    Now("unowned", "待确定承办单位", lambda now: col(Ticket.queue).in_(NO_UNIT_YET)),
    Now("to_verify", "待核查", lambda now: col(Ticket.state) == State.HANDLED),
    Now("to_ask", "待回访", lambda now: col(Ticket.state).in_((State.VERIFIED, State.CALLBACK))),
    Now("suspended", "挂账", lambda now: col(Ticket.state) == State.SUSPENDED),
)
BY_KEY = {row.key: row for row in PRESENT}


def conditions(its: Slice, actor: Actor) -> list[ColumnElement[bool]]:
    """The slice (without its days) as conditions on tickets that the actor may see."""
    columns = {
        name: _coded(getattr(Ticket, "main_code" if name == "organisation_code" else name))
        for name in its.columns
    }
    return [queries.visible(actor, FIGURES), *its.conditions(columns)]


def _coded(column: Any) -> Any:
    return func.coalesce(col(column), NONE) if column is not Ticket.category_code else col(column)


def count(session: Session, row: Now, its: Slice, actor: Actor, now: datetime) -> int:
    query = select(func.count()).select_from(Ticket).where(row.condition(now), *conditions(its, actor))
    return int(session.execute(query).scalar_one())


def tickets(
    session: Session,
    condition: ColumnElement[bool],
    its: Slice,
    actor: Actor,
    *,
    size: int = 100,
    offset: int = 0,
) -> list[Ticket]:
    """The tickets behind a number of the present, oldest first."""
    query = select(Ticket).where(condition, *conditions(its, actor))
    query = query.order_by(col(Ticket.reported_at), col(Ticket.id)).limit(size).offset(offset)
    return list(session.execute(query).scalars())


def by_state(session: Session, its: Slice, actor: Actor) -> dict[State, int]:
    """Open matters by state, in the workflow's order."""
    query = select(col(Ticket.state), func.count()).where(_is_open(), *conditions(its, actor))
    found = dict(session.execute(query.group_by(col(Ticket.state))).all())
    return {state: found[state] for state in State if state in found}


def state_condition(state: State) -> ColumnElement[bool]:
    return col(Ticket.state) == state


def age_condition(days: int | None, now: datetime) -> ColumnElement[bool]:
    """Open matters whose age ends at that step of `AGES`."""
    steps: list[int | None] = [step for step, _ in AGES]
    place = steps.index(days)
    younger = steps[place - 1] if place else None
    found = [_is_open()]
    if days is not None:
        found.append(col(Ticket.reported_at) > now - timedelta(days=days))
    if younger is not None:
        found.append(col(Ticket.reported_at) <= now - timedelta(days=younger))
    return and_(*found)


def by_age(session: Session, its: Slice, actor: Actor, now: datetime) -> dict[str, int]:
    """Open matters by how long ago they were reported."""
    steps = [(col(Ticket.reported_at) > now - timedelta(days=days), label) for days, label in AGES if days]
    label = case(*steps, else_=AGES[-1][1])
    query = select(label, func.count()).where(_is_open(), *conditions(its, actor)).group_by(label)
    found = Counter(dict(session.execute(query).all()))
    return {label: found[label] for _, label in AGES}


def colour_condition(colour: str, now: datetime) -> ColumnElement[bool]:
    due = col(Ticket.due_at)
    return and_(
        _is_open(),
        {
            "late": due < now,
            "soon": and_(due >= now, due < now + SOON),
            "calm": due >= now + SOON,
            "still": or_(due.is_(None)),
        }[colour],
    )


def by_colour(session: Session, its: Slice, actor: Actor, now: datetime) -> dict[str, int]:
    """Open matters by how near the end of their clock is."""
    due = col(Ticket.due_at)
    label = case((due < now, "late"), (due < now + SOON, "soon"), (due.is_(None), "still"), else_="calm")
    query = select(label, func.count()).where(_is_open(), *conditions(its, actor)).group_by(label)
    found = Counter(dict(session.execute(query).all()))
    return {colour: found[colour] for colour in COLOURS}
