"""What actions do from the verification to the end: asking the reporter, weighing the answer, closing."""

from collections.abc import Mapping
from typing import Any

from dispatch.record.change import Change
from dispatch.record.models import CallbackAnswer, Queue, Reporter

Values = Mapping[str, Any]


def can_ask(reporters: list[Reporter]) -> bool:
    """Somebody reported who agreed to be asked and can be reached."""
    return any(r.consented and r.phone and r.erased_at is None for r in reporters)


def verified(change: Change, given: Values) -> None:
    ticket = change.ticket
    ticket.verified_at = change.now
    ticket.owner_code = change.standing.centre_code
    if can_ask(change.rows(Reporter)):
        ticket.callback_round += 1
        ticket.callback_attempts = 0
        change.send("ask_reporter", round=ticket.callback_round)


def attempt(change: Change, given: Values) -> None:
    change.ticket.callback_attempts += 1


def satisfied(change: Change, given: Values) -> None:
    _answer(change, given, str(given["solved"]))
    close(change, given)


def unsolved(change: Change, given: Values) -> None:
    _answer(change, given, str(given["solved"]))
    change.ticket.queue = Queue.REVIEW


def unanswered(change: Change, given: Values) -> None:
    """Not answered is counted as such, never as satisfied."""
    _answer(change, given, "unanswered")
    close(change, given)


def close(change: Change, given: Values) -> None:
    ticket = change.ticket
    ticket.closed_at = change.now
    ticket.queue = None
    ticket.owner_code = change.standing.centre_code


def _answer(change: Change, given: Values, outcome: str) -> None:
    ticket = change.ticket
    satisfaction = int(given["satisfaction"]) if given.get("satisfaction") else None
    ticket.solved = outcome if outcome != "unanswered" else ticket.solved
    ticket.satisfaction = satisfaction
    change.add(
        CallbackAnswer,
        round=ticket.callback_round,
        channel=change.actor.channel,
        at=change.now,
        outcome=outcome,
        satisfaction=satisfaction,
        asked_by=change.actor.account_id,
    )
