"""One ticket as a page or the API may show it to this actor: facts, place, reason, clocks, history, actions.

What a person may read is decided here once: reporters are masked, statements are masked in their text, and
internal words stay with those who work on the ticket.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from dispatch.record import queries
from dispatch.record.judging import facts
from dispatch.record.judging.given import is_asked, is_needed
from dispatch.record.models import Objection, Reporter, Ticket, TicketClock
from dispatch.record.reading import answering, telling
from dispatch.record.reading.explaining import Explained
from dispatch.record.reading.telling import ClockTold
from dispatch.record.world import Standing, World
from dispatch.rules import guards
from dispatch.rules.workflow import BY_ACTION, LEAD, SUBMIT, Given, GivenKind, State, Transition
from geo.borders import Level
from grid.models import Account, Area, Category, Organisation, OverlayArea
from grid.permissions import Actor
from web.language.saying import said
from web.shown.labels import masked

STAFF_VERBS = (
    "ticket:handle",
    "ticket:approve",
    "ticket:dispatch",
    "ticket:rule",
    "ticket:review",
    "ticket:call_back",
    "figures:read",
)
MOST_AREAS = 3000
LEVELS = ("district", "street", "community", "grid")


@dataclass(frozen=True)
class Said:
    """One statement or photo set of a line."""

    label: str
    text: str


@dataclass(frozen=True)
class Told:
    """One line of the history as this actor may read it."""

    seq: int
    at: datetime
    action: str
    state_to: str
    who: str
    organisation: str | None
    facts: tuple[Said, ...]
    said: tuple[Said, ...]
    photos: tuple[str, ...]
    hash: str


@dataclass(frozen=True)
class Possible:
    """An action that this actor may take now, with what it asks."""

    row: Transition
    fields: tuple[tuple[Given, bool], ...]


@dataclass
class Shown:
    """A ticket in the eyes of one actor."""

    session: Session
    ticket: Ticket
    actor: Actor
    world: World
    now: datetime
    _names: dict[UUID, str] = field(default_factory=dict)

    @property
    def standing(self) -> Standing:
        return self.world.standing

    @property
    def can_be_joined(self) -> frozenset[State]:
        """The states in which another reporter of the same matter still finds it in work."""
        return BY_ACTION["relate"].sources

    @property
    def is_staff(self) -> bool:
        """Whether the actor works on tickets (and so reads what is not public)."""
        return any(self.actor.may(verb) for verb in STAFF_VERBS)

    @property
    def category(self) -> Category:
        return self.standing.categories[self.ticket.category_code]

    @property
    def category_path(self) -> str:
        """The category with its class, widest first."""
        codes = reversed(self.standing.lineage(self.ticket.category_code)[:2])
        return " › ".join(self.standing.categories[code].name for code in codes)

    def organisation_name(self, code: str | None) -> str | None:
        found = self.standing.organisations.get(code or "")
        return found.name if found else code

    @cached_property
    def places(self) -> list[tuple[str, str, str]]:
        """Level, code and name of every area the ticket lies in."""
        codes = {level: getattr(self.ticket, f"{level}_code") for level in LEVELS}
        wanted = [code for code in codes.values() if code]
        query = select(Area.code, Area.name).where(
            Area.generation_id == self.ticket.generation_id, col(Area.code).in_(wanted)
        )
        names: dict[str, str] = dict(self.session.exec(query).all())
        return [(level, code, names.get(code, code)) for level, code in codes.items() if code]

    @property
    def place(self) -> str:
        """The areas in words, from the street down."""
        names = [name for level, _, name in self.places if level != "district"]
        return " › ".join(names)

    @cached_property
    def overlays(self) -> list[str]:
        codes = [code for code in (self.ticket.overlay_codes or "").split(",") if code]
        query = select(OverlayArea.name).where(
            OverlayArea.generation_id == self.ticket.generation_id, col(OverlayArea.code).in_(codes)
        )
        return list(self.session.exec(query).all())

    @property
    def organisations_to_choose(self) -> list[Organisation]:
        """The units a ticket may be suggested or given to, by name."""
        open_ones = (o for o in self.standing.organisations.values() if not o.closed_on)
        return sorted(
            (o for o in open_ones if o.code != self.ticket.main_code), key=lambda o: (o.kind, o.name)
        )

    @cached_property
    def areas_to_choose(self) -> list[tuple[str, str]]:
        """The grids near the place, where an action asks for one: the candidates first, then their street's."""
        if not any(given.kind is GivenKind.AREA for one in self.possible for given, _ in one.fields):
            return []
        placed = self.ticket.placed or {}
        likely = [candidate["code"] for candidate in placed.get("candidates") or []]
        likely += [code for code in (self.ticket.grid_code, placed.get("nearest")) if code]
        query = select(Area.code, Area.name).where(
            Area.generation_id == self.standing.generation_id, Area.level == Level.GRID
        )
        rows = dict(self.session.exec(query.order_by(Area.code).limit(MOST_AREAS)).all())
        codes = dict.fromkeys([code for code in likely if code in rows] + list(rows))
        return [(code, rows[code]) for code in codes]

    @property
    def asks_category(self) -> bool:
        return any(str(given.kind) == "category" for one in self.possible for given, _ in one.fields)

    @staticmethod
    def choice_label(action: str, name: str, value: str) -> str:
        """The words of a chosen value."""
        given = _fields_of(action).get(name)
        return dict(given.choices).get(value, value) if given else value

    @cached_property
    def routing(self) -> Explained:
        """Why it went where it went."""
        return Explained(self.session, self.ticket, self.standing)

    @property
    def routing_reason(self) -> str | None:
        """Why the unit was chosen; after a ruling it is another than the rule had found."""
        reason, unit = self.routing.reason, self.ticket.main_code
        if reason is None or unit is None or (self.ticket.routed or {}).get("main") in (None, unit):
            return reason
        return f"最初:{reason};后经人工裁定改由“{self.organisation_name(unit)}”承办"

    @property
    def decision(self) -> list[tuple[str, str]]:
        return self.routing.in_full

    @property
    def placing_reason(self) -> str | None:
        return (self.ticket.placed or {}).get("reason")

    @cached_property
    def clocks(self) -> list[TicketClock]:
        """The clocks that run or stand paused, the total first."""
        order = {"total": 0, "handle": 1, "assist": 2, "stage": 3}
        rows = queries.rows(self.session, TicketClock, self.ticket)
        return sorted((row for row in rows if row.stopped_at is None), key=lambda row: order[str(row.kind)])

    @cached_property
    def clocks_told(self) -> list[ClockTold]:
        """Every clock that the ticket ever had, day by day, those that run first."""
        rows = queries.rows(self.session, TicketClock, self.ticket)
        told = [telling.tell_clock(row, self.standing) for row in reversed(rows)]
        return sorted(told, key=lambda one: not one.runs)

    @cached_property
    def lines(self) -> list[queries.Line]:
        return queries.history(self.session, self.ticket)

    @property
    def description(self) -> str:
        """What was reported, masked."""
        return _words([line for line in self.lines if line.event.action == "submit"], "text")

    @property
    def answer(self) -> str:
        """The latest public answer, masked; a draft only for those who work on it."""
        return _words(self._answers[:1], "answer")

    @cached_property
    def _answers(self) -> list[queries.Line]:
        return list(answering.standing(self.lines, with_draft=self.is_staff))

    @property
    def photos_before(self) -> list[str]:
        return _photos(line for line in reversed(self.lines) if line.event.action == "submit")

    @property
    def photos_after(self) -> list[str]:
        return _photos(self._answers)

    @cached_property
    def reporters(self) -> list[Reporter]:
        return queries.reporters(self.session, self.ticket)

    @cached_property
    def sees_reporter(self) -> bool:
        """Whether masked particulars may be shown: of a confidential ticket only the hotline sees any."""
        if self.ticket.workflow == LEAD:
            return self.actor.may("lead:reveal")
        if any(reporter.confidential for reporter in self.reporters):
            return self.actor.may("ticket:call_back")
        return self.is_staff or self.ticket.reported_by == self.actor.account_id

    @cached_property
    def objections(self) -> list[Objection]:
        return queries.rows(self.session, Objection, self.ticket)

    @cached_property
    def possible(self) -> list[Possible]:
        """The actions open to this actor now, each with its fields and whether they must be given."""
        its_facts = facts.facts_of(self.session, self.ticket, self.standing, self.now)
        doer = facts.doer_of(self.actor)
        return [
            Possible(
                row,
                tuple(
                    (given, is_needed(given, self.category))
                    for given in row.given
                    if is_asked(given, self.category)
                ),
            )
            for row in guards.possible(its_facts, doer)
            if self.actor.may(row.may) and queries.reaches(self.session, self.ticket, self.actor, row.may)
        ]

    def told(self) -> list[Told]:
        """The history, oldest first, as this actor may read it."""
        self._learn_names()
        return [self._tell(line) for line in self.lines]

    def _tell(self, line: queries.Line) -> Told:
        event = line.event
        fields = _fields_of(event.action)
        is_public = event.action != answering.DRAFTED or line in self._answers
        said = tuple(
            Said(fields[s.name].label if s.name in fields else "", masked(s.text))
            for s in line.statements
            if s.text
            and (self.is_staff or (s.public and is_public) or event.account_id == self.actor.account_id)
        )
        return Told(
            seq=event.seq,
            at=event.at,
            action=event.action,
            state_to=event.state_to,
            who=self._who(event.account_id, event.channel),
            organisation=self.organisation_name(event.organisation_code),
            facts=tuple(self._facts_of(event.given or {}, fields)),
            said=said,
            photos=tuple(photo.sha256 for photo in line.photos),
            hash=event.hash,
        )

    def _facts_of(self, given: dict[str, Any], fields: dict[str, Given]) -> list[Said]:
        """What was given besides words and photos, in words."""
        found = []
        for name, value in given.items():
            row = fields.get(name)
            if row is None or not isinstance(value, str | int) or str(row.kind) in ("statement", "photos"):
                continue
            text = dict(row.choices).get(str(value), str(value))
            if str(row.kind) == "organisation":
                text = self.organisation_name(str(value)) or text
            found.append(Said(row.label, text))
        return found

    def _learn_names(self) -> None:
        wanted = {line.event.account_id for line in self.lines if line.event.account_id}
        query = select(Account.id, Account.name).where(col(Account.id).in_(wanted))
        self._names = dict(self.session.exec(query).all())

    def _who(self, account_id: UUID | None, channel: str) -> str:
        """Names are for staff; others read the family name alone."""
        if account_id is None:
            return str(said("诉求人" if channel == "link" else "系统"))
        name = self._names.get(account_id, "")
        return name if self.is_staff or account_id == self.actor.account_id else f"{name[:1]}*"


def _words(lines: list[queries.Line], name: str) -> str:
    return masked(next((s.text for line in lines for s in line.statements if s.name == name), None))


def _photos(lines: Iterable[queries.Line]) -> list[str]:
    """The photos of the first line that has any."""
    return next(([photo.sha256 for photo in line.photos] for line in lines if line.photos), [])


def _fields_of(action: str) -> dict[str, Given]:
    row = SUBMIT if action == SUBMIT.action else BY_ACTION.get(action)
    return {given.name: given for given in row.given} if row else {}


def show(session: Session, code: str, actor: Actor, world: World, now: datetime) -> Shown:
    """The ticket with that code, if the actor may read it."""
    world.refresh(session)
    return Shown(session, queries.find(session, code, actor), actor, world, now)
