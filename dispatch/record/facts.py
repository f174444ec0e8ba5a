"""Reads from the record what the rules ask about a ticket and about who acts on it."""

from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from dispatch.record import asking, queries
from dispatch.record.models import Assignment, Source, Ticket, TicketEvent
from dispatch.record.world import Standing
from dispatch.rules.workflow import Doer, Facts
from grid.models import Account
from grid.permissions import Actor

HANDLING_ACTIONS = ("contact", "start", "handle")
CONTACT_SOURCES = frozenset({Source.HOTLINE, Source.RESIDENT, Source.UPPER})


def facts_of(
    session: Session, ticket: Ticket, standing: Standing, now: datetime, forbidden_clause: str | None = None
) -> Facts:
    """The ticket as the rules see it."""
    reporters = queries.reporters(session, ticket)
    can_ask = asking.can_ask(reporters)
    can_contact = can_ask and not any(r.confidential for r in reporters)
    handlers = _persons(session, ticket)
    return Facts(
        state=ticket.state,
        now=now,
        urgent=ticket.urgent,
        verify_mode=ticket.verify_mode,
        opened=ticket.opened_at is not None,
        signed=ticket.signed_at is not None,
        contacted=ticket.contacted_at is not None,
        can_ask=can_ask,
        can_contact=can_contact,
        asks_contact=can_contact and ticket.source in CONTACT_SOURCES,
        no_return=ticket.no_return,
        objections=ticket.objections,
        objection_until=ticket.objection_until,
        callback_attempts=ticket.callback_attempts,
        handling_organisations=_organisations(session, ticket),
        handlers=handlers,
        forbidden_clause=forbidden_clause,
    )


def doer_of(actor: Actor) -> Doer:
    """The actor as the rules see them."""
    return Doer(
        person=actor.person_key,
        organisations=actor.answers_to,
        system=actor.account_id is None and actor.channel == "system",
    )


def _persons(session: Session, ticket: Ticket) -> frozenset[str]:
    """The natural persons who took part in handling, through whichever account."""
    query = (
        select(col(Account.person_key))
        .distinct()
        .join(TicketEvent, col(TicketEvent.account_id) == col(Account.id))
        .where(queries.of_ticket(TicketEvent, ticket), col(TicketEvent.action).in_(HANDLING_ACTIONS))
    )
    return frozenset(session.execute(query).scalars())


def _organisations(session: Session, ticket: Ticket) -> frozenset[str]:
    query = select(col(Assignment.organisation_code)).distinct().where(queries.of_ticket(Assignment, ticket))
    return frozenset(session.execute(query).scalars())
