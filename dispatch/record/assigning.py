"""What actions do to a ticket between its acceptance and the unit's answer: dispatch, signing, objection."""

from collections.abc import Mapping
from typing import Any

from dispatch.record.change import Change
from dispatch.record.models import Assignment, Objection, Queue
from dispatch.rules.clocks import Clock
from dispatch.rules.deadlines import due

Values = Mapping[str, Any]


def accept(change: Change, given: Values) -> None:
    ticket = change.ticket
    ticket.accepted_at = change.now
    ticket.owner_code = change.standing.centre_code
    ticket.queue = given.get("queue") or Queue.UNROUTED


def settle_on_the_spot(change: Change, given: Values) -> None:
    change.ticket.closed_at = change.now


def dispatch(change: Change, given: Values) -> None:
    """Hand the ticket to a unit: from this instant its clock and its period for objection run."""
    ticket, standing = change.ticket, change.standing
    code = standing.organisation(str(given["organisation"])).code
    ticket.main_code = ticket.owner_code = code
    ticket.assistant_codes = ",".join(given.get("assistants") or ()) or None
    ticket.queue = None
    ticket.dispatched_at = change.now
    ticket.opened_at = ticket.signed_at = ticket.contacted_at = ticket.handled_at = None
    limit, _ = standing.limit("objection", ticket.category_code, ticket.nature, ticket.urgent)
    ticket.objection_until = due(Clock(limit, change.now), standing.calendar, standing.hours(None)).at
    assign(change, code)


def assign(change: Change, organisation_code: str) -> Assignment:
    row: Assignment = change.add(
        Assignment,
        round=len(change.rows(Assignment)) + 1,
        organisation_code=organisation_code,
        dispatched_at=change.now,
    )
    return row


def open_(change: Change, given: Values) -> None:
    change.ticket.opened_at = change.now
    current(change).opened_at = change.now


def auto_sign(change: Change, given: Values) -> None:
    _sign(change)
    current(change).auto_signed = True


def start(change: Change, given: Values) -> None:
    _sign(change)


def contact(change: Change, given: Values) -> None:
    _sign(change)
    change.ticket.contacted_at = change.ticket.contacted_at or change.now
    current(change).contacted_at = change.ticket.contacted_at


def handle(change: Change, given: Values) -> None:
    _sign(change)
    ticket, assignment = change.ticket, current(change)
    ticket.handled_at = assignment.handled_at = change.now
    assignment.handled_by = change.actor.account_id
    ticket.solved = str(given["solved"])
    ticket.owner_code = change.standing.centre_code


def object_(change: Change, given: Values) -> None:
    """A unit says that it is not responsible; until the ruling the centre owns the ticket."""
    ticket = change.ticket
    ticket.objections += 1
    ticket.queue = Queue.CONSULTATION if ticket.objections > 1 else Queue.OBJECTION
    ticket.owner_code = change.standing.centre_code
    change.add(
        Objection,
        organisation_code=ticket.main_code,
        reason_code=given["reason_code"],
        suggested_code=given["organisation"],
        raised_by=change.actor.account_id,
        raised_at=change.now,
    )


def uphold_objection(change: Change, given: Values) -> None:
    _rule(change, "upheld")
    _end_assignment(change, "reassigned")
    dispatch(change, given)


def refuse_objection(change: Change, given: Values) -> None:
    _rule(change, "refused")
    _bind(change)
    change.ticket.owner_code = change.ticket.main_code or change.standing.centre_code
    change.ticket.queue = None


def settle(change: Change, given: Values) -> None:
    stays = given["organisation"] == change.ticket.main_code
    _rule(change, "refused" if stays else "upheld")
    _end_assignment(change, "settled")
    dispatch(change, given)
    _bind(change)


def verify_fail(change: Change, given: Values) -> None:
    """Back to the unit: its old clock goes on, no new limit."""
    change.ticket.reworks += 1
    change.ticket.handled_at = None
    change.ticket.owner_code = change.ticket.main_code or change.standing.centre_code


def second_handling(change: Change, given: Values) -> None:
    """The reporter's dissatisfaction was upheld: a new assignment with the limit of second handling."""
    _end_assignment(change, "second_handling")
    change.ticket.reworks += 1
    change.ticket.queue = None
    change.ticket.handled_at = change.ticket.contacted_at = change.ticket.verified_at = None
    change.ticket.owner_code = change.ticket.main_code or change.standing.centre_code
    assign(change, str(change.ticket.main_code))


def current(change: Change) -> Assignment:
    """The assignment of the unit that has the ticket now."""
    row: Assignment = change.rows(Assignment)[-1]
    return row


def _sign(change: Change) -> None:
    """The first step of handling is the signature; there is no button for it."""
    ticket = change.ticket
    if ticket.signed_at is None:
        ticket.signed_at = change.now
        ticket.opened_at = ticket.opened_at or change.now
        assignment = current(change)
        assignment.signed_at = change.now
        assignment.opened_at = assignment.opened_at or (
            None if change.actor.account_id is None else change.now
        )


def _rule(change: Change, outcome: str) -> None:
    objection: Objection = change.rows(Objection)[-1]
    objection.outcome, objection.ruled_at = outcome, change.now
    objection.ruled_by = change.actor.account_id


def _end_assignment(change: Change, outcome: str) -> None:
    assignment = current(change)
    assignment.ended_at, assignment.outcome = change.now, outcome


def _bind(change: Change) -> None:
    """指定承办:不得再退."""
    change.ticket.no_return = True
