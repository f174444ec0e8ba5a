"""The clocks of a ticket as rows, and the one next timer of each.

The arithmetic is `dispatch.rules.clocks`; here it is kept. A clock has at most one pending timer: when that
fires, the next rung of its ladder is planned, so an edit never doubles one.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session

from dispatch.record.change import Change
from dispatch.record.models import Ticket, TicketClock, Timer
from dispatch.record.world import Standing
from dispatch.rules.clocks import Clock, Limit, Pause, Unit, percent_at
from dispatch.rules.deadlines import Due, Rung, due, latest_start
from dispatch.rules.workflow import STATES, ClockKind, ClockStep, Transition

STAGE_END = "stage_end"
VOID = "void"
UPPER = "upper"
# Stages that the unit itself has to get through run in its own office hours.
UNIT_STAGES = frozenset({"open", "contact", "rework", "leader_approval", "make_safe"})


def as_value(row: TicketClock) -> Clock:
    """The stored clock as the rules' value."""
    pauses = tuple(Pause(_instant(a), _instant(b) if b else None, why) for a, b, why in row.pauses or ())
    return Clock(Limit(row.amount, Unit(row.unit)), row.started_at, pauses)


def ends(row: TicketClock, standing: Standing) -> Due:
    """When a clock runs out, with every day that counted; an extension follows upon the limit itself."""
    clock, hours = as_value(row), standing.hours(row.organisation_code)
    first = due(clock, standing.calendar, hours)
    if not row.extended_days:
        return first
    more = due(_extension(row, clock, first.at), standing.calendar, hours)
    return Due(
        more.at,
        first.estimated or more.estimated,
        (*first.steps, *more.steps),
        f"{first.reason};延期 {row.extended_days} 工作日,{more.reason}",
    )


def open_clocks(change: Change, kind: ClockKind | None = None) -> list[TicketClock]:
    """The ticket's clocks that are not stopped."""
    return [c for c in change.rows(TicketClock) if c.stopped_at is None and kind in (None, c.kind)]


def apply(change: Change, row: Transition) -> None:
    """Carry out what a transition says the clocks do; stage clocks follow in `enter_stage`."""
    for kind, step in row.clocks:
        if step is ClockStep.START:
            if kind is not ClockKind.TOTAL or not open_clocks(change, kind):
                start(change, kind, row.limit if kind is ClockKind.HANDLE else str(kind))
            continue
        if step is ClockStep.REVIVE:
            _revive_last(change, kind)
            continue
        for clock in open_clocks(change, kind):
            STEPS[step](change, clock)


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
    pressing = handle or running or [c for c in total if not c.paused_at]
    change.ticket.due_at = pressing[0].due_at if pressing and state.open else None
    change.ticket.total_due_at = total[0].due_at if total else change.ticket.total_due_at


def start(
    change: Change,
    kind: ClockKind,
    stage: str,
    *,
    organisation: str | None = None,
    at: datetime | None = None,
) -> TicketClock:
    """A new clock of the ticket, with its first timer."""
    ticket, standing = change.ticket, change.standing
    if kind is ClockKind.HANDLE or stage in UNIT_STAGES:
        organisation = ticket.main_code
    if kind is ClockKind.STAGE and change.stage_from is not None:
        at = change.stage_from
    started_at = at or change.now
    limit, limit_id = _limit(standing, ticket, kind, stage, started_at)
    end = due(Clock(limit, started_at), standing.calendar, standing.hours(organisation))
    row: TicketClock = change.add(
        TicketClock,
        kind=kind,
        stage=stage,
        organisation_code=organisation,
        limit_id=limit_id,
        amount=limit.amount,
        unit=str(limit.unit),
        started_at=started_at,
        due_at=end.at,
        estimated=end.estimated,
        explained={"reason": end.reason},
    )
    _plan(change, row)
    return row


def _limit(
    standing: Standing, ticket: Ticket, kind: ClockKind, stage: str, at: datetime
) -> tuple[Limit, str | None]:
    """The limit of a clock that starts now: the step's, the upper platform's, or the row's for the stage."""
    if kind is ClockKind.TOTAL and ticket.upper_due_at is not None:
        return _hours_until(ticket.upper_due_at, at), UPPER
    limit, limit_id = standing.limit(stage, ticket.category_code, ticket.nature, ticket.urgent)
    steps = standing.steps(ticket.category_code) if stage in ("handle", "step") else ()
    if steps:
        step = steps[min(max(ticket.step, 1), len(steps)) - 1]
        limit, limit_id = Limit(step.amount, Unit(step.unit)), f"{step.category_code}:{step.step}"
    if kind is ClockKind.HANDLE and ticket.upper_due_at is not None:
        return _backwards(standing, ticket, limit, limit_id, at)
    return limit, limit_id


def _backwards(
    standing: Standing, ticket: Ticket, limit: Limit, limit_id: str | None, at: datetime
) -> tuple[Limit, str | None]:
    """Planned from the upper platform's end: what verification and callback need stays free."""
    assert ticket.upper_due_at is not None
    reserve, _ = standing.limit("upper_reserve", ticket.category_code, ticket.nature, ticket.urgent)
    latest = latest_start(ticket.upper_due_at, reserve, standing.calendar, standing.hours(None))
    own = due(Clock(limit, at), standing.calendar, standing.hours(ticket.main_code)).at
    if own <= latest:
        return limit, limit_id
    return _hours_until(latest if latest > at else ticket.upper_due_at, at), UPPER


def _hours_until(end: datetime, at: datetime) -> Limit:
    return Limit(max((end - at) / timedelta(hours=1), 1 / 60), Unit.HOUR)


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
    _set_end(change, row)


def freeze(change: Change, row: TicketClock) -> None:
    """The old unit's clock after the matter was raised: it stands for good, and was not run out."""
    stop(change, row)
    row.frozen = True


def revive(change: Change, row: TicketClock) -> None:
    """A stopped clock goes on as if it had never stood: the matter's total is never reset."""
    row.stopped_at = None
    voided = [t for t in change.rows(Timer) if t.clock_id == row.id and t.outcome == VOID]
    for timer in voided[-1:]:
        timer.done_at = timer.outcome = None


def _revive_last(change: Change, kind: ClockKind) -> None:
    stood = [c for c in change.rows(TicketClock) if c.kind is kind]
    if stood:
        revive(change, stood[-1])
    else:
        start(change, kind, str(kind))


def extend(change: Change, row: TicketClock, work_days: int) -> None:
    """So many work days more, after the limit itself."""
    row.extended_days += work_days
    _set_end(change, row)


def recompute(change: Change, row: TicketClock) -> bool:
    """The end anew by the present calendar; True when it moved."""
    end = ends(row, change.standing)
    row.estimated = end.estimated
    if end.at == row.due_at:
        return False
    _set_end(change, row)
    return True


def limit_anew(change: Change, row: TicketClock) -> bool:
    """The limit of what the matter turned out to be, from when the clock began; True when its end moved."""
    limit, limit_id = _limit(change.standing, change.ticket, row.kind, row.stage or "", row.started_at)
    if row.paused_at is not None or (row.amount, row.unit) == (limit.amount, str(limit.unit)):
        return False
    row.amount, row.unit, row.limit_id = limit.amount, str(limit.unit), limit_id
    before = row.due_at
    _set_end(change, row)
    return row.due_at != before


def plan_next(change: Change, row: TicketClock, fired: str) -> None:
    """After one rung has fired, the timer of the next."""
    _plan(change, row, after=fired)


STEPS = {
    ClockStep.STOP: stop,
    ClockStep.PAUSE: pause,
    ClockStep.RESUME: resume,
    ClockStep.FREEZE: freeze,
}


def _set_end(change: Change, row: TicketClock) -> None:
    end = ends(row, change.standing)
    row.due_at, row.estimated, row.explained = end.at, end.estimated, {"reason": end.reason}
    _void(change, row)
    _plan(change, row)


def _plan(change: Change, row: TicketClock, after: str | None = None) -> None:
    planned = _next_rung(row, change.standing, change.ticket.urgent, change.now, after)
    if planned is not None:
        kind, at = planned
        key = f"{row.id}:{kind}:{len(row.pauses or ())}:{row.due_at.timestamp():.0f}"
        change.add(Timer, clock_id=row.id, kind=kind, key=key, due_at=at)


def _next_rung(
    row: TicketClock, standing: Standing, urgent: bool, now: datetime, after: str | None
) -> tuple[str, datetime] | None:
    """The first rung not yet passed (or, after one has fired, the one that follows it)."""
    if row.kind is ClockKind.STAGE:
        return None if after else (STAGE_END, row.due_at)
    rungs = standing.rungs(str(row.kind), urgent=urgent)
    names = [rung.name for rung in rungs]
    if after is not None:
        rungs = rungs[names.index(after) + 1 :] if after in names else ()
    for rung in rungs:
        at = _reached(row, rung, standing)
        if after is not None or at > now or rung.percent >= 100:
            return rung.name, at
    return None


def _reached(row: TicketClock, rung: Rung, standing: Standing) -> datetime:
    hours = standing.hours(row.organisation_code)
    if rung.after is not None:
        return percent_at(Clock(rung.after, row.due_at), 1, standing.calendar, hours)
    if rung.percent >= 100:
        return row.due_at
    clock = as_value(row)
    if row.extended_days:
        clock = _extension(row, clock, due(clock, standing.calendar, hours).at)
    return percent_at(clock, rung.percent / 100, standing.calendar, hours)


def _extension(row: TicketClock, clock: Clock, first_end: datetime) -> Clock:
    later = tuple(p for p in clock.pauses if p.from_at >= first_end)
    return Clock(Limit(row.extended_days, Unit.WORK_DAY), first_end, later)


def _void(change: Change, row: TicketClock) -> None:
    """The pending timer of a clock that no longer runs will not fire."""
    for timer in change.rows(Timer):
        if timer.clock_id == row.id and timer.done_at is None:
            timer.done_at, timer.outcome = change.now, VOID


def find(session: Session, intake_district: str, clock_id: UUID) -> TicketClock | None:
    return session.get(TicketClock, (intake_district, clock_id))


def _instant(text: Any) -> datetime:
    return datetime.fromisoformat(text)
