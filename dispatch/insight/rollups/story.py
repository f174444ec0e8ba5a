"""One ticket's history as plain values: its events, its clocks, and what it is counted under."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select
from sqlmodel import Session, col

from dispatch.insight.rollups.models import NONE
from dispatch.record.models import Reporter, Source, Ticket, TicketClock, TicketEvent
from dispatch.rules.workflow import TICKET

Key = tuple[str, UUID]
ASKS_CONTACT = frozenset({Source.HOTLINE, Source.RESIDENT, Source.UPPER})


class Line(NamedTuple):
    """One event."""

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
        return replace(
            self,
            lines=tuple(line for line in self.lines if line.at <= instant),
            clocks=tuple(clock for clock in self.clocks if clock.started_at <= instant),
        )

    @property
    def place(self) -> tuple[str, str, str, str]:
        return self.district_code, self.street_code, self.community_code, self.grid_code


def read(session: Session, keys: Sequence[Key]) -> list[Story]:
    """The histories of these tickets; leads are another workflow and are not counted."""
    if not keys:
        return []
    tickets = session.execute(
        select(
            *(
                col(getattr(Ticket, name))
                for name in (
                    "intake_district",
                    "id",
                    "source",
                    "category_code",
                    "urgent",
                    "district_code",
                    "street_code",
                    "community_code",
                    "grid_code",
                )
            )
        )
        .where(among(Ticket.intake_district, Ticket.id, keys), col(Ticket.workflow) == TICKET)
        .order_by(col(Ticket.id))
    ).all()
    lines, clocks, reachable = _lines(session, keys), _clocks(session, keys), _reachable(session, keys)
    return [
        Story(
            (row[0], row[1]),
            str(row[2]),
            row[3],
            bool(row[4]),
            row[2] in ASKS_CONTACT and (row[0], row[1]) in reachable,
            row[5] or NONE,
            row[6] or NONE,
            row[7] or NONE,
            row[8] or NONE,
            tuple(lines[(row[0], row[1])]),
            tuple(clocks[(row[0], row[1])]),
        )
        for row in tickets
    ]


def among(district: Any, ticket: Any, keys: Iterable[Key]) -> ColumnElement[bool]:
    """The condition that a row's key is one of these: two short lists, which a database plans faster than pairs (an id
    alone is unique already)."""
    listed = list(keys)
    return and_(col(district).in_({key[0] for key in listed}), col(ticket).in_([key[1] for key in listed]))


def _of(table: Any, keys: Iterable[Key]) -> ColumnElement[bool]:
    return among(table.intake_district, table.ticket_id, keys)


def _lines(session: Session, keys: Sequence[Key]) -> dict[Key, list[Line]]:
    found: dict[Key, list[Line]] = defaultdict(list)
    query = select(
        col(TicketEvent.intake_district),
        col(TicketEvent.ticket_id),
        col(TicketEvent.at),
        col(TicketEvent.action),
        col(TicketEvent.state_to),
        col(TicketEvent.given),
        col(TicketEvent.account_id),
    ).where(_of(TicketEvent, keys))
    for district, ticket, at, action, state, given, account in session.execute(
        query.order_by(col(TicketEvent.intake_district), col(TicketEvent.ticket_id), col(TicketEvent.seq))
    ):
        found[(district, ticket)].append(Line(at, action, state, given or {}, account is not None))
    return found


def _clocks(session: Session, keys: Sequence[Key]) -> dict[Key, list[Span]]:
    found: dict[Key, list[Span]] = defaultdict(list)
    query = select(
        col(TicketClock.intake_district),
        col(TicketClock.ticket_id),
        col(TicketClock.kind),
        col(TicketClock.stage),
        col(TicketClock.started_at),
        col(TicketClock.due_at),
        col(TicketClock.pauses),
    ).where(_of(TicketClock, keys))
    for district, ticket, kind, stage, started_at, due_at, pauses in session.execute(
        query.order_by(col(TicketClock.started_at), col(TicketClock.id))
    ):
        stood = tuple((_instant(a), _instant(b) if b else None) for a, b, _ in pauses or ())
        found[(district, ticket)].append(Span(str(kind), stage, started_at, due_at, stood))
    return found


def _reachable(session: Session, keys: Sequence[Key]) -> set[Key]:
    """The tickets with somebody whom the unit itself may ring up."""
    query = select(col(Reporter.intake_district), col(Reporter.ticket_id)).where(
        _of(Reporter, keys), col(Reporter.consented).is_(True), col(Reporter.confidential).is_(False)
    )
    return {(district, ticket) for district, ticket in session.execute(query)}


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
