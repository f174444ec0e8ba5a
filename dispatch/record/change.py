"""One change of one ticket, gathered and written in one transaction: row + event + clocks + timers + outbox."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import make_transient_to_detached
from sqlmodel import Session, SQLModel, col
from uuid6 import uuid7

from dispatch.record import chain, queries
from dispatch.record.models import (
    SEARCHED,
    OpenWords,
    OutboxRow,
    Statement,
    Ticket,
    TicketCode,
    TicketEvent,
    TicketPhoto,
    band_of,
)
from dispatch.record.reading import together
from dispatch.record.world import Standing, World
from dispatch.rules.workflow import Given, GivenKind, State, Transition
from grid.permissions import Actor
from grid.rows import fresh, put_in


class Change:
    """What an action needs at hand, and the door through which it writes.

    New rows wait until `write`, so that a change costs one flush; `rows` gives the ticket's rows with them.
    An effect may put off the start of the stage (`stage_from`) and ask for an action of the system on another
    ticket when this one is written (`then`).
    """

    def __init__(
        self,
        session: Session,
        ticket: Ticket,
        actor: Actor,
        world: World,
        now: datetime,
        *,
        new: bool = False,
    ) -> None:
        self.session = session
        self.ticket = ticket
        self.actor = actor
        self.world = world
        self.now = now
        self._new = new
        self._was_open = new or ticket.closed_at is None
        self._pending: list[SQLModel] = []
        self._known: dict[type[SQLModel], list[Any]] = {}
        self.reasons: dict[str, Any] = {}
        self.stage_from: datetime | None = None
        self.then: list[tuple[Ticket, str]] = []
        self.last: TicketEvent | None = None if new else _last_event(session, ticket)

    @property
    def standing(self) -> Standing:
        return self.world.standing

    def add(self, table: type[SQLModel], **values: Any) -> Any:
        """A new row of this ticket, with its own id."""
        row = fresh(
            table,
            intake_district=self.ticket.intake_district,
            id=uuid7(),
            ticket_id=self.ticket.id,
            **values,
        )
        self._pending.append(row)
        if table in self._known:
            self._known[table].append(row)
        return row

    def keep(self, row: SQLModel) -> None:
        """A row made elsewhere, written with the others."""
        self._pending.append(row)

    def rows(self, table: type[SQLModel]) -> list[Any]:
        """This ticket's rows of a table in the order of their writing, those of this change included."""
        if table not in self._known:
            stored = [] if self._new else queries.rows(self.session, table, self.ticket)
            self._known[table] = stored + [row for row in self._pending if isinstance(row, table)]
        return self._known[table]

    def write(self) -> None:
        """Send everything to the database, or into the batch that is open; what is counted is looked at again soon."""
        ticket = self.ticket
        ticket.tally_due = True
        self._keep_findable()
        batch = together.batch_of(self.session)
        if batch is not None and not self._new:
            batch.keep(ticket, self._pending)
            self._pending = []
            return
        if self._new:
            ticket.lat_band = band_of(ticket.lat)
            at = {"code": ticket.code, "intake_district": ticket.intake_district, "ticket_id": ticket.id}
            self._pending += [ticket, fresh(TicketCode, **at)]
        self.session.flush()
        put_in(self.session, self._pending)
        self._pending.clear()
        if self._new:
            make_transient_to_detached(ticket)
            self.session.add(ticket)
            self._new = False

    def _keep_findable(self) -> None:
        """Desks search what is open: a ticket's words leave when it closes and are back when it opens again."""
        is_open = self.ticket.closed_at is None
        if not is_open or not self._was_open:
            self._pending = [row for row in self._pending if not isinstance(row, OpenWords)]
        if self._was_open and not is_open and not self._new:
            self.session.execute(delete(OpenWords).where(queries.of_ticket(OpenWords, self.ticket)))
        if is_open and not self._was_open:
            for said in self.rows(Statement):
                if said.name in SEARCHED and said.text:
                    self.add(OpenWords, text=said.text)
        self._was_open = is_open

    def append(
        self,
        row: Transition | None,
        action: str,
        target: State,
        given: Mapping[str, Any],
        reasons: Any = None,
        request_key: UUID | None = None,
    ) -> TicketEvent:
        """Append the event and move the ticket; free text and photos go to tables of their own."""
        fields = {field.name: field for field in (row.given if row else ())}
        event_id = uuid7()
        kept: dict[str, Any] = {}
        commitments: dict[str, str] = {}
        for name, value in given.items():
            field = fields.get(name)
            if value in (None, "", ()):
                continue
            if field is not None and field.kind is GivenKind.STATEMENT:
                commitments[name] = self._say(event_id, field, str(value))
            elif field is not None and field.kind is GivenKind.PHOTOS:
                kept[name] = self._show(event_id, action, tuple(value))
            else:
                kept[name] = value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
        if commitments:
            kept["statements"] = commitments
        before = self.last.state_to if self.last else None
        event: TicketEvent = fresh(
            TicketEvent,
            intake_district=self.ticket.intake_district,
            id=event_id,
            ticket_id=self.ticket.id,
            seq=self.last.seq + 1 if self.last else 1,
            at=self.now,
            account_id=self.actor.account_id,
            organisation_code=self.actor.organisation_code,
            channel=self.actor.channel,
            action=action,
            state_from=before,
            state_to=str(target),
            given=kept or None,
            reasons=reasons,
            request_key=request_key,
            previous_hash=self.last.hash if self.last else None,
            hash="",
        )
        event.hash = chain.event_hash(event)
        self._pending.append(event)
        self.ticket.state = target
        self.last = event
        return event

    def _say(self, event_id: UUID, field: Given, text: str) -> str:
        salt = chain.new_salt()
        self.add(Statement, event_id=event_id, name=field.name, public=field.public, salt=salt, text=text)
        if field.name in SEARCHED:
            self.add(OpenWords, text=text)
        return chain.commitment(salt, text)

    def _show(self, event_id: UUID, action: str, photos: tuple[str, ...]) -> list[str]:
        for sha256 in photos:
            self.add(TicketPhoto, event_id=event_id, part=action, sha256=sha256)
        return list(photos)

    def send(self, topic: str, *, not_before: datetime | None = None, **payload: Any) -> None:
        """Put an effect into the outbox; it leaves only if this transaction commits."""
        self.add(
            OutboxRow, topic=topic, payload=payload, created_at=self.now, available_at=not_before or self.now
        )


def _last_event(session: Session, ticket: Ticket) -> TicketEvent | None:
    at_hand = together.rows(session, TicketEvent, ticket)
    if at_hand is not None:
        return max(at_hand, key=lambda event: event.seq, default=None)
    query = select(TicketEvent).where(queries.of_ticket(TicketEvent, ticket))
    return session.execute(query.order_by(col(TicketEvent.seq).desc()).limit(1)).scalar_one_or_none()
