"""Sends to the outside what became due: leased, sent and marked, and repeated with the same id when the mark was lost.

A send cannot be in a transaction, so a message leaves at least once, in order for each ticket and destination.
"""

import logging
import time
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from dispatch.engine.claiming import COLUMNS, Due, Key, LostRace, among, live, mark_done
from dispatch.engine.health import tracing
from dispatch.engine.outbox import Tools, note_failure, pause_s
from dispatch.engine.sending import notices
from dispatch.engine.sending.channels import TIMEOUT_S, SendError
from dispatch.record.models import OutboxRow
from grid.errors import Unavailable

log = logging.getLogger(__name__)

SENDS = 8
LEASE = timedelta(seconds=10)
SEND_ATTEMPTS = 20
LONGEST_REST_S = 60.0

Leased = tuple[Due, str]


def send(tools: Tools) -> int:
    """Send what is due to the outside; the answer is how many were taken. A destination that fails rests."""
    if not _anything_to_send(tools):
        return 0
    began_s = time.monotonic()
    taken = 0
    for row, destination in tools.database.write(partial(_lease, tools)):
        late = time.monotonic() - began_s > LEASE.total_seconds() - TIMEOUT_S
        if late or _rests(tools, destination):
            tools.database.write(partial(_give_back, row.key))
        else:
            taken += _send_one(tools, row, destination)
    return taken


def _send_one(tools: Tools, row: Due, destination: str) -> int:
    try:
        with tools.database.reading() as session:
            message = notices.compose(session, row, tools.world)
            codes = tracing.codes(session, [row.ticket_id])
        if message is not None:
            sender = tools.senders.get(destination)
            if sender is None:
                raise SendError(f"没有名为 {destination} 的发送渠道,请在设置中配置后重发")
            with tracing.span(f"send {destination}", codes):
                sender(message)
    except Unavailable:
        raise
    except Exception as error:
        _rest(tools, destination, error)
        tools.database.write(partial(note_failure, tools, row.key, error, SEND_ATTEMPTS))
        return 0
    tools.resting.pop(destination, None)
    try:
        tools.database.write(lambda session: mark_done(session, row.key, tools.clock(session)))
    except LostRace:
        log.warning("message %s was sent again by another process after its lease ran out", row.id)
    return 1


def _rest(tools: Tools, destination: str, error: Exception) -> None:
    if isinstance(error, SendError) and not error.final:
        failures = tools.resting.get(destination, (0, 0.0))[0] + 1
        tools.resting[destination] = (failures, time.monotonic() + pause_s(failures, LONGEST_REST_S))


def _rests(tools: Tools, destination: str) -> bool:
    return tools.resting.get(destination, (0, 0.0))[1] > time.monotonic()


def _sendable(tools: Tools, session: Session) -> tuple[ColumnElement[bool], ...]:
    """Due, not leased, to a destination that does not rest, and the oldest of its ticket for that destination."""
    now = tools.clock(session)
    resting = [name for name in tools.resting if _rests(tools, name)]
    before = aliased(OutboxRow)
    return (
        *live(now),
        col(OutboxRow.destination).is_not(None),
        col(OutboxRow.destination).not_in(resting),
        or_(col(OutboxRow.leased_until).is_(None), col(OutboxRow.leased_until) <= now),
        ~exists().where(
            and_(
                col(before.intake_district) == col(OutboxRow.intake_district),
                col(before.ticket_id) == col(OutboxRow.ticket_id),
                col(before.destination) == col(OutboxRow.destination),
                col(before.id) < col(OutboxRow.id),
                col(before.done_at).is_(None),
                col(before.dead_at).is_(None),
            )
        ),
    )


def _anything_to_send(tools: Tools) -> bool:
    with tools.database.reading() as session:
        query = select(col(OutboxRow.id)).where(*_sendable(tools, session))
        return session.execute(query.limit(1)).first() is not None


def _lease(tools: Tools, session: Session) -> list[Leased]:
    """Take some rows for as long as a lease; each attempt counts from here, also one that kills the process."""
    query = select(*COLUMNS, col(OutboxRow.destination)).where(*_sendable(tools, session))
    query = query.order_by(col(OutboxRow.id)).limit(SENDS).with_for_update(skip_locked=True, of=OutboxRow)
    leased = [(Due(*row), str(destination)) for *row, destination in session.execute(query)]
    _change(
        session,
        [due.key for due, _ in leased],
        leased_until=tools.clock(session) + LEASE,
        attempts=OutboxRow.attempts + 1,
    )
    return leased


def _give_back(key: Key, session: Session) -> None:
    _change(session, [key], leased_until=None, attempts=OutboxRow.attempts - 1)


def _change(session: Session, keys: Sequence[Key], **values: Any) -> None:
    undone = update(OutboxRow).where(among(keys), col(OutboxRow.done_at).is_(None)).values(values)
    session.execute(undone.execution_options(synchronize_session=False))
