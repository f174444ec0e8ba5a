"""Tells people what happened: the city's rows say who is told what, here they become messages.

In-app notices are written at once; what leaves the house becomes an outbox row of its own per reporter, which
holds the wording without the person's particulars and without the link: both are put in when it is sent.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import insert, select
from sqlmodel import Session, col
from uuid6 import uuid7

from dispatch.engine.sending import links
from dispatch.engine.sending.channels import Message
from dispatch.record.effects.asking import can_ask
from dispatch.record.models import Notice, OutboxRow, Reporter, Ticket, TicketEvent
from dispatch.record.oversight import letters
from dispatch.record.oversight.models import Letter
from dispatch.record.world import World
from dispatch.rules.workflow import BY_ACTION
from grid.models import Account, Area, DutyRoster, NoticeRule, Post
from grid.permissions import ROLES, role_scopes

IN_APP, REPORTER, LINK = "in_app", "reporter", "{link}"
ASKING = "verified"
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Audience:
    """Who reads it: organisations (everybody there) and single accounts."""

    organisations: tuple[str, ...] = ()
    accounts: tuple[UUID, ...] = ()


def notify(session: Session, rows: Sequence[OutboxRow], world: World, now: datetime) -> None:
    """Write the notices of what happened, and the messages to reporters."""
    telling = _Telling(session, rows, world, now)
    found: list[dict[str, Any]] = []
    followed: list[tuple[Ticket, int]] = []
    for row in rows:
        if row.ticket_id is None:
            found += telling.letter_notices(row)
            continue
        ticket = telling.tickets[(row.intake_district, row.ticket_id)]
        happening = str((row.payload or {}).get("happening"))
        for rule in telling.rules(happening, urgent=ticket.urgent):
            if rule.channel == IN_APP:
                found += telling.notices(row, ticket, rule)
            elif rule.audience == REPORTER and LINK not in rule.text:
                telling.send(row, ticket, rule)
            elif rule.audience == REPORTER and happening != ASKING:
                told = telling.send(row, ticket, rule, links.FOLLOWING)
                followed += [(ticket, links.FOLLOWING)] if told else []
    links.issue_all(session, world.settings, followed, now)
    if found:
        session.execute(insert(Notice), found)


def ask(session: Session, rows: Sequence[OutboxRow], world: World, now: datetime) -> None:
    """Make the callback link of a round valid and send it to whoever reported and agreed to be asked."""
    telling = _Telling(session, rows, world, now)
    asked: list[tuple[Ticket, int]] = []
    for row in rows:
        ticket = telling.tickets[(row.intake_district, row.ticket_id)]
        round_ = int((row.payload or {})["round"])
        asked.append((ticket, round_))
        for rule in telling.rules(ASKING, urgent=ticket.urgent):
            if rule.audience == REPORTER and LINK in rule.text:
                telling.send(row, ticket, rule, round_)
    links.issue_all(session, world.settings, asked, now)


def compose(session: Session, row: OutboxRow, world: World) -> Message | None:
    """The message of an outgoing row, complete; None when there is nobody left to send it to."""
    payload = row.payload or {}
    reporter = session.get(Reporter, (row.intake_district, UUID(payload["reporter_id"])))
    ticket = session.get(Ticket, (row.intake_district, row.ticket_id))
    if ticket is None or reporter is None or not can_ask([reporter]) or not reporter.phone:
        return None
    return Message(row.id, ticket.code, reporter.phone, _with_link(payload, ticket, world))


class _Telling:
    """What one batch needs to know, read once: tickets, events, place names."""

    def __init__(self, session: Session, rows: Sequence[OutboxRow], world: World, now: datetime) -> None:
        self.session, self.world, self.now = session, world, now
        self.standing = world.refresh(session)
        self.tickets = self._tickets(rows)
        self.events = self._events(rows)
        self.places = self._places(self.tickets.values())
        self._rules: dict[tuple[str, bool], list[NoticeRule]] = {}

    def rules(self, happening: str, *, urgent: bool) -> list[NoticeRule]:
        """The rows for a happening; of an urgent ticket the urgent row stands in for the ordinary one."""
        known = self._rules.get((happening, urgent))
        if known is None:
            rows = [r for r in self.standing.notices if r.happening == happening and (urgent or not r.urgent)]
            pressed = {r.audience for r in rows if r.urgent}
            known = [r for r in rows if r.urgent or r.audience not in pressed]
            self._rules[happening, urgent] = known
        return known

    def notices(self, row: OutboxRow, ticket: Ticket, rule: NoticeRule) -> list[dict[str, Any]]:
        """The notices that one rule makes of one happening."""
        audience = self._audience(ticket, rule.audience)
        return self._written(row, rule, audience, self._values(row, ticket))

    def letter_notices(self, row: OutboxRow) -> list[dict[str, Any]]:
        """What is told of a supervision letter, under its own number: to its unit, or to oversight."""
        payload = row.payload or {}
        letter = self.session.get(Letter, UUID(payload["letter"]))
        if letter is None or letter.due_at is None:
            return []
        values = {
            "code": f"{letters.LABELS[letter.kind]} {letters.number(letter)}",
            "organisation": self._name_of(letter.organisation_code),
            "due": self._local(letter.due_at),
        }
        found: list[dict[str, Any]] = []
        for rule in self.rules(str(payload["happening"]), urgent=False):
            unit = Audience((letter.organisation_code,))
            found += self._written(
                row, rule, unit if rule.audience == "handler" else self._oversight(), values
            )
        return found

    def _written(
        self, row: OutboxRow, rule: NoticeRule, audience: Audience, values: Mapping[str, str]
    ) -> list[dict[str, Any]]:
        text = filled(rule.text, values)
        readers: list[dict[str, Any]] = [
            {"organisation_code": o, "account_id": None} for o in audience.organisations
        ]
        readers += [{"organisation_code": None, "account_id": a} for a in audience.accounts]
        return [
            {
                "intake_district": row.intake_district,
                "id": uuid5(row.id, f"{rule.id}:{reader['organisation_code'] or reader['account_id']}"),
                "ticket_id": row.ticket_id,
                "outbox_id": row.id,
                "text": text,
                "urgent": rule.urgent,
                "created_at": row.created_at,
                **reader,
            }
            for reader in readers
        ]

    def send(self, row: OutboxRow, ticket: Ticket, rule: NoticeRule, round_: int | None = None) -> bool:
        """Put one message per reporter into the outbox; False when nobody is to be told."""
        reporters = self.reporters.get((ticket.intake_district, ticket.id), ())
        told = [reporter for reporter in reporters if can_ask([reporter])]
        text = filled(rule.text, self._values(row, ticket)) if told else ""
        self.session.add_all(
            OutboxRow(
                intake_district=ticket.intake_district,
                id=uuid7(),
                ticket_id=ticket.id,
                topic="send",
                destination=rule.channel,
                payload={"text": text, "round": round_, "reporter_id": str(reporter.id)},
                created_at=row.created_at,
                available_at=self.now,
            )
            for reporter in told
        )
        return bool(told)

    @cached_property
    def reporters(self) -> dict[tuple[str, UUID], list[Reporter]]:
        """Who reported the tickets of this batch, read when somebody is to be told."""
        query = select(Reporter).where(
            col(Reporter.intake_district).in_({district for district, _ in self.tickets}),
            col(Reporter.ticket_id).in_({ticket_id for _, ticket_id in self.tickets}),
        )
        found: dict[tuple[str, UUID], list[Reporter]] = {}
        for reporter in self.session.execute(query.order_by(col(Reporter.id))).scalars():
            found.setdefault((reporter.intake_district, reporter.ticket_id), []).append(reporter)
        return found

    def _tickets(self, rows: Sequence[OutboxRow]) -> dict[tuple[str, UUID | None], Ticket]:
        wanted = {row.ticket_id for row in rows}
        districts = {row.intake_district for row in rows}
        query = select(Ticket).where(col(Ticket.intake_district).in_(districts), col(Ticket.id).in_(wanted))
        return {(t.intake_district, t.id): t for t in self.session.execute(query).scalars()}

    def _events(self, rows: Sequence[OutboxRow]) -> dict[str, TicketEvent]:
        wanted = {
            UUID(row.payload["event_id"]) for row in rows if row.payload and row.payload.get("event_id")
        }
        districts = {row.intake_district for row in rows}
        query = select(TicketEvent).where(
            col(TicketEvent.intake_district).in_(districts), col(TicketEvent.id).in_(wanted)
        )
        return {str(event.id): event for event in self.session.execute(query).scalars()} if wanted else {}

    def _places(self, tickets: Iterable[Ticket]) -> dict[tuple[int | None, str], str]:
        wanted = {(t.generation_id, _narrowest(t)) for t in tickets}
        query = select(col(Area.generation_id), col(Area.code), col(Area.name)).where(
            col(Area.generation_id).in_({g for g, _ in wanted if g is not None}),
            col(Area.code).in_({code for _, code in wanted if code}),
        )
        return {(generation, code): name for generation, code, name in self.session.execute(query)}

    def _audience(self, ticket: Ticket, name: str) -> Audience:
        found = {
            "handler": self._handler,
            "assistants": self._assistants,
            "supervision": self._supervision,
            "duty": self._duty,
            "verifier": self._verifiers,
        }.get(name, self._centre)(ticket)
        # Nobody in particular is the centre's business: a notice is never written to no one.
        return (
            found if found.organisations or found.accounts or name == "assistants" else self._centre(ticket)
        )

    def _centre(self, ticket: Ticket) -> Audience:
        return Audience((self.standing.centre_code,))

    def _handler(self, ticket: Ticket) -> Audience:
        return Audience((ticket.main_code,) if ticket.main_code else ())

    def _assistants(self, ticket: Ticket) -> Audience:
        return Audience(tuple(code for code in (ticket.assistant_codes or "").split(",") if code))

    def _supervision(self, ticket: Ticket) -> Audience:
        return self._oversight()

    def _oversight(self) -> Audience:
        kinds = self.standing.organisations.values()
        found = tuple(sorted(o.code for o in kinds if o.kind == "supervision" and not o.closed_on))
        return Audience(found or (self.standing.centre_code,))

    def _duty(self, ticket: Ticket) -> Audience:
        query = select(col(DutyRoster.account_id)).where(
            col(DutyRoster.organisation_code) == (ticket.main_code or self.standing.centre_code),
            col(DutyRoster.on) == self._today(),
            col(DutyRoster.account_id).is_not(None),
        )
        return Audience(accounts=tuple(a for a in self.session.execute(query).scalars() if a))

    def _verifiers(self, ticket: Ticket) -> Audience:
        if ticket.verify_mode == "none":
            return Audience()
        in_field = ticket.verify_mode == "field"
        roles = [
            r for r in ROLES if any((str(s) == "grid") == in_field for s in role_scopes(r, "ticket:verify"))
        ]
        query = (
            select(col(Account.id))
            .join(Post, col(Post.account_id) == col(Account.id))
            .where(col(Post.role).in_(roles), col(Account.disabled_at).is_(None))
            .where(col(Post.organisation_code) != (ticket.main_code or ""))
        )
        if in_field:
            query = query.where(col(Post.area_code).in_([ticket.grid_code, ticket.community_code]))
        return Audience(accounts=tuple(sorted(set(self.session.execute(query).scalars()))))

    def _today(self) -> date:
        return self.now.astimezone(self.world.settings.zone).date()

    def _values(self, row: OutboxRow, ticket: Ticket) -> dict[str, str]:
        payload = row.payload or {}
        category = self.standing.categories.get(ticket.category_code)
        due_at = ticket.total_due_at if str(payload.get("happening")).startswith("total_") else ticket.due_at
        return {
            "code": ticket.code,
            "category": category.name if category else "",
            "place": self.places.get((ticket.generation_id, _narrowest(ticket)), "地点见工单"),
            "organisation": self._name_of(ticket.main_code),
            "due": self._local(due_at) if due_at else "时限内",
            "reason": _reason(self.events.get(str(payload.get("event_id")))),
            "count": str(payload.get("count", 1)),
        }

    def _name_of(self, code: str | None) -> str:
        organisation = self.standing.organisations.get(code or "")
        return organisation.name if organisation else "指挥中心"

    def _local(self, at: datetime) -> str:
        return f"{at.astimezone(self.world.settings.zone):%m月%d日 %H:%M}"


def _narrowest(ticket: Ticket) -> str:
    return ticket.grid_code or ticket.community_code or ticket.street_code or ticket.district_code or ""


def _reason(event: TicketEvent | None) -> str:
    """The chosen reason in words; what somebody wrote may hold names and is read on the ticket itself."""
    row = BY_ACTION.get(event.action) if event else None
    for given in row.given if row and event else ():
        chosen = (event.given or {}).get(given.name) if event else None
        if given.name.startswith("reason") and given.choices and chosen:
            return dict(given.choices).get(str(chosen), str(chosen))
    return "理由见工单"


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with its `{placeholders}` filled; an unknown one stays."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)


def _with_link(payload: Mapping[str, Any], ticket: Ticket, world: World) -> str:
    if payload.get("round") is None:
        return str(payload["text"])
    return filled(payload["text"], {"link": links.address(world.settings, ticket.id, int(payload["round"]))})
