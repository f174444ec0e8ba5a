"""What due timers do. Called in the transaction that marks them done, so each does it once."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlmodel import Session, col

from dispatch.record import actions, clocks
from dispatch.record.change import Change
from dispatch.record.effects import asking
from dispatch.record.judging import facts
from dispatch.record.models import Reporter, Ticket, TicketClock, TicketEvent, Timer
from dispatch.record.oversight import letters
from dispatch.record.reading.together import Together, together
from dispatch.record.world import World
from dispatch.rules.guards import refusal
from dispatch.rules.workflow import BY_ACTION, STATES, ClockKind
from grid.permissions import SYSTEM_ACTOR

DONE, VOID, LATER = "done", "void", "later"
MARKED = {"clock_red": "overdue", "escalate_2": "escalated", "escalate_3": "escalated"}


Key = tuple[str, UUID | None]


def fire_all(session: Session, timers: Sequence[Timer], world: World, now: datetime) -> dict[UUID, str]:
    """Apply due timers, at most one of each ticket; the answer is the outcome of each for its done mark.

    `later` means that somebody is writing the ticket right now: leave the timer undone, the next sweep takes it.
    Waiting instead could deadlock with that writer, who may be about to void this timer.
    """
    world.refresh(session)
    tickets = _locked(session, timers)
    with together(session) as batch:
        batch.fetch(tickets.values())
        return {
            timer.id: apply(batch, timer, tickets.get((timer.intake_district, timer.ticket_id)), world, now)
            for timer in timers
        }


def fire(session: Session, timer: Timer, world: World, now: datetime) -> str:
    """Apply one due timer; the answer is its outcome."""
    return fire_all(session, [timer], world, now)[timer.id]


def _locked(session: Session, timers: Sequence[Timer]) -> dict[Key, Ticket]:
    """The tickets of these timers that nobody else is writing."""
    keys = {(timer.intake_district, timer.ticket_id) for timer in timers if timer.ticket_id}
    if not keys:
        return {}
    query = select(Ticket).where(tuple_(col(Ticket.intake_district), col(Ticket.id)).in_(keys))
    found = session.execute(query.with_for_update(skip_locked=True)).scalars()
    return {(ticket.intake_district, ticket.id): ticket for ticket in found}


def apply(batch: Together, timer: Timer, ticket: Ticket | None, world: World, now: datetime) -> str:
    """Apply one due timer; the answer is its outcome."""
    session = batch.session
    if timer.kind == letters.LETTER_DUE:
        return DONE if letters.fall_due(session, UUID(timer.key.partition(":")[2]), now) else VOID
    if ticket is None:
        return LATER
    if timer.clock_id is None:
        if timer.kind not in BY_ACTION:
            raise LookupError(f"没有名为 {timer.kind} 的计时,可能来自另一个版本:请更新程序后重新执行")
        return DONE if _try(session, ticket, world, now, timer.kind) else VOID
    change = Change(session, ticket, SYSTEM_ACTOR, world, now)
    clock = next((row for row in change.rows(TicketClock) if row.id == timer.clock_id), None)
    if clock is None or not _runs(clock):
        return VOID
    if clock.kind is ClockKind.STAGE:
        _end_of_stage(change, clock)
    else:
        _rung(change, clock, timer.kind)
        change.write()
    return DONE


def _runs(clock: TicketClock) -> bool:
    return clock.stopped_at is None and clock.paused_at is None


def _rung(change: Change, clock: TicketClock, kind: str) -> None:
    """A hint, a warning, the red end, an escalation: told to people and, from red on, written into the history."""
    ticket = change.ticket
    event: TicketEvent | None = None
    if kind in MARKED and clock.kind is not ClockKind.ASSIST:
        ticket.overdue = True
        event = change.append(None, MARKED[kind], ticket.state, {"clock": str(clock.kind), "rung": kind})
        ticket.version += 1
    if clock.kind is ClockKind.HANDLE and kind == "clock_red":
        _ask_for_progress(change)
    if clock.kind is ClockKind.HANDLE and kind in letters.CALLED_FOR:
        letters.note(change.session, ticket, letters.CALLED_FOR[kind], kind, change.now)
    happening = f"{clock.kind}_{kind}"
    change.send("notify", happening=happening, event_id=str(event.id) if event else None)
    clocks.plan_next(change, clock, kind)


def _ask_for_progress(change: Change) -> None:
    """The limit has passed, done or not: the reporter is asked once how it goes (期满即回访)."""
    if asking.will_ask(change.ticket, change.rows(Reporter)):
        change.ticket.progress_due_at = change.now
        change.send("notify", happening="callback_due", event_id=None)


def _end_of_stage(change: Change, clock: TicketClock) -> None:
    """What happens when nobody acted within a stage: never nothing."""
    ticket = change.ticket
    if not _try(change.session, ticket, change.world, change.now, *STATES[ticket.state].at_end):
        change.send("notify", happening="stage_overdue", stage=clock.stage, event_id=None)
        change.write()


def _try(session: Session, ticket: Ticket, world: World, now: datetime, *names: str) -> bool:
    """Carry out the first of these actions that the ticket allows now."""
    its_facts = facts.facts_of(session, ticket, world.standing, now)
    for name in names:
        if refusal(name, its_facts, facts.doer_of(SYSTEM_ACTOR)) is None:
            actions.carry(session, ticket, BY_ACTION[name], {}, SYSTEM_ACTOR, world, now)
            return True
    return False
