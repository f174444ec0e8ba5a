"""What lies beside a ticket for those who work on it: internal notes, drafts, and who has it open just now."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, delete, select
from sqlmodel import Session, col
from uuid6 import uuid7

from dispatch.record import queries
from dispatch.record.desks.models import Draft, InternalNote, OpenPage
from dispatch.record.models import Ticket, TicketEvent
from dispatch.rules.workflow import BY_ACTION
from grid.errors import InputError, NotAllowed
from grid.models import Account
from grid.permissions import Actor

MAX_NOTE = 1000
MAX_DRAFT = 4000
OPEN_FOR = timedelta(seconds=45)
WORKING_VERBS = (
    "ticket:handle",
    "ticket:approve",
    "ticket:assist",
    "ticket:dispatch",
    "ticket:accept",
    "ticket:rule",
    "ticket:call_back",
)


@dataclass(frozen=True, slots=True)
class Note:
    """An internal note with who wrote it."""

    at: datetime
    who: str
    organisation_code: str
    text: str


def works_on(session: Session, ticket: Ticket, actor: Actor) -> bool:
    """Whether the actor is one of those who work on this ticket, and not only reads it."""
    return actor.account_id is not None and any(
        queries.reaches(session, ticket, actor, verb) for verb in WORKING_VERBS if actor.may(verb)
    )


def add_note(session: Session, code: str, actor: Actor, text: str, now: datetime) -> None:
    """Leave a word for the others who work on the ticket.

    Raises
    ------
    NotFound, NotAllowed, InputError
        Nothing was written.
    """
    ticket = _worked_on(session, code, actor)
    words = text.strip()
    if not 1 <= len(words) <= MAX_NOTE or actor.account_id is None:
        raise InputError(f"内部备注没有保存:请写 1—{MAX_NOTE} 字", {"note": f"请写 1—{MAX_NOTE} 字"})
    session.add(
        InternalNote(
            intake_district=ticket.intake_district,
            id=uuid7(),
            ticket_id=ticket.id,
            account_id=actor.account_id,
            organisation_code=actor.organisation_code or "",
            at=now,
            text=words,
        )
    )


def notes(session: Session, ticket: Ticket) -> list[Note]:
    """The notes, oldest first."""
    query = (
        select(InternalNote, col(Account.name))
        .join(Account, col(Account.id) == col(InternalNote.account_id), isouter=True)
        .where(queries.of_ticket(InternalNote, ticket))
        .order_by(col(InternalNote.id))
    )
    return [
        Note(note.at, name or "", note.organisation_code, note.text)
        for note, name in session.execute(query)
        if note.text
    ]


def keep_draft(
    session: Session,
    code: str,
    actor: Actor,
    action: str,
    given: Mapping[str, str],
    version: int,
    now: datetime,
) -> None:
    """Keep what was typed into the form of an action; an empty form forgets it."""
    ticket = queries.find(session, code, actor)
    row = BY_ACTION.get(action)
    if row is None or actor.account_id is None:
        raise InputError(f"没有动作 {action},草稿没有保存")
    known = {field.name for field in row.given}
    words = {name: text for name, text in given.items() if name in known and text.strip()}
    if sum(map(len, words.values())) > MAX_DRAFT:
        raise InputError(f"草稿太长(最多 {MAX_DRAFT} 字),没有保存")
    mine = _mine(Draft, ticket, actor)
    found = session.execute(select(Draft).where(mine, col(Draft.action) == action)).scalar_one_or_none()
    if not words:
        if found is not None:
            session.delete(found)
        return
    if found is None:
        found = Draft(
            intake_district=ticket.intake_district,
            id=uuid7(),
            ticket_id=ticket.id,
            account_id=actor.account_id,
            action=action,
            version=version,
            saved_at=now,
        )
    found.given, found.version, found.saved_at = words, version, now
    session.add(found)


def drafts(session: Session, ticket: Ticket, actor: Actor) -> dict[str, Draft]:
    """One's own drafts on a ticket, by action."""
    query = select(Draft).where(_mine(Draft, ticket, actor))
    return {draft.action: draft for draft in session.execute(query).scalars()}


def drop_draft(session: Session, ticket: Ticket, actor: Actor, action: str) -> None:
    """Forget a draft: it was sent."""
    session.execute(delete(Draft).where(_mine(Draft, ticket, actor), col(Draft.action) == action))


def note_open(session: Session, code: str, actor: Actor, now: datetime) -> list[str]:
    """Say that one has the ticket open, and learn who else has."""
    ticket = queries.find(session, code, actor)
    if actor.account_id is None:
        return []
    session.execute(
        delete(OpenPage).where(
            col(OpenPage.intake_district) == ticket.intake_district, col(OpenPage.seen_at) < now - OPEN_FOR
        )
    )
    mine = session.execute(select(OpenPage).where(_mine(OpenPage, ticket, actor))).scalar_one_or_none()
    if mine is None:
        mine = OpenPage(
            intake_district=ticket.intake_district,
            id=uuid7(),
            ticket_id=ticket.id,
            account_id=actor.account_id,
            seen_at=now,
        )
    mine.seen_at = now
    session.add(mine)
    return others_at(session, ticket, actor, now)


def others_at(session: Session, ticket: Ticket, actor: Actor, now: datetime) -> list[str]:
    """The names of the others who have the ticket open just now."""
    query = (
        select(col(Account.name))
        .join(OpenPage, col(OpenPage.account_id) == col(Account.id))
        .where(
            queries.of_ticket(OpenPage, ticket),
            col(OpenPage.account_id) != actor.account_id,
            col(OpenPage.seen_at) >= now - OPEN_FOR,
        )
        .order_by(col(Account.name))
    )
    return list(session.execute(query).scalars())


def last_answer(lines: list[queries.Line]) -> str | None:
    """The public answer before the present round, to be compared with a new one."""
    for line in reversed(lines):
        if line.event.action in ("handle", "draft_answer"):
            return next((said.text for said in line.statements if said.name == "answer"), None)
    return None


def was_contacted(lines: list[queries.Line]) -> TicketEvent | None:
    """The last time the reporter was spoken to."""
    return next((line.event for line in reversed(lines) if line.event.action == "contact"), None)


def _mine(table: Any, ticket: Ticket, actor: Actor) -> Any:
    return and_(queries.of_ticket(table, ticket), col(table.account_id) == actor.account_id)


def _worked_on(session: Session, code: str, actor: Actor) -> Ticket:
    ticket = queries.find(session, code, actor)
    if not works_on(session, ticket, actor):
        raise NotAllowed("内部备注只供经办这件工单的人使用")
    return ticket
