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


@dataclass(frozen=True)
class Board:
    """How many are so now, and the open ones by state, by age and by colour."""

    numbers: Counter[str]
    states: dict[State, int]
    ages: dict[str, int]
    colours: dict[str, int]


def board(session: Session, its: Slice, actor: Actor, now: datetime) -> Board:
    """Everything of the present in one look at the tickets."""
    age, colour = _age(now), _colour(now)
    sums = [func.sum(case((row.condition(now), 1), else_=0)) for row in PRESENT]
    query = select(col(Ticket.state), age, colour, func.count(), *sums)
    # Whatever is open or waits for a unit has not been closed: an index holds these alone.
    either = or_(_is_open(), col(Ticket.queue).in_(NO_UNIT_YET))
    query = query.where(col(Ticket.closed_at).is_(None), either, *conditions(its, actor))
    numbers: Counter[str] = Counter()
    states: Counter[State] = Counter()
    ages: Counter[str] = Counter()
    colours: Counter[str] = Counter()
    for state, age_of, colour_of, number, *parts in session.execute(
        query.group_by(col(Ticket.state), age, colour)
    ):
        numbers.update({row.key: int(part or 0) for row, part in zip(PRESENT, parts, strict=True)})
        if state in OPEN_STATES:
            states[state] += number
            ages[age_of] += number
            colours[colour_of] += number
    return Board(
        numbers,
        {state: states[state] for state in State if state in states},
        {label: ages[label] for _, label in AGES},
        {key: colours[key] for key in COLOURS},
    )


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
    query = select(Ticket).where(col(Ticket.closed_at).is_(None), condition, *conditions(its, actor))
    query = query.order_by(col(Ticket.reported_at), col(Ticket.id)).limit(size).offset(offset)
    return list(session.execute(query).scalars())


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


def _age(now: datetime) -> Any:
    """How long ago it was reported, as a step of `AGES`."""
    steps = [(col(Ticket.reported_at) > now - timedelta(days=days), label) for days, label in AGES if days]
    return case(*steps, else_=AGES[-1][1]).label("age")


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


def _colour(now: datetime) -> Any:
    """How near the end of its clock is."""
    due = col(Ticket.due_at)
    near = case((due < now, "late"), (due < now + SOON, "soon"), (due.is_(None), "still"), else_="calm")
    return near.label("colour")
