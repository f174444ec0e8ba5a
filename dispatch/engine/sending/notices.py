"""Tells people what happened: the city's rows say who is told what, here they become messages.

In-app notices are written at once; what leaves the house becomes an outbox row of its own per reporter, which
holds the wording without the person's particulars and without the link: both are put in when it is sent.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import insert
from sqlmodel import Session
from uuid6 import uuid7

from dispatch.engine.claiming import Due
from dispatch.engine.sending import links
from dispatch.engine.sending.channels import Message
from dispatch.engine.sending.telling import Audience, Telling, Told
from dispatch.record.effects.asking import can_ask
from dispatch.record.models import Notice, OutboxRow, Reporter, Ticket
from dispatch.record.oversight import letters
from dispatch.record.oversight.models import Letter
from dispatch.record.world import World
from grid.models import NoticeRule
from grid.rows import fresh, put_in

IN_APP, REPORTER, LINK = "in_app", "reporter", "{link}"
ASKING = "verified"
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def notify(session: Session, rows: Sequence[Due], world: World, now: datetime) -> None:
    """Write the notices of what happened, and the messages to reporters."""
    writing = _Writing(Telling(session, rows, world, now))
    for row in rows:
        if row.ticket_id is None:
            writing.letter_notices(row)
            continue
        ticket, happening = writing.telling.ticket(row), str(row.payload.get("happening"))
        for rule in writing.telling.rules(happening, urgent=ticket.urgent):
            if rule.channel == IN_APP:
                writing.notices(row, ticket, rule)
            elif rule.audience == REPORTER and LINK not in rule.text:
                writing.message(row, ticket, rule)
            elif rule.audience == REPORTER and happening != ASKING:
                writing.message_to_follow(row, ticket, rule)
    writing.put()


def ask(session: Session, rows: Sequence[Due], world: World, now: datetime) -> None:
    """Make the callback link of a round valid and send it to whoever reported and agreed to be asked."""
    writing = _Writing(Telling(session, rows, world, now))
    for row in rows:
        ticket, round_ = writing.telling.ticket(row), int(row.payload["round"])
        writing.asked.append((ticket, round_))
        for rule in writing.telling.rules(ASKING, urgent=ticket.urgent):
            if rule.audience == REPORTER and LINK in rule.text:
                writing.message(row, ticket, rule, round_)
    writing.put()


def compose(session: Session, row: Due | OutboxRow, world: World) -> Message | None:
    """The message of an outgoing row, complete; None when there is nobody left to send it to."""
    payload = row.payload or {}
    reporter = session.get(Reporter, (row.intake_district, UUID(payload["reporter_id"])))
    ticket = session.get(Ticket, (row.intake_district, row.ticket_id))
    if ticket is None or reporter is None or not can_ask([reporter]) or not reporter.phone:
        return None
    return Message(row.id, ticket.code, reporter.phone, _with_link(payload, ticket, world))


class _Writing:
    """Collects what a batch writes, and writes each kind at once."""

    def __init__(self, telling: Telling) -> None:
        self.telling = telling
        self.asked: list[tuple[Told, int]] = []
        self._notices: list[dict[str, Any]] = []
        self._messages: list[OutboxRow] = []

    def put(self) -> None:
        session = self.telling.session
        links.issue_all(session, self.telling.world.settings, self.asked, self.telling.now)
        if self._messages:
            put_in(session, self._messages)
        if self._notices:
            session.connection().execute(insert(Notice), self._notices)

    def notices(self, row: Due, ticket: Told, rule: NoticeRule) -> None:
        """The notices that one rule makes of one happening."""
        audience = self.telling.audience(ticket, rule.audience)
        self._note(row, rule, audience, self.telling.values(row, ticket, _placeholders(rule.text)))

    def letter_notices(self, row: Due) -> None:
        """What is told of a supervision letter, under its own number: to its unit, or to oversight."""
        telling = self.telling
        letter = telling.session.get(Letter, UUID(row.payload["letter"]))
        if letter is None or letter.due_at is None:
            return
        values = {
            "code": f"{letters.LABELS[letter.kind]} {letters.number(letter)}",
            "organisation": telling.name_of(letter.organisation_code),
            "due": telling.local(letter.due_at),
        }
        for rule in telling.rules(str(row.payload["happening"]), urgent=False):
            unit = Audience((letter.organisation_code,))
            self._note(row, rule, unit if rule.audience == "handler" else telling.oversight, values)

    def _note(self, row: Due, rule: NoticeRule, audience: Audience, values: Mapping[str, str]) -> None:
        text = filled(rule.text, values)
        readers: list[tuple[str | None, UUID | None]] = [(code, None) for code in audience.organisations]
        readers += [(None, account_id) for account_id in audience.accounts]
        self._notices += [
            {
                "intake_district": row.intake_district,
                "id": uuid5(row.id, f"{rule.id}:{organisation_code or account_id}"),
                "ticket_id": row.ticket_id,
                "outbox_id": row.id,
                "account_id": account_id,
                "organisation_code": organisation_code,
                "text": text,
                "urgent": rule.urgent,
                "created_at": row.created_at,
            }
            for organisation_code, account_id in readers
        ]

    def message(self, row: Due, ticket: Told, rule: NoticeRule, round_: int | None = None) -> bool:
        """One outgoing message for each reporter; False when nobody is to be told."""
        reporters = self.telling.reporters.get(ticket.key, ())
        told = [reporter for reporter in reporters if can_ask([reporter])]
        if not told:
            return False
        text = filled(rule.text, self.telling.values(row, ticket, _placeholders(rule.text)))
        self._messages += [
            fresh(
                OutboxRow,
                intake_district=ticket.intake_district,
                id=uuid7(),
                ticket_id=ticket.id,
                topic="send",
                destination=rule.channel,
                payload={"text": text, "round": round_, "reporter_id": str(reporter.id)},
                created_at=row.created_at,
                available_at=self.telling.now,
            )
            for reporter in told
        ]
        return True

    def message_to_follow(self, row: Due, ticket: Told, rule: NoticeRule) -> None:
        """The same with the link by which they follow it, made valid if somebody is told."""
        if self.message(row, ticket, rule, links.FOLLOWING):
            self.asked.append((ticket, links.FOLLOWING))


@lru_cache(maxsize=1000)
def _placeholders(text: str) -> frozenset[str]:
    return frozenset(_PLACEHOLDER.findall(text))


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with its `{placeholders}` filled; an unknown one stays."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)


def _with_link(payload: Mapping[str, Any], ticket: Ticket, world: World) -> str:
    if payload.get("round") is None:
        return str(payload["text"])
    return filled(payload["text"], {"link": links.address(world.settings, ticket.id, int(payload["round"]))})
