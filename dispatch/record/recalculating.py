"""When the official calendar of a year comes in, the ends that were estimated are computed anew, with an event."""

from datetime import datetime

from sqlalchemy import and_
from sqlmodel import Session, col, select

from dispatch.record import clocks
from dispatch.record.change import Change
from dispatch.record.models import Ticket, TicketClock
from dispatch.record.world import World
from grid.database import Database
from grid.permissions import SYSTEM_ACTOR


def recalculate(database: Database, world: World, now: datetime) -> int:
    """One transaction per ticket, so that a break in the middle loses nothing; the answer is how many moved."""
    with database.reading() as session:
        world.refresh(session, at_once=True)
        query = (
            select(TicketClock.intake_district, TicketClock.ticket_id)
            .where(col(TicketClock.estimated), col(TicketClock.stopped_at).is_(None))
            .where(col(TicketClock.paused_at).is_(None))
            .distinct()
        )
        waiting = session.exec(query).all()
    return sum(database.write(lambda s, key=key: _one(s, key, world, now)) for key in waiting)  # type: ignore[misc]


def _one(session: Session, key: tuple[str, object], world: World, now: datetime) -> bool:
    district, ticket_id = key
    query = select(Ticket).where(and_(col(Ticket.intake_district) == district, col(Ticket.id) == ticket_id))
    ticket = session.exec(query.with_for_update()).one()
    change = Change(session, ticket, SYSTEM_ACTOR, world, now)
    moved = {}
    for clock in clocks.open_clocks(change):
        if clock.estimated and clock.paused_at is None:
            before = clock.due_at
            if clocks.recompute(change, clock):
                moved[f"{clock.kind}:{clock.stage}"] = [before.isoformat(), clock.due_at.isoformat()]
    if moved:
        event = change.append(None, "calendar_changed", ticket.state, {"moved": moved})
        clocks.enter_stage(change, entered=False)
        ticket.version += 1
        change.send("notify", happening="calendar_changed", event_id=str(event.id))
    change.write()
    return bool(moved)
