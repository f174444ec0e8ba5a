"""What actions do to a ticket between its acceptance and the unit's answer: dispatch, signing, objection, raising."""

from collections.abc import Iterable, Mapping
from typing import Any

from dispatch.record import clocks
from dispatch.record.change import Change
from dispatch.record.effects import crossing
from dispatch.record.judging import admitting
from dispatch.record.judging.routes import forbidden, is_accused
from dispatch.record.models import Assignment, Objection, Queue
from dispatch.record.oversight import rechecks
from dispatch.rules.admission import Part
from dispatch.rules.clocks import Clock
from dispatch.rules.deadlines import due
from dispatch.rules.workflow import ClockKind
from grid.errors import InputError

Values = Mapping[str, Any]
MAIN, ASSIST = "main", "assist"
ASSIST_CLOCKS = ("assist_sign", "assist")


def accept(change: Change, given: Values) -> None:
    ticket = change.ticket
    ticket.accepted_at = ticket.accepted_at or change.now
    ticket.owner_code = change.standing.centre_code
    ticket.queue = given.get("queue") or Queue.UNROUTED
    ticket.closed_at = ticket.proposed_by = None


def settle_on_the_spot(change: Change, given: Values) -> None:
    change.ticket.closed_at = change.now


def dispatch(change: Change, given: Values) -> None:
    """Hand the ticket to a unit: from this instant its clock and its period for objection run."""
    ticket, standing = change.ticket, change.standing
    code = standing.organisation(str(given["organisation"])).code
    refuse_the_accused(change, code)
    ticket.main_code = ticket.owner_code = code
    ticket.queue = None
    ticket.step = 1
    ticket.section_code = ticket.proposed_by = None
    ticket.dispatched_at = change.now
    ticket.opened_at = ticket.signed_at = ticket.contacted_at = ticket.handled_at = None
    limit, _ = standing.limit("objection", ticket.category_code, ticket.nature, ticket.urgent)
    ticket.objection_until = due(Clock(limit, change.now), standing.calendar, standing.hours(None)).at
    assign(change, code)
    if given.get("assistants"):
        ask_assistants(change, given["assistants"])


def refuse_the_accused(change: Change, organisation_code: str) -> None:
    """On no path is a complaint given to the unit that it is about."""
    if is_accused(change.standing, change.ticket, organisation_code):
        sentence = "诉求投诉的就是这个单位(或其上级),不能交其自办,请选定其上级或另一单位"
        raise InputError(sentence, {"organisation": sentence})


def assign(change: Change, organisation_code: str, part: str = MAIN) -> Assignment:
    row: Assignment = change.add(
        Assignment,
        round=1 + sum(a.part == part for a in change.rows(Assignment)),
        part=part,
        organisation_code=organisation_code,
        dispatched_at=change.now,
    )
    return row


def ask_assistants(change: Change, codes: Iterable[str]) -> None:
    """Other units are to help, each on a clock of its own; the negative list holds for them as well."""
    ticket, standing = change.ticket, change.standing
    already = {a.organisation_code for a in assistants(change) if a.ended_at is None} | {ticket.main_code}
    for code in dict.fromkeys(codes):
        unit = standing.organisation(code)
        clause = forbidden(standing, ticket, unit, Part.ASSISTANT)
        if clause is not None and not _let_through(change, code):
            raise admitting.barred_from(ticket, clause, code, "assist", field="organisations")
        if code in already:
            continue
        assign(change, code, ASSIST)
        for stage in ASSIST_CLOCKS:
            clocks.start(change, ClockKind.ASSIST, stage, organisation=code)
    _keep_assistants(change)


def _let_through(change: Change, code: str) -> bool:
    """Use up the admission that the district gave for this unit, if it did."""
    admitted = admitting.approved(change.session, change.ticket, code)
    if admitted is None:
        return False
    admitted.used_at = change.now
    change.reasons["admitted"] = {"admittance": str(admitted.id), "clause": admitted.clause}
    return True


def assistants(change: Change) -> list[Assignment]:
    return [row for row in change.rows(Assignment) if row.part == ASSIST]


def end_assistance(change: Change, row: Assignment, outcome: str) -> None:
    """A unit has done its part, or is let go; its clocks stop."""
    row.ended_at, row.outcome = change.now, outcome
    stop_assist_clocks(change, row.organisation_code)


def stop_assist_clocks(change: Change, organisation_code: str, stage: str | None = None) -> None:
    for clock in clocks.open_clocks(change, ClockKind.ASSIST):
        if clock.organisation_code == organisation_code and stage in (None, clock.stage):
            clocks.stop(change, clock)


def _keep_assistants(change: Change) -> None:
    codes = dict.fromkeys(row.organisation_code for row in assistants(change))
    change.ticket.assistant_codes = ",".join(codes) or None


def open_(change: Change, given: Values) -> None:
    change.ticket.opened_at = change.now
    current(change).opened_at = change.now


def auto_sign(change: Change, given: Values) -> None:
    sign(change)
    current(change).auto_signed = True


def start(change: Change, given: Values) -> None:
    sign(change)


def contact(change: Change, given: Values) -> None:
    sign(change)
    change.ticket.contacted_at = change.ticket.contacted_at or change.now
    current(change).contacted_at = change.ticket.contacted_at


def handle(change: Change, given: Values) -> None:
    sign(change)
    ticket, assignment = change.ticket, current(change)
    ticket.handled_at = assignment.handled_at = change.now
    assignment.handled_by = change.actor.account_id
    ticket.solved = str(given["solved"])
    ticket.owner_code = change.standing.centre_code
    crossing.choose_verifiers(change)


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


def return_barred(change: Change, given: Values) -> None:
    """A community gives back what the list bars, with the clause; that is no objection and is not counted as one."""
    ticket, standing = change.ticket, change.standing
    unit = standing.organisations[str(ticket.main_code)]
    change.reasons["clause"] = forbidden(standing, ticket, unit)
    end_assignment(change, "returned_barred")
    ticket.main_code = ticket.section_code = None
    ticket.owner_code = standing.centre_code
    ticket.queue = Queue.UNROUTED


def consult(change: Change, given: Values) -> None:
    """The unit, or the third rework, brings the matter before all concerned."""
    change.ticket.queue = Queue.CONSULTATION
    change.ticket.owner_code = change.standing.centre_code


def uphold_objection(change: Change, given: Values) -> None:
    _rule(change, "upheld")
    end_assignment(change, "reassigned")
    dispatch(change, given)


def refuse_objection(change: Change, given: Values) -> None:
    _rule(change, "refused")
    _bind(change)
    change.ticket.owner_code = change.ticket.main_code or change.standing.centre_code
    change.ticket.queue = None


def settle(change: Change, given: Values) -> None:
    stays = given["organisation"] == change.ticket.main_code
    _rule(change, "refused" if stays else "upheld")
    end_assignment(change, "settled")
    dispatch(change, given)
    _bind(change)


def grant_raise(change: Change, given: Values) -> None:
    """The upper level takes over; the old lead helps on, its own clock stands (提级办理)."""
    former = str(change.ticket.main_code)
    end_assignment(change, "raised")
    dispatch(change, given)
    assign(change, former, ASSIST)
    for stage in ASSIST_CLOCKS[1:]:
        clocks.start(change, ClockKind.ASSIST, stage, organisation=former)
    current_assistant(change, former).signed_at = change.now
    _keep_assistants(change)


def verify_fail(change: Change, given: Values) -> None:
    """Back to the unit: its old clock goes on, no new limit."""
    change.ticket.reworks += 1
    change.ticket.handled_at = None
    change.ticket.owner_code = change.ticket.main_code or change.standing.centre_code


def second_handling(change: Change, given: Values) -> None:
    """The reporter's dissatisfaction was upheld: a new assignment with the limit of second handling."""
    ticket = change.ticket
    end_assignment(change, "second_handling")
    ticket.reworks += 1
    ticket.queue = None
    ticket.handled_at = ticket.contacted_at = ticket.verified_at = ticket.closed_at = None
    ticket.owner_code = ticket.main_code or change.standing.centre_code
    assign(change, str(ticket.main_code))


def false_completion(change: Change, given: Values) -> None:
    """A re-check found that it was not done: counted, and taken up again."""
    change.ticket.false_completion = True
    rechecks.settle(change.session, str(given["plan"]), change.ticket, "false", change.now)
    second_handling(change, given)


def current(change: Change) -> Assignment:
    """The assignment of the unit that has the ticket now."""
    row: Assignment = [a for a in change.rows(Assignment) if a.part == MAIN][-1]
    return row


def current_assistant(change: Change, organisation_code: str) -> Assignment:
    row: Assignment = [a for a in assistants(change) if a.organisation_code == organisation_code][-1]
    return row


def sign(change: Change) -> None:
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
    waiting = [row for row in change.rows(Objection) if row.ruled_at is None]
    for objection in waiting[-1:]:
        objection.outcome, objection.ruled_at = outcome, change.now
        objection.ruled_by = change.actor.account_id


def end_assignment(change: Change, outcome: str) -> None:
    assignment = current(change)
    assignment.ended_at, assignment.outcome = change.now, outcome


def _bind(change: Change) -> None:
    """指定承办:不得再退."""
    change.ticket.no_return = True
