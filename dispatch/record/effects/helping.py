"""Joint work (吹哨报到): each unit that is asked signs and reports on its own clock; the street may rate it."""

from collections.abc import Mapping
from typing import Any

from dispatch.record.change import Change
from dispatch.record.effects import assigning
from dispatch.record.models import Assignment, UnitRating
from grid.errors import Conflict, InputError

Values = Mapping[str, Any]


def add_assistants(change: Change, given: Values) -> None:
    assigning.ask_assistants(change, given["organisations"])


def whistle(change: Change, given: Values) -> None:
    assigning.sign(change)
    change.ticket.whistled_by = change.ticket.main_code
    others = [code for code in given["organisations"] if code != change.ticket.main_code]
    if not others:
        raise InputError("吹哨须点名其他单位", {"organisations": "请选择要请来的单位"})
    assigning.ask_assistants(change, others)


def sign_in(change: Change, given: Values) -> None:
    row = _own(change)
    if row.signed_at is not None:
        raise Conflict("本单位已经报到")
    _sign(change, row)


def report_help(change: Change, given: Values) -> None:
    row = _own(change)
    _sign(change, row)
    row.handled_at, row.handled_by = change.now, change.actor.account_id
    assigning.end_assistance(change, row, str(given["helped"]))


def waive(change: Change, given: Values) -> None:
    row = assigning.current_assistant(change, str(given["organisation"]))
    row.waived = True
    assigning.end_assistance(change, row, "waived")


def rate(change: Change, given: Values) -> None:
    """One tap; a second one corrects the first."""
    code, score = str(given["organisation"]), int(given["score"])
    known = [row for row in change.rows(UnitRating) if row.organisation_code == code]
    for row in known:
        row.score, row.rated_at, row.rated_by = score, change.now, change.actor.account_id
    if not known:
        change.add(
            UnitRating,
            organisation_code=code,
            score=score,
            rated_by=change.actor.account_id,
            rated_at=change.now,
        )


def _own(change: Change) -> Assignment:
    """The open request to a unit of the actor's."""
    rows = [
        row
        for row in assigning.assistants(change)
        if row.ended_at is None and row.organisation_code in change.actor.under
    ]
    return rows[-1]


def _sign(change: Change, row: Assignment) -> None:
    if row.signed_at is None:
        row.opened_at = row.opened_at or change.now
        row.signed_at = change.now
        assigning.stop_assist_clocks(change, row.organisation_code, "assist_sign")
