"""The round of calls to make: every matter about which somebody waits to be asked, one call a person.

Waiting are: verified matters, those whose handling limit has passed (done or not, asked once how it goes), and
instant answers. When to call, and in which order, is decided by `dispatch.rules.callbacks`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from dispatch.record import queries
from dispatch.record.lines import themes
from dispatch.record.models import CallbackAnswer, Reporter, Ticket, TicketClock, TicketEvent
from dispatch.record.reading import calling
from dispatch.record.world import Standing
from dispatch.rules.callbacks import PER_PERSON, Askable, next_civil_hour, plan_calls
from dispatch.rules.workflow import BY_ACTION, ClockKind, State
from grid.permissions import Actor

CALL_BACK = "ticket:call_back"
ASKED_IN = BY_ACTION["answer_satisfied"].sources
ASKED_HOW_IT_GOES_IN = BY_ACTION["ask_progress"].sources
TOOK_A_CALL = (
    "answer_satisfied",
    "answer_unsolved",
    "decline_callback",
    "record_instant_answer",
    "ask_progress",
)
INSTANT_FOR = timedelta(days=3)
BY_LINK = "link"
MOST = 300


@dataclass(frozen=True, slots=True)
class CallToMake:
    """One call to one person about all their matters; until `not_before_at` they are left in peace."""

    tickets: tuple[Ticket, ...]
    not_before_at: datetime
    tried_at: datetime | None


def waiting(actor: Actor, now: datetime) -> ColumnElement[bool]:
    """The tickets about which somebody waits to be asked."""
    return or_(*_open(actor), _answered_at_once(actor, now))


def _answered_at_once(actor: Actor, now: datetime) -> ColumnElement[bool]:
    whose = aliased(Reporter)
    answered = _of_it(CallbackAnswer)
    agreed = _of_it(whose, col(whose.consented).is_(True))
    lately = col(Ticket.closed_at) > now - INSTANT_FOR
    instant = and_(col(Ticket.state) == State.INSTANT, lately, agreed, ~answered)
    return and_(queries.visible(actor, CALL_BACK), instant)


def _open(actor: Actor) -> list[ColumnElement[bool]]:
    """Open matters to ask about, in parts of which each has an index."""
    how_it_goes = and_(col(Ticket.progress_due_at).is_not(None), col(Ticket.state).in_(ASKED_HOW_IT_GOES_IN))
    # A theme's desk stays with its tickets; an answer given at once is asked about by somebody else.
    own = and_(queries.is_open(), themes.not_elsewhere(actor))
    return [
        and_(part, own, kind)
        for part in queries.reached(actor, CALL_BACK).values()
        for kind in (col(Ticket.state).in_(ASKED_IN), how_it_goes)
    ]


def _of_it(table: Any, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    own = and_(table.intake_district == Ticket.intake_district, table.ticket_id == Ticket.id)
    return exists().where(own, *conditions).correlate(Ticket)


def calls(session: Session, actor: Actor, standing: Standing, now: datetime) -> list[CallToMake]:
    """Every call to make, the first one first; none is left out because it must wait."""
    # Apart, for each has an index of its own.
    tickets = queries.page(session, actor, size=MOST, parts=_open(actor))
    tickets += queries.page(session, actor, _answered_at_once(actor, now), size=MOST - len(tickets))
    persons = _persons(session, tickets)
    asked_from, tried = _asked_from(session, tickets), calling.last_attempts(session, tickets)
    by_code = {ticket.code: ticket for ticket in tickets}
    taken, goes_on = _calls_taken(session, set(persons.values()), standing, now)
    matters = [
        Askable(
            ticket.code,
            persons.get(ticket.id, ticket.code),
            _since(ticket, asked_from.get(ticket.id) if persons.get(ticket.id) not in goes_on else None),
            ticket.callback_attempts if ticket.state in ASKED_IN else 0,
            tried.get(ticket.id),
        )
        for ticket in tickets
    ]
    planned = plan_calls(matters, taken, standing.asking, now)
    return [
        CallToMake(
            found := tuple(by_code[code] for code in call.tickets),
            call.not_before_at,
            max((tried[ticket.id] for ticket in found if ticket.id in tried), default=None),
        )
        for call in planned
    ]


def are_due(call: CallToMake, standing: Standing, now: datetime) -> bool:
    """Whether it can be made now, or as soon as people may be called again today."""
    return call.not_before_at <= next_civil_hour(now, standing.asking)


def _since(ticket: Ticket, asked_from: datetime | None) -> datetime:
    if ticket.state in ASKED_IN:
        return max(at for at in (ticket.verified_at, asked_from, ticket.reported_at) if at)
    return ticket.progress_due_at or ticket.closed_at or ticket.reported_at


def _persons(session: Session, tickets: Collection[Ticket]) -> dict[UUID, str]:
    query = select(col(Reporter.ticket_id), col(Reporter.person_key)).where(
        queries.of_tickets(Reporter, tickets), col(Reporter.person_key).is_not(None)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def _asked_from(session: Session, tickets: Collection[Ticket]) -> dict[UUID, datetime]:
    """From when each may be asked: a person asked about another matter this week was to be left in peace."""
    query = select(col(TicketClock.ticket_id), col(TicketClock.started_at)).where(
        queries.of_tickets(TicketClock, (one for one in tickets if one.state is State.VERIFIED)),
        col(TicketClock.kind) == ClockKind.STAGE,
        col(TicketClock.stopped_at).is_(None),
    )
    return {row[0]: row[1] for row in session.execute(query)}


def _calls_taken(
    session: Session, persons: set[str], standing: Standing, now: datetime
) -> tuple[dict[str, datetime], set[str]]:
    """When each person last took a call before today, and who took one today: with them the call still goes on.

    What they wrote by a link was no call.
    """
    today = datetime.combine(now.astimezone(ZoneInfo(standing.zone)).date(), time(), ZoneInfo(standing.zone))
    query = (
        select(col(Reporter.person_key), col(TicketEvent.at), col(TicketEvent.given))
        .join(
            TicketEvent,
            and_(
                col(TicketEvent.intake_district) == col(Reporter.intake_district),
                col(TicketEvent.ticket_id) == col(Reporter.ticket_id),
            ),
        )
        .where(col(Reporter.person_key).in_(persons), col(TicketEvent.at) > now - PER_PERSON)
        .where(col(TicketEvent.action).in_(TOOK_A_CALL), col(TicketEvent.channel) != BY_LINK)
        .order_by(col(TicketEvent.at))
    )
    taken = [
        (person, at)
        for person, at, given in session.execute(query)
        if (given or {}).get("progress") != "unreached"
    ]
    before = {person: at for person, at in taken if at < today}
    return before, {person for person, at in taken if at >= today}
