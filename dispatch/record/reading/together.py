"""Many tickets in one transaction: their rows read at once and written at once, instead of a dozen statements each.

Whoever reads a ticket's rows (`queries.rows`, `Change`) is served from here while a batch is open. A ticket that was
written is read from the database again, after everything that waits has gone there.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlmodel import Session, SQLModel, col

from dispatch.record.models import Assignment, Reporter, Ticket, TicketClock, TicketEvent, Timer
from grid.rows import put_in

READ: tuple[Any, ...] = (TicketEvent, TicketClock, Timer, Assignment, Reporter)
OPEN = "together"
Key = tuple[str, UUID]


@dataclass
class Together:
    """The rows of the tickets of one batch."""

    session: Session
    _found: dict[tuple[type[SQLModel], Key], list[Any]] = field(default_factory=lambda: defaultdict(list))
    _fresh: set[Key] = field(default_factory=set)
    _waiting: list[SQLModel] = field(default_factory=list)

    def fetch(self, tickets: Iterable[Ticket]) -> None:
        """Read what is kept of these tickets, which the caller has locked."""
        keys = [_key(ticket) for ticket in tickets]
        for table in READ if keys else ():
            its_ticket = tuple_(col(table.intake_district), col(table.ticket_id))
            for row in self.session.execute(
                select(table).where(its_ticket.in_(keys)).order_by(table.id)
            ).scalars():
                self._found[(table, (row.intake_district, row.ticket_id))].append(row)
        self._fresh.update(keys)

    def rows(self, table: type[SQLModel], ticket: Ticket) -> list[Any] | None:
        """The ticket's rows in the order of their writing; None when the database has to be asked."""
        if _key(ticket) not in self._fresh:
            self.put()
            return None
        return list(self._found[(table, _key(ticket))]) if table in READ else None

    def keep(self, ticket: Ticket, rows: Iterable[SQLModel]) -> None:
        """Take over what a change wants written."""
        self._fresh.discard(_key(ticket))
        self._waiting += rows

    def put(self) -> None:
        """Write everything that waits."""
        self.session.flush()
        put_in(self.session, self._waiting)
        self._waiting = []


@contextmanager
def together(session: Session) -> Iterator[Together]:
    """Open a batch; at its end everything is written."""
    batch = session.info[OPEN] = Together(session)
    try:
        yield batch
        batch.put()
    finally:
        del session.info[OPEN]


def batch_of(session: Session) -> Together | None:
    """The batch that is open in this session, if there is one."""
    return session.info.get(OPEN)


def rows(session: Session, table: type[SQLModel], ticket: Ticket) -> list[Any] | None:
    """The ticket's rows as far as an open batch has them."""
    batch = batch_of(session)
    return batch.rows(table, ticket) if batch else None


def _key(ticket: Ticket) -> Key:
    return ticket.intake_district, ticket.id
