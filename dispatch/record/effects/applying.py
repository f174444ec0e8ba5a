"""What a unit asks for and what is decided about it: more information, time, suspension, an end; and its stages."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dispatch.record import clocks
from dispatch.record.change import Change
from dispatch.record.effects.assigning import (
    consult,
    current,
    end_assignment,
    handle,
    refuse_the_accused,
    sign,
)
from dispatch.record.models import OutboxRow, Queue, Timer
from dispatch.record.oversight import letters, rechecks
from dispatch.rules.clocks import Clock
from dispatch.rules.deadlines import due
from dispatch.rules.workflow import ClockKind
from grid.errors import InputError

Values = Mapping[str, Any]
RESUME_PLANNED = "resume_planned"


def nothing(change: Change, given: Values) -> None:
    """The event says it all."""


def work(change: Change, given: Values) -> None:
    """A step of handling: whoever takes it has signed."""
    sign(change)


def ask_more(change: Change, given: Values) -> None:
    """More information is asked for; counted, and put to the account of the unit that asked."""
    change.ticket.supplements += 1
    change.ticket.owner_code = change.standing.centre_code
    change.ticket.queue = Queue.INTAKE
    if change.ticket.main_code is not None:
        sign(change)


def supplied(change: Change, given: Values) -> None:
    change.ticket.queue = None
    back_to_unit(change)


def supplied_intake(change: Change, given: Values) -> None:
    change.ticket.queue = Queue.INTAKE


def back_to_unit(change: Change) -> None:
    change.ticket.owner_code = change.ticket.main_code or change.standing.centre_code
    change.ticket.queue = change.ticket.proposed_by = None


def apply(change: Change, given: Values) -> None:
    """A unit asks for something that somebody else must decide; until then the ticket is on that desk."""
    sign(change)
    ticket = change.ticket
    ticket.proposed_by = change.actor.account_id
    ticket.queue = Queue.APPLICATION
    ticket.owner_code = change.standing.centre_code


def granted_not(change: Change, given: Values) -> None:
    change.ticket.plan_until = None
    back_to_unit(change)


def grant_extension(change: Change, given: Values) -> None:
    """So many work days more, within the longest that the rules allow from the dispatch on."""
    ticket, standing = change.ticket, change.standing
    (clock,) = clocks.open_clocks(change, ClockKind.HANDLE)
    longest, _ = standing.limit("extension_max", ticket.category_code, ticket.nature, ticket.urgent)
    value = clocks.as_value(clock)
    latest = due(Clock(longest, value.started_at, value.pauses), standing.calendar, standing.hours(None)).at
    clocks.extend(change, clock, int(given["days"]))
    if clock.due_at > max(latest, value.started_at):
        local = latest.astimezone(change.world.settings.zone)
        sentence = f"延期后最晚到 {local:%Y-%m-%d %H:%M}(自派出起 {longest.label}),请少延几天"
        raise InputError(sentence, {"days": sentence})
    ticket.extensions += 1
    back_to_unit(change)


def ask_suspension(change: Change, given: Values) -> None:
    apply(change, given)
    change.ticket.plan_until = given["plan_until"]


def grant_suspension(change: Change, given: Values) -> None:
    """The clocks stand until the planned day, on which the matter resumes by itself."""
    ticket = change.ticket
    back_to_unit(change)
    assert ticket.plan_until is not None
    change.add(
        Timer,
        kind=RESUME_PLANNED,
        key=f"{ticket.id}:{RESUME_PLANNED}:{change.now.isoformat()}",
        due_at=ticket.plan_until,
    )


def resume(change: Change, given: Values) -> None:
    change.ticket.plan_until = None
    back_to_unit(change)


def draft_answer(change: Change, given: Values) -> None:
    """The answer waits for the leader of the unit; it stays the unit's, and its clock runs on."""
    sign(change)
    change.ticket.proposed_by = change.actor.account_id
    change.ticket.solved = str(given["solved"])


def approve_answer(change: Change, given: Values) -> None:
    ticket = change.ticket
    drafter = ticket.proposed_by
    handle(change, {"solved": ticket.solved})
    current(change).handled_by = drafter
    ticket.proposed_by = None


def finish_step(change: Change, given: Values) -> None:
    """This step is done within its limit; the next one begins, with its own."""
    sign(change)
    change.ticket.step = max(change.ticket.step, 1) + 1


def hand_to_enforcement(change: Change, given: Values) -> None:
    sign(change)
    change.ticket.staged_result = f"enforcement:{given['case_number']}"


def assign_within(change: Change, given: Values) -> None:
    refuse_the_accused(change, str(given["organisation"]))
    change.ticket.section_code = str(given["organisation"])
    sign(change)


def propose_rejection(change: Change, given: Values) -> None:
    change.ticket.proposed_by = change.actor.account_id
    change.ticket.queue = Queue.SECOND_LOOK


def pass_on(change: Change, given: Values) -> None:
    change.ticket.queue = Queue.RECEIPT


def send_to_verify(change: Change, given: Values) -> None:
    change.ticket.queue = Queue.INTAKE


def verify_beside(change: Change, given: Values) -> None:
    change.ticket.checked_beside_at = change.now


def made_safe(change: Change, given: Values) -> None:
    """The danger is fenced off; whose it is, is settled next."""
    ticket, assignment = change.ticket, current(change)
    assignment.handled_at = assignment.ended_at = change.now
    assignment.signed_at = assignment.signed_at or change.now
    assignment.handled_by = change.actor.account_id
    assignment.outcome = "made_safe"
    ticket.queue = Queue.OWNERSHIP
    ticket.main_code = None
    ticket.owner_code = change.standing.centre_code


def ask_exclusion(change: Change, given: Values) -> None:
    change.ticket.exclusion = "asked"


def grant_exclusion(change: Change, given: Values) -> None:
    change.ticket.exclusion = "granted"


def refuse_exclusion(change: Change, given: Values) -> None:
    change.ticket.exclusion = "refused"


def force_upper(change: Change, given: Values) -> None:
    """The third rework: before all concerned, and onto the unit's supervision letter."""
    ground = "third_rework"
    letters.note(change.session, change.ticket, letters.CALLED_FOR[ground], ground, change.now)
    consult(change, given)


def recheck_pass(change: Change, given: Values) -> None:
    rechecks.settle(change.session, str(given["plan"]), change.ticket, "true", change.now)


def return_lead(change: Change, given: Values) -> None:
    """The unit says that the lead is not its own; oversight judges anew."""
    end_assignment(change, "returned")
    change.ticket.main_code = None
    change.ticket.owner_code = change.standing.centre_code


def report_rectified(change: Change, given: Values) -> None:
    current(change).handled_at = change.ticket.handled_at = change.now
    current(change).handled_by = change.actor.account_id
    change.ticket.owner_code = change.standing.centre_code


def back_to_rectify(change: Change, given: Values) -> None:
    change.ticket.reworks += 1
    back_to_unit(change)


def urge(change: Change, given: Values) -> None:
    """Counted; who handles it is told once a day, with the count."""
    ticket = change.ticket
    ticket.urged += 1
    if ticket.urged == 1 or not _told_today(change):
        change.send("notify", happening="reminder", count=ticket.urged, event_id=None)


def _told_today(change: Change) -> bool:
    def day(at: datetime) -> object:
        return at.astimezone(change.world.settings.zone).date()

    return any(
        (row.payload or {}).get("happening") == "reminder" and day(row.created_at) == day(change.now)
        for row in change.rows(OutboxRow)
    )
