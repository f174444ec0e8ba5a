"""Carries out what was written together with a ticket: effects inside the database, then sends to the outside.

An effect and its done-mark are one transaction, so it happens once whoever is killed. A send cannot be: it is
leased, sent and marked, and repeated with the same message id when the mark was lost.
"""

import logging
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, CursorResult, and_, delete, exists, or_, select, tuple_, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from dispatch.engine.health import tracing
from dispatch.engine.sending import notices
from dispatch.engine.sending.channels import TIMEOUT_S, Sender, SendError, senders
from dispatch.record.models import OutboxRow
from dispatch.record.world import World
from grid.database import Database
from grid.errors import GridError, Unavailable
from grid.settings import Settings

log = logging.getLogger(__name__)

BATCH, BATCHES = 200, 10
PRUNED = 500
SENDS = 8
LEASE = timedelta(seconds=10)
EFFECT_ATTEMPTS, SEND_ATTEMPTS = 8, 20
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 1800.0
LONGEST_REST_S = 60.0

Key = tuple[str, UUID]
Effect = Callable[[Session, Sequence[OutboxRow], World, datetime], None]
EFFECTS: dict[str, Effect] = {"notify": notices.notify, "ask_reporter": notices.ask}


class LostRace(Exception):
    """Somebody else marked a row done first; nothing of this transaction remains."""


@dataclass
class Tools:
    """What carrying out needs at hand, opened once per process."""

    database: Database
    world: World
    senders: Mapping[str, Sender]
    clock: Callable[[Session], datetime]
    resting: dict[str, tuple[int, float]] = field(default_factory=dict)

    @classmethod
    def open(cls, settings: Settings) -> "Tools":
        database = Database(settings.database_url)
        return cls(database, World(settings), senders(settings), database.now)


def drain(tools: Tools, *, stop: Callable[[], bool] = lambda: False) -> int:
    """Carry out the effects that are due now, up to a limit; the answer is how many were."""
    done = 0
    for _ in range(BATCHES):
        keys = [] if stop() else _due_keys(tools)
        done += _carry_out(tools, keys) if keys else 0
        if len(keys) < BATCH:
            break
    return done


def _due_keys(tools: Tools) -> list[Key]:
    """A look without a lock: an idle sweeper must not take the one writer's place of SQLite."""
    with tools.database.reading() as session:
        query = select(col(OutboxRow.intake_district), col(OutboxRow.id)).where(
            *_live(tools.clock(session)), col(OutboxRow.destination).is_(None)
        )
        found = session.execute(query.order_by(col(OutboxRow.available_at), col(OutboxRow.id)).limit(BATCH))
        return [(district, id_) for district, id_ in found]


def _live(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        col(OutboxRow.done_at).is_(None),
        col(OutboxRow.dead_at).is_(None),
        col(OutboxRow.available_at) <= now,
    )


def _carry_out(tools: Tools, keys: list[Key]) -> int:
    """All in one transaction; if one of them raises, each in its own, so that it spoils nothing but itself."""
    try:
        return tools.database.write(partial(_together, tools, keys))
    except Unavailable:
        raise
    except Exception as error:
        log.warning("an effect in a batch of %d failed (%s): one by one", len(keys), type(error).__name__)
    return sum(_alone(tools, key) for key in keys)


def _alone(tools: Tools, key: Key) -> int:
    try:
        return tools.database.write(partial(_together, tools, [key]))
    except (Unavailable, LostRace):
        return 0
    except Exception as error:
        tools.database.write(partial(_note_failure, tools, key, error, EFFECT_ATTEMPTS))
        return 0


def _together(tools: Tools, keys: list[Key], session: Session) -> int:
    """Claim, mark, carry out. Rows that another process holds (PostgreSQL) or has done are left alone."""
    now = tools.clock(session)
    query = select(OutboxRow).where(_among(keys), *_live(now)).order_by(col(OutboxRow.id))
    rows = list(session.execute(query.with_for_update(skip_locked=True)).scalars())
    if not rows:
        return 0
    mark_done(session, [(row.intake_district, row.id) for row in rows], now)
    for topic, group in _by_topic(rows).items():
        effect = EFFECTS.get(topic)
        if effect is None:
            raise LookupError(f"没有名为 {topic} 的执行,可能来自另一个版本:请更新程序后重新执行")
        with tracing.span(f"outbox {topic}", tracing.codes(session, (row.ticket_id for row in group))):
            effect(session, group, tools.world, now)
    return len(rows)


def mark_done(session: Session, keys: list[Key], now: datetime) -> None:
    """The fence: whatever else happens in this transaction remains only if every one of these was still undone."""
    marked = session.execute(
        update(OutboxRow)
        .where(_among(keys), col(OutboxRow.done_at).is_(None))
        .values(done_at=now)
        .execution_options(synchronize_session=False)
    )
    if cast(CursorResult[Any], marked).rowcount != len(keys):
        raise LostRace


def _among(keys: list[Key]) -> ColumnElement[bool]:
    return tuple_(col(OutboxRow.intake_district), col(OutboxRow.id)).in_(keys)


def _by_topic(rows: Iterable[OutboxRow]) -> dict[str, list[OutboxRow]]:
    groups: dict[str, list[OutboxRow]] = {}
    for row in rows:
        groups.setdefault(row.topic, []).append(row)
    return groups


def _note_failure(tools: Tools, key: Key, error: Exception, limit: int, session: Session) -> None:
    """Count the failure and plan the next attempt; after the last one the row waits for a person."""
    row = session.get(OutboxRow, key)
    if row is None or row.done_at is not None:
        return
    now = tools.clock(session)
    row.attempts += 1 if row.leased_until is None else 0
    row.leased_until = None
    row.last_error = sentence(error)
    if row.attempts >= limit or (isinstance(error, SendError) and error.final):
        row.dead_at = now
        log.error(
            "outbox row %s (%s) given up after %d attempts: %s",
            row.id,
            row.topic,
            row.attempts,
            row.last_error,
        )
    else:
        row.available_at = now + timedelta(seconds=pause_s(row.attempts))


def sentence(error: Exception) -> str:
    """What to keep of an error: our own words whole, of foreign ones the kind alone (they may quote values)."""
    return str(error) if isinstance(error, GridError | SendError | LookupError) else type(error).__name__


def pause_s(attempts: int, longest_s: float = LONGEST_PAUSE_S) -> float:
    """The pause before the next attempt: doubling, with jitter so that many do not return at once."""
    return min(FIRST_PAUSE_S * 2.0 ** max(attempts - 1, 0), longest_s) * random.uniform(0.5, 1.0)  # noqa: S311


def send(tools: Tools) -> int:
    """Send what is due to the outside; the answer is how many were taken. A destination that fails rests."""
    if not _anything_to_send(tools):
        return 0
    began_s = time.monotonic()
    taken = 0
    for row in tools.database.write(partial(_lease, tools)):
        destination = str(row.destination)
        late = time.monotonic() - began_s > LEASE.total_seconds() - TIMEOUT_S
        if late or _rests(tools, destination):
            tools.database.write(partial(_give_back, row))
        else:
            taken += _send_one(tools, row, destination)
    return taken


def _send_one(tools: Tools, row: OutboxRow, destination: str) -> int:
    key = (row.intake_district, row.id)
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
        tools.database.write(partial(_note_failure, tools, key, error, SEND_ATTEMPTS))
        return 0
    tools.resting.pop(destination, None)
    try:
        tools.database.write(lambda session: mark_done(session, [key], tools.clock(session)))
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
        *_live(now),
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


def _lease(tools: Tools, session: Session) -> list[OutboxRow]:
    """Take some rows for as long as a lease; each attempt counts from here, also one that kills the process."""
    query = select(OutboxRow).where(*_sendable(tools, session)).order_by(col(OutboxRow.id)).limit(SENDS)
    rows = list(session.execute(query.with_for_update(skip_locked=True, of=OutboxRow)).scalars())
    for row in rows:
        row.leased_until = tools.clock(session) + LEASE
        row.attempts += 1
    return rows


def _give_back(row: OutboxRow, session: Session) -> None:
    kept = session.get(OutboxRow, (row.intake_district, row.id))
    if kept is not None and kept.done_at is None:
        kept.leased_until, kept.attempts = None, kept.attempts - 1


def dead_letters(session: Session, *, limit: int = 100) -> list[OutboxRow]:
    """What was given up, newest first: for the operator's page."""
    query = select(OutboxRow).where(col(OutboxRow.dead_at).is_not(None), col(OutboxRow.done_at).is_(None))
    return list(session.execute(query.order_by(col(OutboxRow.dead_at).desc()).limit(limit)).scalars())


def run_again(session: Session, key: Key, now: datetime) -> bool:
    """Put a dead letter back; False when it is none."""
    revived = session.execute(
        update(OutboxRow)
        .where(_among([key]), col(OutboxRow.dead_at).is_not(None), col(OutboxRow.done_at).is_(None))
        .values(dead_at=None, attempts=0, available_at=now, leased_until=None)
    )
    return cast(CursorResult[Any], revived).rowcount == 1


def prune(before: datetime, session: Session) -> int:
    """Delete some rows that were done before an instant; the answer is how many. The events keep what happened."""
    old = select(col(OutboxRow.intake_district), col(OutboxRow.id)).where(col(OutboxRow.done_at) < before)
    keys = [(district, id_) for district, id_ in session.execute(old.limit(PRUNED))]
    if keys:
        session.execute(delete(OutboxRow).where(_among(keys), col(OutboxRow.done_at).is_not(None)))
    return len(keys)
