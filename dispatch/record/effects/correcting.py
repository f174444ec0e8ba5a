"""What a correction of category or nature does: the limits that run are those of the right kind of matter, from when
they began; where one moved, a share is drawn to be looked at again by somebody of the oversight."""

from collections.abc import Mapping
from typing import Any

from dispatch.record import clocks
from dispatch.record.change import Change
from dispatch.rules.workflow import ClockKind

Values = Mapping[str, Any]
DRAWN_PERCENT = 30


def reclassify(change: Change, given: Values) -> None:
    """The event keeps what it was before, and from when to when each end moved."""
    ticket = change.ticket
    category = change.standing.category(str(given["category"]))
    before = {"category": ticket.category_code, "nature": ticket.nature}
    ticket.category_code, ticket.urgent, ticket.verify_mode = (
        category.code,
        category.urgent,
        category.verify_mode,
    )
    ticket.nature = given.get("nature") or ticket.nature
    moved = {}
    for clock in clocks.open_clocks(change):
        was = clock.due_at
        if clock.kind is not ClockKind.ASSIST and clocks.limit_anew(change, clock):
            moved[f"{clock.kind}:{clock.stage}"] = [was.isoformat(), clock.due_at.isoformat()]
    if moved:
        ticket.correction_drawn = ticket.correction_drawn or is_drawn(change)
    change.reasons["reclassified"] = {"before": before, "moved": moved}


def is_drawn(change: Change) -> bool:
    """By a number that nobody chooses and everybody can work out again: that of the ticket."""
    return change.ticket.id.int % 100 < DRAWN_PERCENT


def audited(change: Change, given: Values) -> None:
    change.ticket.correction_drawn = False
