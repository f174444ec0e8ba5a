"""Asks the pure rules where a ticket belongs and who answers for it, and keeps the answer with its reason."""

from collections.abc import Callable, Mapping
from typing import Any

from dispatch.record.change import Change
from dispatch.record.intake import Report
from dispatch.record.judging.nearby import nearby
from dispatch.record.judging.routes import decide, forbidden
from dispatch.record.models import Queue, Ticket
from dispatch.record.world import Standing, World
from dispatch.rules.workflow import BY_ACTION
from geo.errors import GeoError
from geo.placed import Placed
from grid.errors import InputError

CarryOut = Callable[..., None]
FAR_OUTSIDE_M = 20_000
LEVEL_COLUMNS = {
    "district": "district_code",
    "street": "street_code",
    "community": "community_code",
    "grid": "grid_code",
}


def placed(world: World, report: Report) -> Placed:
    """Where the report lies.

    Raises
    ------
    InputError
        The frame is unknown, the position is no place on earth, or it is far outside the city.
    """
    try:
        found = world.locate(lon=report.lon, lat=report.lat, accuracy_m=report.accuracy_m, frame=report.frame)
    except GeoError as error:
        raise InputError(str(error), {"location": str(error)}) from error
    if found.how == "outside" and (found.distance_m is None or found.distance_m > FAR_OUTSIDE_M):
        far = f",离本市最近的网格约 {found.distance_m / 1000:.0f} 公里" if found.distance_m else ""
        sentence = f"这个位置不在本市范围内{far};请检查手机定位,或在地图上重新选点"
        raise InputError(sentence, {"location": sentence})
    return found


def keep_place(ticket: Ticket, found: Placed, generation_id: int | None) -> None:
    """Write the codes that the ticket is decided with."""
    for level, column in LEVEL_COLUMNS.items():
        setattr(ticket, column, found.codes.get(level))
    ticket.overlay_codes = ",".join(found.overlays) or None
    ticket.generation_id = generation_id
    ticket.placed = found.to_json()


def place_as_scanned(ticket: Ticket, found: Placed, report: Report, standing: Standing) -> None:
    """Note whose code was scanned; where the phone stood elsewhere, the grid that the resident chose counts."""
    located = found.codes.get("grid")
    chosen = report.chosen_grid or located or report.scanned_grid
    noted = {"scanned": report.scanned_grid, "located": located, "chosen": chosen}
    ticket.placed = {**(ticket.placed or {}), **noted}
    if chosen is None or chosen == located or chosen != report.scanned_grid or chosen not in standing.areas:
        return
    lineage = {standing.areas[code].level: code for code in standing.area_lineage(chosen)}
    for level, column in LEVEL_COLUMNS.items():
        setattr(ticket, column, lineage.get(level))
    reason = f"扫的是{standing.areas[chosen].name}的码,手机定位不在该网格,本人选择按扫码网格提交"
    ticket.placed = {**ticket.placed, "how": "chosen", "codes": lineage, "reason": reason}


def place_as_chosen(ticket: Ticket, found: Placed, report: Report, standing: Standing) -> None:
    """The worker's word where the accuracy reaches into several grids; anything else is no answer to that question."""
    chosen = report.chosen_grid
    if chosen not in {candidate.code for candidate in found.candidates} or chosen not in standing.areas:
        return
    lineage = {standing.areas[code].level: code for code in standing.area_lineage(chosen)}
    for level, column in LEVEL_COLUMNS.items():
        setattr(ticket, column, lineage.get(level))
    reason = f"定位精度分不清是哪个网格,上报人确认在{standing.areas[chosen].name}"
    ticket.placed = {**(ticket.placed or {}), "how": "chosen", "codes": lineage, "reason": reason}


def queue_for(found: Placed) -> Queue:
    """The named queue of a ticket that is not dispatched by itself."""
    return Queue.OUT_OF_AREA if found.how in ("outside", "gap") else Queue.UNROUTED


def dispatch_if_routed(change: Change, found: Placed | None, carry_out: CarryOut) -> None:
    """Route an accepted ticket; dispatched at once when one unit is clearly responsible."""
    ticket = change.ticket
    if str(ticket.state) != "filed" or (found is not None and found.how in ("outside", "gap")):
        return
    near = nearby(change.session, change.standing, ticket, change.now)
    decision = decide(change.standing, ticket, change.now, near)
    ticket.routed = decision.kept
    if decision.main is None:
        ticket.queue = decision.queue
        return
    given = {"organisation": decision.main, "assistants": list(decision.assistants)}
    first = "dispatch_make_safe" if change.standing.is_ownerless(ticket.category_code) else "dispatch"
    carry_out(change, BY_ACTION[first], given, reasons={"routed": decision.kept})


def place_by_hand(change: Change, given: Mapping[str, Any]) -> None:
    """A person says which area the ticket belongs to."""
    ticket = change.ticket
    standing = change.standing
    lineage = {standing.areas[code].level: code for code in standing.area_lineage(str(given["area"]))}
    for level, column in LEVEL_COLUMNS.items():
        setattr(ticket, column, lineage.get(level))
    ticket.placed = {**(ticket.placed or {}), "how": "by_hand", "codes": lineage}
    ticket.queue = Queue.UNROUTED


def forbidden_clause(standing: Standing, ticket: Ticket, organisation_code: object) -> str | None:
    """The clause by which this unit may not be given this matter, if there is one."""
    organisation = standing.organisations.get(str(organisation_code or ""))
    return forbidden(standing, ticket, organisation) if organisation else None
