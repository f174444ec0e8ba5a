"""What a due timer does. Called in the transaction that marks it done, so each does it once."""

from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from dispatch.record import actions, clocks
from dispatch.record.change import Change
from dispatch.record.models import Ticket, TicketClock, TicketEvent, Timer
from dispatch.record.world import World
from dispatch.rules.guards import CALLBACK_ATTEMPTS
from dispatch.rules.workflow import BY_ACTION, ClockKind
from grid.permissions import SYSTEM_ACTOR

DONE, VOID, LATER = "done", "void", "later"
MARKED = {"clock_red": "overdue", "escalate_2": "escalated", "escalate_3": "escalated"}


def fire(session: Session, timer: Timer, world: World, now: datetime) -> str:
    """Apply one due timer; the answer is its outcome for the done mark.

    `later` means that somebody is writing the ticket right now: leave the timer undone, the next sweep takes it.
    Waiting instead could deadlock with that writer, who may be about to void this timer.
    """
    world.refresh(session)
    clock = clocks.find(session, timer.intake_district, timer.clock_id) if timer.clock_id else None
    if clock is None or clock.stopped_at is not None or clock.paused_at is not None:
        return VOID
    query = select(Ticket).where(
        col(Ticket.intake_district) == timer.intake_district, col(Ticket.id) == timer.ticket_id
    )
    ticket = session.execute(query.with_for_update(skip_locked=True)).scalar_one_or_none()
    if ticket is None:
        return LATER
    session.refresh(clock)
    if clock.stopped_at is not None or clock.paused_at is not None:
        return VOID
    change = Change(session, ticket, SYSTEM_ACTOR, world, now)
    if clock.kind is ClockKind.STAGE:
        _end_of_stage(change, clock)
    else:
        _rung(change, clock, timer.kind)
        change.write()
    return DONE


def _rung(change: Change, clock: TicketClock, kind: str) -> None:
    """A hint, a warning, the red end, an escalation: told to people and, from red on, written into the history."""
    ticket = change.ticket
    event: TicketEvent | None = None
    if kind in MARKED:
        ticket.overdue = True
        event = change.append(None, MARKED[kind], ticket.state, {"clock": str(clock.kind), "rung": kind})
        ticket.version += 1
    happening = f"{clock.kind}_{kind}"
    change.send("notify", happening=happening, event_id=str(event.id) if event else None)
    clocks.plan_next(change, clock, kind)


def _end_of_stage(change: Change, clock: TicketClock) -> None:
    """What happens when nobody acted within a stage: never nothing."""
    ticket = change.ticket
    if clock.stage == "open" and ticket.signed_at is None:
        action = "auto_sign"
    elif clock.stage == "callback":
        exhausted = ticket.callback_attempts >= CALLBACK_ATTEMPTS
        action = "close_unanswered" if exhausted else "attempt_callback"
    else:
        change.send("notify", happening="stage_overdue", stage=clock.stage, event_id=None)
        change.write()
        return
    actions.carry(change.session, ticket, BY_ACTION[action], {}, SYSTEM_ACTOR, change.world, change.now)
