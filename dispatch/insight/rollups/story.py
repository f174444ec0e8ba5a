"""One ticket's history as plain values: its events, its clocks, and what it is counted under."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Text, and_, case, select, type_coerce
from sqlmodel import Session, col

from dispatch.insight import bulk
from dispatch.insight.rollups.models import NONE
from dispatch.record.models import Reporter, Source, Ticket, TicketClock, TicketEvent
from dispatch.rules.workflow import TICKET

Key = tuple[str, UUID]
Which = Callable[[Any, Any], ColumnElement[bool]]  # of a table's district and ticket
CORRECTION = "reclassify"
MOVES_ENDS = frozenset({CORRECTION, "calendar_changed"})
ASKS_CONTACT = frozenset({Source.HOTLINE, Source.RESIDENT, Source.UPPER})


class Line(NamedTuple):
    """One event; of a correction, what it changed instead of what was given."""

    at: datetime
    action: str
    state: str
    given: dict[str, Any]
    by_person: bool


class Span(NamedTuple):
    """One clock: what it measured, and when it began, ran out and stood still."""

    kind: str
    stage: str | None
    started_at: datetime
    due_at: datetime
    pauses: tuple[tuple[datetime, datetime | None], ...]


@dataclass(frozen=True, slots=True)
class Story:
    """A ticket's history and what it is counted under."""

    key: Key
    source: str
    category_code: str
    urgent: bool
    asks_contact: bool
    district_code: str
    street_code: str
    community_code: str
    grid_code: str
    lines: tuple[Line, ...]
    clocks: tuple[Span, ...]

    def as_of(self, instant: datetime) -> "Story":
        """What of it had happened by then."""
        if all(line.at <= instant for line in self.lines[-1:]) and all(
            clock.started_at <= instant for clock in self.clocks[-1:]
        ):
            return self
        later = [line for line in self.lines if line.at > instant and line.action in MOVES_ENDS]
        return replace(
            self,
            lines=tuple(line for line in self.lines if line.at <= instant),
            clocks=tuple(_before(clock, later) for clock in self.clocks if clock.started_at <= instant),
        )

    @property
    def place(self) -> tuple[str, str, str, str]:
        return self.district_code, self.street_code, self.community_code, self.grid_code


def _before(clock: Span, later: list[Line]) -> Span:
    """The clock with the end that it had before a correction or a new calendar moved it."""
    for line in reversed(later):
        moved = line.given.get("reclassified", line.given)["moved"]
        was, became = moved.get(f"{clock.kind}:{clock.stage}", (None, None))
        if became is not None and clock.due_at == _instant(became):
            clock = clock._replace(due_at=_instant(was))
    return clock


_OF_TICKET = (
    "intake_district", "id", "source", "category_code", "urgent",
    "district_code", "street_code", "community_code", "grid_code",
)  # fmt: skip


def read(session: Session, which: Which) -> list[Story]:
    """The histories of these tickets; leads are another workflow and are not counted."""
    query = select(*(col(getattr(Ticket, name)) for name in _OF_TICKET)).where(
        which(Ticket.intake_district, Ticket.id), col(Ticket.workflow) == TICKET
    )
    tickets = bulk.rows(session, query.order_by(col(Ticket.id)))
    if not tickets:
        return []
    lines, clocks, reachable = _lines(session, which), _clocks(session, which), _reachable(session, which)
    return [
        Story(
            (row[0], row[1]),
            str(row[2]),
            row[3],
            bool(row[4]),
            row[2] in ASKS_CONTACT and row[1] in reachable,
            row[5] or NONE,
            row[6] or NONE,
            row[7] or NONE,
            row[8] or NONE,
            tuple(lines[row[1]]),
            tuple(clocks[row[1]]),
        )
        for row in tickets
    ]


def these(keys: Iterable[Key]) -> Which:
    """Tickets by their keys: two short lists, which a database plans faster than pairs (an id alone is unique already)."""
    listed = list(keys)
    districts, tickets = sorted({key[0] for key in listed}), [key[1] for key in listed]
    return lambda district, ticket: and_(col(district).in_(districts), col(ticket).in_(tickets))


def between(first: Key, last: Key) -> Which:
    """The tickets of one district from one to another, both included."""
    return lambda district, ticket: and_(col(district) == first[0], col(ticket).between(first[1], last[1]))


def _lines(session: Session, which: Which) -> dict[UUID, list[Line]]:
    event = TicketEvent
    query = select(
        col(event.ticket_id),
        col(event.at),
        col(event.action),
        col(event.state_to),
        case(
            (col(event.action) == CORRECTION, type_coerce(event.reasons, Text)),
            else_=type_coerce(event.given, Text),
        ),
        col(event.account_id),
    ).where(which(event.intake_district, event.ticket_id))
    found: dict[UUID, list[Line]] = defaultdict(list)
    for ticket, at, action, state, given, account in bulk.rows(
        session, query.order_by(col(event.intake_district), col(event.ticket_id), col(event.seq))
    ):
        found[ticket].append(Line(at, action, state, _values(given) if given else {}, account is not None))
    return found


def _clocks(session: Session, which: Which) -> dict[UUID, list[Span]]:
    clock = TicketClock
    query = select(
        col(clock.ticket_id),
        col(clock.kind),
        col(clock.stage),
        col(clock.started_at),
        col(clock.due_at),
        type_coerce(clock.pauses, Text),
    ).where(which(clock.intake_district, clock.ticket_id))
    found: dict[UUID, list[Span]] = defaultdict(list)
    for ticket, kind, stage, started_at, due_at, pauses in bulk.rows(
        session, query.order_by(col(clock.started_at), col(clock.id))
    ):
        stood = _stretches(pauses) if pauses else ()
        found[ticket].append(Span(str(kind), stage, started_at, due_at, stood))
    return found


def _reachable(session: Session, which: Which) -> set[UUID]:
    """The tickets with somebody whom the unit itself may ring up."""
    query = select(col(Reporter.ticket_id)).where(
        which(Reporter.intake_district, Reporter.ticket_id),
        col(Reporter.consented).is_(True),
        col(Reporter.confidential).is_(False),
    )
    return {row[0] for row in bulk.rows(session, query)}


@lru_cache(4096)
def _values(text: str) -> dict[str, Any]:
    """What was given with an event, to be read only: many say the same."""
    found: dict[str, Any] = json.loads(text)
    return found


def _stretches(text: str) -> tuple[tuple[datetime, datetime | None], ...]:
    return tuple((_instant(a), _instant(b) if b else None) for a, b, _ in json.loads(text))


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
