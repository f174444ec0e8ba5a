"""Carries out what was written together with a ticket: the effects inside the database (sends: see `delivering`).

An effect and its done-mark are one transaction, so it happens once whoever is killed.
"""

import logging
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.orm import defer
from sqlmodel import Session, col

from dispatch.engine.claiming import Due, Key, among, anything_due, claim, claim_one
from dispatch.engine.health import tracing
from dispatch.engine.sending import notices
from dispatch.engine.sending.channels import Sender, SendError, senders
from dispatch.record.models import OutboxRow
from dispatch.record.world import World
from grid.database import Database
from grid.errors import GridError, Unavailable
from grid.settings import Settings

log = logging.getLogger(__name__)

BATCH, BATCHES = 500, 10
PRUNED = 500
EFFECT_ATTEMPTS = 8
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 1800.0

Effect = Callable[[Session, Sequence[Due], World, datetime], None]
EFFECTS: dict[str, Effect] = {"notify": notices.notify, "ask_reporter": notices.ask}


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
        if stop() or not _anything_due(tools):
            break
        done += _batch(tools)
    return done


def _anything_due(tools: Tools) -> bool:
    with tools.database.reading() as session:
        return anything_due(session, tools.clock(session))


def _batch(tools: Tools) -> int:
    """All in one transaction; if one of them raises, each in its own, so that it spoils nothing but itself."""
    keys: list[Key] = []

    def oldest(session: Session, now: datetime) -> list[Due]:
        claimed = claim(session, now, most=BATCH)
        keys[:] = [due.key for due in claimed]
        return claimed

    try:
        return tools.database.write(partial(_together, tools, oldest))
    except Unavailable:
        raise
    except Exception as error:
        log.warning("an effect in a batch of %d failed (%s): one by one", len(keys), type(error).__name__)
    return sum(carry_out_one(tools, key) for key in keys)


def carry_out_one(tools: Tools, key: Key) -> int:
    """One row in a transaction of its own; its failure is noted on it."""
    try:
        return tools.database.write(partial(_together, tools, partial(claim_one, key=key)))
    except Unavailable:
        return 0
    except Exception as error:
        tools.database.write(partial(note_failure, tools, key, error, EFFECT_ATTEMPTS))
        return 0


def _together(tools: Tools, taking: Callable[[Session, datetime], list[Due]], session: Session) -> int:
    """Claim and carry out: what this transaction marks done and what it does remain together or not at all."""
    now = tools.clock(session)
    rows = taking(session, now)
    for topic, group in _by_topic(rows).items():
        effect = EFFECTS.get(topic)
        if effect is None:
            raise LookupError(f"没有名为 {topic} 的执行,可能来自另一个版本:请更新程序后重新执行")
        with tracing.span(f"outbox {topic}", tracing.codes(session, (row.ticket_id for row in group))):
            effect(session, group, tools.world, now)
    return len(rows)


def _by_topic(rows: Iterable[Due]) -> dict[str, list[Due]]:
    groups: dict[str, list[Due]] = {}
    for row in rows:
        groups.setdefault(row.topic, []).append(row)
    return groups


def note_failure(tools: Tools, key: Key, error: Exception, limit: int, session: Session) -> None:
    """Count the failure and plan the next attempt; after the last one the row waits for a person."""
    found = session.execute(
        select(col(OutboxRow.topic), col(OutboxRow.attempts), col(OutboxRow.leased_until))
        .where(among([key]), col(OutboxRow.done_at).is_(None))
        .with_for_update()
    ).one_or_none()
    if found is None:
        return
    topic, attempts, leased_until = found
    attempts += 1 if leased_until is None else 0
    now, said = tools.clock(session), sentence(error)
    values = {"attempts": attempts, "leased_until": None, "last_error": said}
    if attempts >= limit or (isinstance(error, SendError) and error.final):
        values["dead_at"] = now
        log.error("outbox row %s (%s) given up after %d attempts: %s", key[1], topic, attempts, said)
    else:
        values["available_at"] = now + timedelta(seconds=pause_s(attempts))
    session.execute(
        update(OutboxRow).where(among([key])).values(values).execution_options(synchronize_session=False)
    )


def sentence(error: Exception) -> str:
    """What to keep of an error: our own words whole, of foreign ones the kind alone (they may quote values)."""
    return str(error) if isinstance(error, GridError | SendError | LookupError) else type(error).__name__


def pause_s(attempts: int, longest_s: float = LONGEST_PAUSE_S) -> float:
    """The pause before the next attempt: doubling, with jitter so that many do not return at once."""
    return min(FIRST_PAUSE_S * 2.0 ** max(attempts - 1, 0), longest_s) * random.uniform(0.5, 1.0)  # noqa: S311


def dead_letters(session: Session, *, limit: int = 100) -> list[OutboxRow]:
    """What was given up, newest first: for the operator's page."""
    query = select(OutboxRow).where(col(OutboxRow.dead_at).is_not(None), col(OutboxRow.done_at).is_(None))
    query = query.order_by(col(OutboxRow.dead_at).desc()).limit(limit)
    # Without its content, which may be what nobody could read.
    return list(session.execute(query.options(defer(col(OutboxRow.payload)))).scalars())  # type: ignore[arg-type]


def run_again(session: Session, key: Key, now: datetime) -> bool:
    """Put a dead letter back; False when it is none."""
    revived = session.execute(
        update(OutboxRow)
        .where(among([key]), col(OutboxRow.dead_at).is_not(None), col(OutboxRow.done_at).is_(None))
        .values(dead_at=None, attempts=0, available_at=now, leased_until=None)
    )
    return cast(CursorResult[Any], revived).rowcount == 1


def prune(before: datetime, session: Session) -> int:
    """Delete some rows that were done before an instant; the answer is how many. The events keep what happened."""
    old = select(col(OutboxRow.intake_district), col(OutboxRow.id)).where(col(OutboxRow.done_at) < before)
    keys = [(district, id_) for district, id_ in session.execute(old.limit(PRUNED))]
    if keys:
        session.execute(delete(OutboxRow).where(among(keys), col(OutboxRow.done_at).is_not(None)))
    return len(keys)
