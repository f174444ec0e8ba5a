"""After new borders: open tickets are placed anew, each with its reason; what is closed keeps the codes of its day.

A ticket that no unit has signed is routed anew as well. One that is signed stays with its unit (首接负责) and only
its codes follow the ground, so that somebody of the new grid can verify it.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import and_
from sqlmodel import Session, col, select

from dispatch.record import clocks, queries
from dispatch.record.change import Change
from dispatch.record.effects import assigning
from dispatch.record.judging import deciding
from dispatch.record.judging.nearby import nearby
from dispatch.record.judging.routes import decide
from dispatch.record.models import Ticket
from dispatch.record.oversight import inspections
from dispatch.record.oversight.models import InspectionPoint, InspectionVisit
from dispatch.record.world import Standing, World
from dispatch.rules.workflow import OPEN_STATES, ClockKind, State
from geo.errors import GeoError
from grid.database import Database
from grid.permissions import SYSTEM_ACTOR

BY_HAND = "by_hand"
UNSIGNED = frozenset({State.SUBMITTED, State.FILED, State.DISPATCHED})
CODES = ("district_code", "street_code", "community_code", "grid_code", "overlay_codes", "verify_grid")


def replace_open(database: Database, world: World, now: datetime) -> int:
    """One transaction per ticket, so that a break in the middle loses nothing; the answer is how many moved."""
    with database.reading() as session:
        generation = world.refresh(session, at_once=True).generation_id
        query = select(Ticket.intake_district, Ticket.id).where(
            queries.is_open(), col(Ticket.generation_id).is_distinct_from(generation)
        )
        waiting = session.exec(query).all()
    database.write(lambda s: _visits(s, world, now))
    return sum(database.write(lambda s, key=key: _one(s, key, world, now)) for key in waiting)  # type: ignore[misc]


def _visits(session: Session, world: World, now: datetime) -> None:
    """This week's inspections that are still to be made lie in the grids of now."""
    query = (
        select(InspectionVisit)
        .join(InspectionPoint, col(InspectionPoint.visit_id) == col(InspectionVisit.id))
        .where(
            col(InspectionVisit.week_on) >= inspections.week_of(now, world),
            col(InspectionPoint.result).is_(None),
        )
    )
    for visit in session.exec(query.distinct()):
        if visit.grid_code is not None and visit.grid_code not in world.standing.areas:
            placed = world.locate(lon=visit.lon, lat=visit.lat, accuracy_m=None, frame="wgs84")
            visit.grid_code = placed.codes.get("grid")
            session.add(visit)


def _one(session: Session, key: tuple[str, object], world: World, now: datetime) -> bool:
    district, ticket_id = key
    query = select(Ticket).where(and_(col(Ticket.intake_district) == district, col(Ticket.id) == ticket_id))
    ticket = session.exec(query.with_for_update()).one()
    standing = world.standing
    if ticket.state not in OPEN_STATES or ticket.generation_id == standing.generation_id:
        return False
    before = {name: getattr(ticket, name) for name in CODES}
    try:
        found = world.locate(lon=ticket.lon, lat=ticket.lat, accuracy_m=ticket.accuracy_m, frame="wgs84")
    except GeoError:
        return False
    change = Change(session, ticket, SYSTEM_ACTOR, world, now)
    deciding.keep_place(ticket, found, standing.generation_id)
    _follow_verifier(ticket, standing)
    after = {name: getattr(ticket, name) for name in CODES}
    if before == after:
        change.write()
        return False
    reasons: dict[str, Any] = {
        "placed": ticket.placed,
        "before": before,
        "reason": "边界版本更换,按坐标重新落格",
    }
    signed = ticket.signed_at is not None or ticket.state not in UNSIGNED
    moved = False
    if signed:
        reasons["kept"] = "已签收,留原单位办理,只改统计归属"
    elif ticket.state in (State.FILED, State.DISPATCHED):
        moved = _route(change, reasons)
    event = change.append(None, "border_changed", ticket.state, {}, reasons)
    clocks.enter_stage(change, entered=moved)
    ticket.version += 1
    if moved:
        change.send("notify", happening="dispatched", event_id=str(event.id))
    change.write()
    return True


def _follow_verifier(ticket: Ticket, standing: Standing) -> None:
    """Where the neighbour who was drawn to verify went with the borders, who has that ground does, or the own grid."""
    if ticket.verify_grid is None or ticket.verify_grid in standing.areas:
        return
    heirs = standing.now_there(ticket.verify_grid)
    ticket.verify_grid = next((code for code in heirs if code != ticket.grid_code), None)


def _route(change: Change, reasons: dict[str, Any]) -> bool:
    """Ask the rules again; True when another unit has it now."""
    ticket = change.ticket
    near = nearby(change.session, change.standing, ticket, change.now)
    decision = decide(change.standing, ticket, change.now, near)
    reasons["routed"] = decision.kept
    if decision.main is None or decision.main == ticket.main_code:
        return False
    ticket.routed = decision.kept
    if ticket.state is State.DISPATCHED:
        assigning.end_assignment(change, "border_changed")
    assigning.dispatch(change, {"organisation": decision.main, "assistants": list(decision.assistants)})
    for clock in clocks.open_clocks(change, ClockKind.HANDLE):
        clocks.stop(change, clock)
    clocks.start(change, ClockKind.HANDLE, "handle")
    ticket.state = State.DISPATCHED
    return True
