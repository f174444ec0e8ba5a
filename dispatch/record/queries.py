"""Every read of tickets. `visible` is the one place where an actor's scope becomes a condition."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    exists,
    false,
    func,
    or_,
    select,
    true,
    tuple_,
)
from sqlmodel import Session, col

from dispatch.record.codes import read_code
from dispatch.record.models import (
    Assignment,
    Reporter,
    Statement,
    Ticket,
    TicketCode,
    TicketEvent,
    TicketPhoto,
    UnitRating,
)
from dispatch.record.models.events import SELDOM
from dispatch.record.reading import together
from dispatch.rules.workflow import LEAD, TICKET
from grid.errors import NotFound
from grid.permissions import Actor, Scope

READ = "ticket:read"
VERIFY = "ticket:verify"
READ_LEAD = "lead:read"
HELP = "ticket:assist"
FIGURES = "figures:read"
# Written into the statement, not sent beside it: a plan made for any value could not use the index of these alone.
_IS_ASSISTING = col(Assignment.part) == bindparam("assist", "assist", literal_execute=True)


def visible(actor: Actor, verb: str = READ) -> ColumnElement[bool]:
    """The tickets on which the actor may do `verb`, over all posts.

    Leads are another workflow with verbs of its own (`lead:…`); whoever may read those finds them as well.
    """
    return or_(false(), *reached(actor, verb).values())


def reached(actor: Actor, *verbs: str) -> dict[tuple[str, str], ColumnElement[bool]]:
    """The same for any of the verbs, in named parts that may share tickets: each part can be read along one index, where
    an OR over several columns would look at every ticket."""
    found: dict[tuple[str, str], ColumnElement[bool]] = {}
    for verb in verbs:
        workflow = verb.partition(":")[0] if verb.startswith(LEAD) else TICKET
        for scope in actor.scopes(verb):
            for name, condition in _reach(scope, actor, verb).items():
                found[workflow, name] = and_(col(Ticket.workflow) == workflow, condition)
        if verb == READ and actor.may(READ_LEAD):
            found |= reached(actor, READ_LEAD)
    whole = {workflow for workflow, name in found if name == "all"}
    return {key: part for key, part in found.items() if key[0] not in whole or key[1] == "all"}


def _reach(scope: Scope, actor: Actor, verb: str) -> dict[str, ColumnElement[bool]]:
    if scope is Scope.ALL:
        return {"all": true()}
    if scope is Scope.OWN:
        return {"own": col(Ticket.reported_by) == actor.account_id}
    if scope is Scope.LINK:
        return {"link": col(Ticket.id) == actor.linked_ticket}
    if scope is Scope.ORGANISATION:
        return _of_organisations(actor, verb)
    codes = actor.area_codes
    grid, community = col(Ticket.grid_code).in_(codes), col(Ticket.community_code).in_(codes)
    if scope is Scope.GRID:
        verified = col(Ticket.verify_grid).in_(codes)
        if verb != VERIFY:
            return {"verified": verified, "grid": grid, "community": community}
        # Where another grid verifies, its own has nothing to verify.
        own = col(Ticket.verify_grid).is_(None)
        return {"verified": verified, "own grid": and_(own, grid), "own community": and_(own, community)}
    street, district = col(Ticket.street_code).in_(codes), col(Ticket.district_code).in_(codes)
    return {"grid": grid, "community": community, "street": street, "district": district}


def _of_organisations(actor: Actor, verb: str) -> dict[str, ColumnElement[bool]]:
    """What the units hold now; for reading and for figures also what they once held."""
    if verb == HELP:
        return {"helped": _helped_by(actor)}
    found: dict[str, ColumnElement[bool]] = {
        "main": col(Ticket.main_code).in_(actor.under),
        "section": col(Ticket.section_code).in_(actor.under),
    }
    if verb in (READ, READ_LEAD, FIGURES):
        found["once"] = exists().where(
            and_(
                col(Assignment.intake_district) == col(Ticket.intake_district),
                col(Assignment.ticket_id) == col(Ticket.id),
                col(Assignment.organisation_code).in_(actor.under),
            )
        )
    return found


def apart(actor: Actor, verbs: tuple[str, ...]) -> list[ColumnElement[bool]]:
    """The reach of any of the verbs in parts that share no ticket, for counting."""
    parts = reached(actor, *verbs)
    if parts.keys() != {(TICKET, "main"), (TICKET, "section")}:
        return [or_(false(), *parts.values())]
    of_main, of_section = parts[TICKET, "main"], parts[TICKET, "section"]
    main = col(Ticket.main_code)
    return [of_main, and_(of_section, or_(main.is_(None), main.not_in(actor.under)))]


def is_joint() -> ColumnElement[bool]:
    """A ticket on which units assist or did."""
    # OFFSET keeps PostgreSQL from looking at each open ticket's assignments in turn: it takes the few assisted ones.
    assisted = (
        select(col(Assignment.intake_district), col(Assignment.ticket_id)).where(_IS_ASSISTING).offset(0)
    )
    return tuple_(col(Ticket.intake_district), col(Ticket.id)).in_(assisted)


def _helped_by(actor: Actor) -> ColumnElement[bool]:
    """What the units were asked to help with and have not reported on yet."""
    return exists().where(
        and_(
            col(Assignment.intake_district) == col(Ticket.intake_district),
            col(Assignment.ticket_id) == col(Ticket.id),
            _IS_ASSISTING,
            col(Assignment.ended_at).is_(None),
            col(Assignment.organisation_code).in_(actor.under),
        )
    )


def openable(session: Session, tickets: Iterable[Ticket], actor: Actor) -> set[UUID]:
    """Which of these the actor may open; a number's list may hold others, which are read only there."""
    query = select(col(Ticket.id)).where(of_tickets(Ticket, tickets), visible(actor, READ))
    return set(session.execute(query).scalars())


def find(session: Session, code: str, actor: Actor, *, verb: str = READ, lock: bool = False) -> Ticket:
    """The ticket with that code, if the actor may `verb` it.

    Raises
    ------
    NotFound
        There is none, or the actor may not know that there is: the same words for both.
    """
    typed = read_code(code)
    query = (
        select(Ticket)
        .join(
            TicketCode,
            and_(
                col(TicketCode.intake_district) == col(Ticket.intake_district),
                col(TicketCode.ticket_id) == col(Ticket.id),
            ),
        )
        .where(col(TicketCode.code) == typed, visible(actor, verb))
    )
    if lock:
        query = query.with_for_update(of=Ticket)
    ticket: Ticket | None = session.execute(query).scalar_one_or_none() if typed else None
    if ticket is None:
        raise NotFound(f"没有找到工单 {code},请核对编号,或它不在您的职责范围内")
    return ticket


def reaches(session: Session, ticket: Ticket, actor: Actor, verb: str) -> bool:
    """Whether the actor may do `verb` on this ticket."""
    query = select(col(Ticket.id)).where(of_ticket(Ticket, ticket), visible(actor, verb))
    return session.execute(query).first() is not None


def of_ticket(table: Any, ticket: Ticket) -> ColumnElement[bool]:
    """The condition that a row belongs to (or is) this ticket."""
    key = table.id if table is Ticket else table.ticket_id
    return and_(col(table.intake_district) == ticket.intake_district, col(key) == ticket.id)


def of_tickets(table: Any, tickets: Iterable[Ticket]) -> ColumnElement[bool]:
    """The condition that a row belongs to (or is) one of these: by their districts too, with which every key begins."""
    return of_keys(table, [(ticket.intake_district, ticket.id) for ticket in tickets])


def of_keys(table: Any, keys: Collection[tuple[str, UUID | None]]) -> ColumnElement[bool]:
    """The same for tickets of which the keys are known."""
    return and_(
        col(table.intake_district).in_({district for district, _ in keys}),
        col(table.id if table is Ticket else table.ticket_id).in_([key for _, key in keys]),
    )


def is_open() -> ColumnElement[bool]:
    """A ticket that is not at its end: small indexes hold what has not been closed."""
    return and_(col(Ticket.closed_at).is_(None), col(Ticket.workflow) == TICKET)


def is_lead() -> ColumnElement[bool]:
    """A lead, told apart by an index of their own."""
    return col(Ticket.workflow) == bindparam("lead", LEAD, literal_execute=True)


def seldom(*actions: str) -> ColumnElement[bool]:
    """An event of these actions, which an index holds by itself."""
    assert set(actions) <= set(SELDOM)
    return col(TicketEvent.action).in_(bindparam("seldom", actions, expanding=True, literal_execute=True))


def rows(session: Session, table: Any, ticket: Ticket) -> list[Any]:
    """All rows of a ticket-owned table, in the order in which they were written."""
    at_hand = together.rows(session, table, ticket)
    if at_hand is not None:
        return at_hand
    key = {"district": ticket.intake_district, "ticket": ticket.id}
    return list(session.execute(_rows_of(table), key).scalars())


@cache
def _rows_of(table: Any) -> Select[Any]:
    """Made once: this query runs several times in every action."""
    its_district, its_ticket = col(table.intake_district), col(table.ticket_id)
    query = select(table).where(its_district == bindparam("district"), its_ticket == bindparam("ticket"))
    return query.order_by(table.id)


def reporters(session: Session, ticket: Ticket) -> list[Reporter]:
    return rows(session, Reporter, ticket)


def ratings(session: Session, organisation_code: str) -> dict[int, int]:
    """How often the streets that whistled gave a unit each score."""
    query = (
        select(col(UnitRating.score), func.count())
        .where(col(UnitRating.organisation_code) == organisation_code)
        .group_by(col(UnitRating.score))
    )
    return {row[0]: row[1] for row in session.execute(query)}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a ticket's history with what was said and shown in it."""

    event: TicketEvent
    statements: tuple[Statement, ...]
    photos: tuple[TicketPhoto, ...]


def history(session: Session, ticket: Ticket) -> list[Line]:
    """The whole story, oldest first; what of it a person may read is decided where it is shown."""
    events = sorted(rows(session, TicketEvent, ticket), key=lambda event: event.seq)
    said: dict[UUID, list[Statement]] = {}
    for statement in rows(session, Statement, ticket):
        said.setdefault(statement.event_id, []).append(statement)
    shown: dict[UUID, list[TicketPhoto]] = {}
    for photo in rows(session, TicketPhoto, ticket):
        shown.setdefault(photo.event_id, []).append(photo)
    return [Line(e, tuple(said.get(e.id, ())), tuple(shown.get(e.id, ()))) for e in events]


After = tuple[datetime | None, UUID]


def page(
    session: Session,
    actor: Actor,
    *conditions: ColumnElement[bool],
    after: After | None = None,
    size: int = 50,
    verbs: tuple[str, ...] = (READ,),
    parts: Collection[ColumnElement[bool]] | None = None,
) -> list[Ticket]:
    """One page of what the actor may do one of the verbs on, the most pressing first, then what has no limit running;
    `after` is the last row's (due_at, id). `parts` say the reach where it is narrower than that of the verbs."""
    if parts is None:
        parts = reached(actor, *verbs).values()
    due_at, key = col(Ticket.due_at), col(Ticket.id)
    found: list[Key] = []
    # Two plain reads along one index each: an OR over NULLs would have to look at every row before the page.
    if after is None or after[0] is not None:
        pressing = [due_at.is_not(None), *conditions]
        if after is not None:
            pressing += [due_at >= after[0], or_(due_at > after[0], key > after[1])]
        found += _keys(session, parts, pressing, (due_at, key), size)
        after = None
    if len(found) < size:
        resting = [due_at.is_(None), *conditions]
        if after is not None:
            resting.append(key > after[1])
        found += _keys(session, parts, resting, (key,), size - len(found))
    return _tickets(session, found)


Key = tuple[str, UUID]


def _keys(
    session: Session,
    parts: Iterable[ColumnElement[bool]],
    conditions: Iterable[ColumnElement[bool]],
    order: tuple[Any, ...],
    size: int,
) -> list[Key]:
    """The keys of a page: an index holds all that they are chosen by, so that only the page's own rows are read."""
    found: list[Any] = []
    for part in parts:
        query = select(*order, col(Ticket.intake_district), col(Ticket.id).label("its"))
        found += session.execute(query.where(part, *conditions).order_by(*order).limit(size))
    once = {tuple(row) for row in found}
    return [(row[-2], row[-1]) for row in sorted(once, key=lambda row: row[: len(order)])[:size]]


def _tickets(session: Session, keys: list[Key]) -> list[Ticket]:
    """The tickets with these keys, in their order."""
    query = select(Ticket).where(of_keys(Ticket, keys))
    rows = session.execute(query).scalars() if keys else ()
    known = {(ticket.intake_district, ticket.id): ticket for ticket in rows}
    return [known[key] for key in keys]
