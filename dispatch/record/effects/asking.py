"""What actions do from the verification to the end: asking the reporter, weighing the answer, closing, re-opening."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import and_, select
from sqlmodel import Session, col

from dispatch.record.change import Change
from dispatch.record.models import (
    Assignment,
    CallbackAnswer,
    LinkKind,
    PersonAsked,
    Queue,
    Reporter,
    Source,
    Ticket,
    TicketLink,
    Timer,
)
from dispatch.record.world import Standing
from dispatch.rules.callbacks import PER_PERSON, next_waking_hour, sampled
from dispatch.rules.clocks import Clock
from dispatch.rules.deadlines import due
from dispatch.rules.workflow import State
from grid.settings import Settings

Values = Mapping[str, Any]
UNANSWERED = "unanswered"
ARCHIVE = "archive"


def can_ask(reporters: list[Reporter]) -> bool:
    """Somebody reported who agreed to be asked and can be reached."""
    return any(r.consented and r.phone and r.erased_at is None for r in reporters)


def will_ask(ticket: Ticket, reporters: list[Reporter]) -> bool:
    """Whether this ticket's reporter is to be asked by us: reachable, drawn, and not the upper platform's business."""
    asked = ticket.sampled is not False and ticket.conduct not in ("held", "kept")
    return can_ask(reporters) and asked and ticket.source is not Source.UPPER


def person_key(settings: Settings, phone: str | None) -> str | None:
    """One person's key by the telephone; without the installation's secret nobody can go back from it."""
    digits = "".join(sign for sign in phone or "" if sign.isdigit())
    if not digits:
        return None
    return hmac.new(settings.secret_key.encode(), b"person:" + digits.encode(), hashlib.sha256).hexdigest()


def reopen_until(ticket: Ticket, standing: Standing) -> datetime:
    """Until when a closed ticket may be taken up again; then it is archived."""
    limit, _ = standing.limit("reopen", ticket.category_code, ticket.nature, ticket.urgent)
    return due(
        Clock(limit, ticket.closed_at or ticket.reported_at), standing.calendar, standing.hours(None)
    ).at


def verified(change: Change, given: Values) -> None:
    ticket = change.ticket
    ticket.verified_at = change.now
    ticket.queue = None
    ticket.owner_code = change.standing.centre_code
    ticket.progress_due_at = None
    ticket.sampled = sampled(ticket.code, change.standing.asking)
    if will_ask(ticket, change.rows(Reporter)):
        ticket.callback_round += 1
        ticket.callback_attempts = 1
        change.stage_from = ask(change)
    change.then += [(child, "follow_main") for child in merged_children(change.session, ticket)]


def ask(change: Change) -> datetime:
    """Send the link of this round as soon as the person may be asked; the answer is when that is."""
    keys = {r.person_key for r in change.rows(Reporter) if r.person_key}
    known = [change.session.get(PersonAsked, key) for key in sorted(keys)]
    last = max((row.asked_at for row in known if row), default=None)
    first = change.now if last is None else max(change.now, last + PER_PERSON)
    at = next_waking_hour(first, change.standing.asking)
    change.send("ask_reporter", not_before=at, round=change.ticket.callback_round)
    for key in keys:
        change.session.merge(PersonAsked(person_key=key, asked_at=at))
    return at


def merged_children(session: Session, ticket: Ticket) -> list[Ticket]:
    """The tickets that are merged into this one now."""
    if not ticket.merged_count:
        return []
    query = (
        select(Ticket)
        .join(
            TicketLink,
            and_(
                col(TicketLink.intake_district) == col(Ticket.intake_district),
                col(TicketLink.ticket_id) == col(Ticket.id),
            ),
        )
        .where(
            col(TicketLink.other_id) == ticket.id,
            col(TicketLink.kind) == LinkKind.MERGED,
            col(TicketLink.ended_at).is_(None),
            col(Ticket.state) == State.MERGED,
        )
        .order_by(col(Ticket.id))
        .with_for_update(of=Ticket)
    )
    return list(session.execute(query).scalars())


def follow_main(change: Change, given: Values) -> None:
    """The matter this ticket was merged into is verified: its own reporter is asked for itself.

    Should they not be satisfied, it is the same unit that takes their part up again.
    """
    ticket = change.ticket
    link = [row for row in change.rows(TicketLink) if row.kind is LinkKind.MERGED][-1]
    main = change.session.get(Ticket, (link.other_district, link.other_id))
    assert main is not None
    ticket.main_code, ticket.handled_at, ticket.solved = main.main_code, main.handled_at, main.solved
    ticket.closed_at = None
    change.add(
        Assignment,
        round=1 + len(change.rows(Assignment)),
        organisation_code=main.main_code,
        dispatched_at=main.dispatched_at or change.now,
        signed_at=main.signed_at,
        handled_at=main.handled_at,
    )
    verified(change, given)


def attempt(change: Change, given: Values) -> None:
    change.ticket.callback_attempts += 1
    if change.actor.account_id is None:
        change.send("ask_reporter", round=change.ticket.callback_round)


def satisfied(change: Change, given: Values) -> None:
    _answer(change, given, str(given["solved"]))
    close(change, given)


def unsolved(change: Change, given: Values) -> None:
    _answer(change, given, str(given["solved"]))
    change.ticket.queue = Queue.REVIEW


def unanswered(change: Change, given: Values) -> None:
    """Not answered is counted as such, never as satisfied."""
    _answer(change, given, UNANSWERED)
    close(change, given)


def told_progress(change: Change, given: Values) -> None:
    """The limit has passed and the reporter was asked how it goes; the matter stays where it is."""
    change.ticket.progress_due_at = None


def instant_answer(change: Change, given: Values) -> None:
    _answer(change, given, str(given["solved"]))


def close(change: Change, given: Values) -> None:
    """Closed: for a while it may be taken up again, then it is archived."""
    end(change, given)
    change.add(
        Timer,
        kind=ARCHIVE,
        key=f"{change.ticket.id}:{ARCHIVE}:{change.now.isoformat()}",
        due_at=reopen_until(change.ticket, change.standing),
    )


def end(change: Change, given: Values) -> None:
    """The matter ends here, for whatever reason."""
    ticket = change.ticket
    ticket.closed_at = change.now
    ticket.queue = None
    ticket.proposed_by = None
    ticket.owner_code = change.standing.centre_code
    ticket.progress_due_at = None


def abandon(change: Change, given: Values) -> None:
    """Ended without being handled: whoever's report was merged into it goes on without it."""
    change.then += [(child, "stand_alone") for child in merged_children(change.session, change.ticket)]
    end(change, given)


def _answer(change: Change, given: Values, outcome: str) -> None:
    ticket = change.ticket
    satisfaction = int(given["satisfaction"]) if given.get("satisfaction") else None
    ticket.solved = outcome if outcome != UNANSWERED else ticket.solved
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
