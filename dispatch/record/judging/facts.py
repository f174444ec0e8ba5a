"""Reads from the record what the rules ask about a ticket and about who acts on it."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlmodel import Session, col

from dispatch.record import queries
from dispatch.record.effects import asking
from dispatch.record.judging.routes import forbidden
from dispatch.record.models import Assignment, Source, Ticket, TicketEvent
from dispatch.record.reading import together
from dispatch.record.world import Standing
from dispatch.rules.callbacks import next_civil_hour
from dispatch.rules.workflow import Doer, Facts, State
from grid.models import Account
from grid.permissions import Actor

HANDLING_ACTIONS = (
    "contact",
    "start",
    "handle",
    "draft_answer",
    "answer_instantly",
    "report_help",
    "made_safe",
    "report_rectified",
)
CONDUCT_ACTIONS = ("propose_malicious", "confirm_malicious")
CONTACT_SOURCES = frozenset({Source.HOTLINE, Source.RESIDENT, Source.UPPER})
PUBLIC_SOURCES = frozenset({Source.HOTLINE, Source.RESIDENT})
CAN_BE_REOPENED = frozenset({State.CLOSED, State.INSTANT})


def facts_of(
    session: Session, ticket: Ticket, standing: Standing, now: datetime, forbidden_clause: str | None = None
) -> Facts:
    """The ticket as the rules see it."""
    reporters = queries.reporters(session, ticket)
    can_contact = asking.can_ask(reporters) and not any(r.confidential for r in reporters)
    unit = standing.organisations.get(ticket.main_code or "")
    waiting = _waiting(session, ticket) if ticket.assistant_codes else ()
    steps = standing.steps(ticket.category_code)
    return Facts(
        state=ticket.state,
        now=now,
        urgent=ticket.urgent,
        verify_mode=ticket.verify_mode,
        opened=ticket.opened_at is not None,
        signed=ticket.signed_at is not None,
        contacted=ticket.contacted_at is not None,
        can_ask=asking.will_ask(ticket, reporters),
        can_contact=can_contact,
        asks_contact=can_contact and ticket.source in CONTACT_SOURCES,
        no_return=ticket.no_return,
        objections=ticket.objections,
        objection_until=ticket.objection_until,
        callback_attempts=ticket.callback_attempts,
        handling_organisations=_organisations(session, ticket),
        handlers=_persons(session, ticket),
        forbidden_clause=forbidden_clause,
        own_clause=forbidden(standing, ticket, unit) if unit else None,
        has_unit=ticket.main_code is not None,
        from_public=ticket.source in PUBLIC_SOURCES,
        from_upper=ticket.source is Source.UPPER,
        checked_beside=ticket.checked_beside_at is not None,
        enforcement=standing.categories[ticket.category_code].enforcement,
        supplements=ticket.supplements,
        extensions=ticket.extensions,
        reworks=ticket.reworks,
        steps_left=max(len(steps) - max(ticket.step, 1), 0),
        handle_due_at=ticket.due_at,
        plan_until=ticket.plan_until,
        reopen_until=_reopen_until(ticket, standing),
        quiet_until=_quiet_until(standing, now),
        asks_progress=ticket.progress_due_at is not None,
        crossed=ticket.verify_grid is not None,
        reporter=_person(session, ticket.reported_by) if ticket.verify_grid else None,
        proposer=_person(session, ticket.proposed_by),
        approves_answers=bool(unit and unit.approves_answers),
        waiting_units=frozenset(waiting),
        waiting_assistants=tuple(standing.organisations[code].name for code in waiting),
        whistled_by=ticket.whistled_by,
        exclusion=ticket.exclusion,
        merged_open=ticket.merged_count > 0,
        conduct=ticket.conduct,
        conduct_judges=_persons(session, ticket, CONDUCT_ACTIONS) if ticket.conduct else frozenset(),
        conduct_until=ticket.conduct_until,
        clarified=ticket.clarified_at is not None,
        correction_drawn=ticket.correction_drawn,
    )


def doer_of(actor: Actor) -> Doer:
    """The actor as the rules see them."""
    return Doer(
        person=actor.person_key,
        organisations=actor.answers_to,
        system=actor.account_id is None and actor.channel == "system",
        under=actor.under,
        linked=actor.linked_ticket is not None,
    )


def _reopen_until(ticket: Ticket, standing: Standing) -> datetime | None:
    if ticket.state not in CAN_BE_REOPENED or ticket.closed_at is None:
        return None
    return asking.reopen_until(ticket, standing)


def _quiet_until(standing: Standing, now: datetime) -> datetime | None:
    civil = next_civil_hour(now, standing.asking)
    return civil.astimezone(ZoneInfo(standing.zone)) if civil > now else None


def _waiting(session: Session, ticket: Ticket) -> tuple[str, ...]:
    """The units asked to help that have neither reported nor been let go."""
    query = select(col(Assignment.organisation_code)).where(
        queries.of_ticket(Assignment, ticket),
        col(Assignment.part) == "assist",
        col(Assignment.ended_at).is_(None),
    )
    return tuple(session.execute(query.order_by(col(Assignment.id))).scalars())


def _person(session: Session, account_id: UUID | None) -> str | None:
    """The natural person behind an account."""
    account = session.get(Account, account_id) if account_id else None
    return account.person_key if account else None


def _persons(session: Session, ticket: Ticket, actions: tuple[str, ...] = HANDLING_ACTIONS) -> frozenset[str]:
    """The natural persons who took part (in handling), through whichever account."""
    at_hand = together.rows(session, TicketEvent, ticket)
    if at_hand is not None:
        took_part = {event.account_id for event in at_hand if event.action in actions}
        return frozenset(filter(None, (_person(session, account_id) for account_id in took_part)))
    query = (
        select(col(Account.person_key))
        .distinct()
        .join(TicketEvent, col(TicketEvent.account_id) == col(Account.id))
        .where(queries.of_ticket(TicketEvent, ticket), col(TicketEvent.action).in_(actions))
    )
    return frozenset(session.execute(query).scalars())


def _organisations(session: Session, ticket: Ticket) -> frozenset[str]:
    at_hand = together.rows(session, Assignment, ticket)
    if at_hand is not None:
        return frozenset(assignment.organisation_code for assignment in at_hand)
    query = select(col(Assignment.organisation_code)).distinct().where(queries.of_ticket(Assignment, ticket))
    return frozenset(session.execute(query).scalars())
