"""The clocks of a ticket as rows, and the one next timer of each.

The arithmetic is `dispatch.rules.clocks`; here it is kept. A clock has at most one pending timer: when that
fires, the next rung of its ladder is planned, so an edit never doubles one.
"""

from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlmodel import Session

from dispatch import data
from dispatch.record.change import Change
from dispatch.record.models import TicketClock, Timer
from dispatch.record.world import Standing
from dispatch.rules.clocks import Clock, Limit, Pause, Unit
from dispatch.rules.deadlines import Rung, due, rung_at
from dispatch.rules.workflow import STATES, ClockKind, ClockStep, Transition

STAGE_END = (Rung("stage_end", 100),)
TOTAL, HANDLE, REWORK = "total", "handle", "rework"


def as_value(row: TicketClock) -> Clock:
    """The stored clock as the rules' value."""
    pauses = tuple(Pause(_instant(a), _instant(b) if b else None, why) for a, b, why in row.pauses or ())
    return Clock(Limit(row.amount, Unit(row.unit)), row.started_at, pauses)


def open_clocks(change: Change, kind: ClockKind | None = None) -> list[TicketClock]:
    """The ticket's clocks that are not stopped."""
    return [c for c in change.rows(TicketClock) if c.stopped_at is None and kind in (None, c.kind)]


def apply(change: Change, row: Transition) -> None:
    """Carry out what a transition says the clocks do; stage clocks follow in `enter_stage`."""
    for kind, step in row.clocks:
        if step is ClockStep.START:
            stage = (
                REWORK if kind is ClockKind.HANDLE and row.action == "uphold_dissatisfaction" else str(kind)
            )
            start(change, kind, stage)
            continue
        for clock in open_clocks(change, kind):
            {ClockStep.STOP: stop, ClockStep.PAUSE: pause, ClockStep.RESUME: resume}[step](change, clock)


def enter_stage(change: Change, *, entered: bool) -> None:
    """After the last transition of a change: the state's own clock, and when the ticket burns."""
    state = STATES[change.ticket.state]
    running = open_clocks(change, ClockKind.STAGE)
    if entered:
        for clock in running:
            stop(change, clock)
        running = [start(change, ClockKind.STAGE, state.stage)] if state.stage and state.open else []
    handle = [c for c in open_clocks(change, ClockKind.HANDLE) if not c.paused_at]
    total = open_clocks(change, ClockKind.TOTAL)
    pressing = handle or running or total
    change.ticket.due_at = pressing[0].due_at if pressing and state.open else None
    change.ticket.total_due_at = total[0].due_at if total else change.ticket.total_due_at


def start(change: Change, kind: ClockKind, stage: str) -> TicketClock:
    """A new clock of the ticket, with its first timer."""
    ticket, standing = change.ticket, change.standing
    organisation = ticket.main_code if kind is ClockKind.HANDLE else None
    limit, limit_id = standing.limit(stage, ticket.category_code, ticket.nature, ticket.urgent)
    clock = Clock(limit, change.now)
    end = due(clock, standing.calendar, standing.hours(organisation))
    row: TicketClock = change.add(
        TicketClock,
        kind=kind,
        stage=stage,
        organisation_code=organisation,
        limit_id=limit_id,
        amount=limit.amount,
        unit=str(limit.unit),
        started_at=change.now,
        due_at=end.at,
        estimated=end.estimated,
        explained={"reason": end.reason},
    )
    _plan(change, row)
    return row


def stop(change: Change, row: TicketClock) -> None:
    """The clock stands for good."""
    row.stopped_at = change.now
    _void(change, row)


def pause(change: Change, row: TicketClock, why: str = "") -> None:
    """The clock stands still until resumed."""
    if row.paused_at is None:
        row.paused_at = change.now
        row.pauses = [*(row.pauses or ()), [change.now.isoformat(), None, why]]
        _void(change, row)


def resume(change: Change, row: TicketClock) -> None:
    """The same clock goes on: no new limit, only the time that was left."""
    if row.paused_at is None or not row.pauses:
        return
    *before, (began, _, why) = row.pauses
    row.pauses = [*before, [began, change.now.isoformat(), why]]
    row.paused_at = None
    end = due(as_value(row), change.standing.calendar, change.standing.hours(row.organisation_code))
    row.due_at, row.estimated, row.explained = end.at, end.estimated, {"reason": end.reason}
    _plan(change, row)


def plan_next(change: Change, row: TicketClock, fired: str) -> None:
    """After one rung has fired, the timer of the next."""
    _plan(change, row, after=fired)


def _plan(change: Change, row: TicketClock, after: str | None = None) -> None:
    planned = _next_rung(row, change.standing, change.now, after, urgent=change.ticket.urgent)
    if planned is not None:
        kind, at = planned
        key = f"{row.id}:{kind}:{len(row.pauses or ())}"
        change.add(Timer, clock_id=row.id, kind=kind, key=key, due_at=at)


def _next_rung(
    row: TicketClock, standing: Standing, now: datetime, after: str | None, *, urgent: bool
) -> tuple[str, datetime] | None:
    """The first rung not yet passed (or, after one has fired, the one that follows it)."""
    clock, hours = as_value(row), standing.hours(row.organisation_code)
    ladder = _ladder(row.kind, urgent)
    names = [rung.name for rung in ladder]
    if after is not None:
        ladder = ladder[names.index(after) + 1 :] if after in names else ()
    for rung in ladder:
        at = rung_at(clock, rung, standing.calendar, hours)
        if after is not None or at > now or rung.percent == 100:
            return rung.name, at
    return None


@cache
def _ladder(kind: ClockKind, urgent: bool) -> tuple[Rung, ...]:
    """What a clock says on its way; a stage has one end (that of `open` is the automatic sign-off)."""
    if kind is ClockKind.STAGE:
        return STAGE_END
    return tuple(
        Rung(
            row.name,
            row.percent,
            Limit(row.after_amount, Unit(row.after_unit)) if row.after_amount and row.after_unit else None,
        )
        for row in data.escalation().rows
        if row.clock == str(kind) and row.urgent is urgent
    )


def _void(change: Change, row: TicketClock) -> None:
    """The pending timer of a clock that no longer runs will not fire."""
    for timer in change.rows(Timer):
        if timer.clock_id == row.id and timer.done_at is None:
            timer.done_at, timer.outcome = change.now, "void"


def find(session: Session, intake_district: str, clock_id: UUID) -> TicketClock | None:
    return session.get(TicketClock, (intake_district, clock_id))


def _instant(text: Any) -> datetime:
    return datetime.fromisoformat(text)
