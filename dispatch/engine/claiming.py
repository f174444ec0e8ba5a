"""Taking due rows of the outbox: claim, fence and done-mark are one statement, whose effects follow in its transaction.

What it returns was undone until now and is done if the transaction commits; if that does not, nothing of it remains.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CursorResult,
    Integer,
    String,
    Text,
    Uuid,
    bindparam,
    select,
    tuple_,
    type_coerce,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate
from sqlmodel import Session, col

from dispatch.record.models import OutboxRow

Key = tuple[str, UUID]
Moment = datetime | BindParameter[datetime]


class LostRace(Exception):
    """Somebody else marked a row done first; nothing of this transaction remains."""


class Due(NamedTuple):
    """A claimed row, as its effect wants it."""

    intake_district: str
    id: UUID
    ticket_id: UUID | None
    topic: str
    payload_text: str | None
    created_at: datetime

    @property
    def key(self) -> Key:
        return self.intake_district, self.id

    @property
    def payload(self) -> dict[str, Any]:
        """Read when it is wanted, so that a corrupt one spoils only its own row."""
        return json.loads(self.payload_text) if self.payload_text else {}


def live(now: Moment) -> tuple[ColumnElement[bool], ...]:
    """Neither done nor given up, and its time has come."""
    return (
        col(OutboxRow.done_at).is_(None),
        col(OutboxRow.dead_at).is_(None),
        col(OutboxRow.available_at) <= now,
    )


def among(keys: Sequence[Key]) -> ColumnElement[bool]:
    return tuple_(col(OutboxRow.intake_district), col(OutboxRow.id)).in_(keys)


def anything_due(session: Session, now: datetime) -> bool:
    """A look without a lock: an idle sweeper must not take the one writer's place of SQLite."""
    return session.connection().execute(_LOOK, {"now": now}).first() is not None


def claim(session: Session, now: datetime, *, most: int) -> list[Due]:
    """The oldest due effects, marked done; rows that another process holds (PostgreSQL) are left alone."""
    return _claimed(session, _OLDEST, {"now": now, "most": most})


def claim_one(session: Session, now: datetime, key: Key) -> list[Due]:
    """This one, if it is still due."""
    return _claimed(session, _ONE, {"now": now, "district": key[0], "key": key[1]})


def mark_done(session: Session, key: Key, now: datetime) -> None:
    """The fence of what was leased: the rest of this transaction remains only if the row was still undone."""
    marked = session.execute(
        update(OutboxRow)
        .where(among([key]), col(OutboxRow.done_at).is_(None))
        .values(done_at=now)
        .execution_options(synchronize_session=False)
    )
    if cast(CursorResult[Any], marked).rowcount != 1:
        raise LostRace


def _claimed(session: Session, statement: ReturningUpdate[Any], values: dict[str, Any]) -> list[Due]:
    found = session.connection().execute(statement, values)
    return sorted((Due(*row) for row in found), key=lambda due: due.id)


# Of `Due`, in its order.
COLUMNS: tuple[Any, ...] = (
    col(OutboxRow.intake_district),
    col(OutboxRow.id),
    col(OutboxRow.ticket_id),
    col(OutboxRow.topic),
    type_coerce(col(OutboxRow.payload), Text),
    col(OutboxRow.created_at),
)
_NOW: BindParameter[datetime] = bindparam("now")
_INSIDE = (*live(_NOW), col(OutboxRow.destination).is_(None))
_LOOK = select(col(OutboxRow.id)).where(*_INSIDE).limit(1)


def _claiming(chosen: Any) -> ReturningUpdate[Any]:
    # A common table expression: PostgreSQL evaluates one that locks exactly once, so the limit holds.
    due = chosen.with_for_update(skip_locked=True).cte("due")
    its_key = (col(OutboxRow.intake_district) == due.c.intake_district, col(OutboxRow.id) == due.c.id)
    return (
        update(OutboxRow)
        .where(*its_key, col(OutboxRow.done_at).is_(None))
        .values(done_at=_NOW)
        .returning(*COLUMNS)
    )


_KEYS = select(col(OutboxRow.intake_district), col(OutboxRow.id)).where(*_INSIDE)
_OLDEST = _claiming(
    _KEYS.order_by(col(OutboxRow.available_at), col(OutboxRow.id)).limit(bindparam("most", type_=Integer))
)
_ONE = _claiming(
    _KEYS.where(
        col(OutboxRow.intake_district) == bindparam("district", type_=String),
        col(OutboxRow.id) == bindparam("key", type_=Uuid),
    )
)
