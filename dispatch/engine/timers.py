"""Fires what is due: each timer in the transaction of its done-mark, so once, however many look.

Time is the database's, passed as a bind parameter. When wall clock and monotonic clock part, somebody moved the
clock: that is written into the audit and everything is held for one tick.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, or_, select, tuple_, update
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Session, col
from uuid6 import uuid7

from dispatch.engine.claiming import Key, LostRace
from dispatch.engine.health import tracing
from dispatch.engine.outbox import Tools, pause_s, sentence
from dispatch.record import firing
from dispatch.record.models import Timer
from dispatch.record.oversight.letters import LETTER_DUE
from grid.errors import Unavailable
from grid.models import StandingChange

log = logging.getLogger(__name__)

LOOK_AHEAD = 500
TOGETHER = 50
ATTEMPTS = 8
JUMP_S = 5.0
BUSY_S = 0.5
DEAD = "dead"


@dataclass
class TimerDesk:
    """Fires due timers for one process and remembers which of them to leave alone for a while."""

    tools: Tools
    _not_before_s: dict[Key, float] = field(default_factory=dict)

    def fire_due(self, *, stop: Callable[[], bool] = lambda: False) -> int:
        """Fire what is due now, up to a limit; the answer is how many timers were settled."""
        fired = 0
        for keys in _batches(self._due()):
            if stop():
                break
            fired += self._fire(keys)
        return fired

    def _due(self) -> list[tuple[Key, Key]]:
        """What is due, each with what it belongs to."""
        now_s = time.monotonic()
        self._not_before_s = {key: at_s for key, at_s in self._not_before_s.items() if at_s > now_s}
        with self.tools.database.reading() as session:
            query = select(col(Timer.intake_district), col(Timer.id), col(Timer.ticket_id)).where(
                # What belongs to no ticket returns by itself (see recurring), letters excepted.
                or_(col(Timer.ticket_id).is_not(None), col(Timer.kind) == LETTER_DUE),
                col(Timer.done_at).is_(None),
                col(Timer.due_at) <= self.tools.clock(session),
            )
            limit = LOOK_AHEAD + len(self._not_before_s)
            found = session.execute(query.order_by(col(Timer.due_at), col(Timer.id)).limit(limit))
            return [
                ((district, id_), (district, ticket_id or id_))
                for district, id_, ticket_id in found
                if (district, id_) not in self._not_before_s
            ]

    def _fire(self, keys: list[Key]) -> int:
        """Some timers in one transaction; if one of them raises, each in its own."""
        try:
            return self.tools.database.write(partial(self._together, keys))
        except Unavailable:
            raise
        except Exception as error:
            log.warning("one of %d timers failed (%s): one by one", len(keys), type(error).__name__)
        return sum(self._alone(key) for key in keys)

    def _alone(self, key: Key) -> int:
        try:
            return self.tools.database.write(partial(self._together, [key]))
        except (Unavailable, LostRace):
            return 0
        except Exception as error:
            attempts = self.tools.database.write(partial(_note_failure, self.tools, key, error))
            self._not_before_s[key] = time.monotonic() + pause_s(attempts)
            return 0

    def _together(self, keys: list[Key], session: Session) -> int:
        now = self.tools.clock(session)
        query = select(Timer).where(
            _among(keys),
            col(Timer.done_at).is_(None),
            col(Timer.due_at) <= now,
        )
        query = query.order_by(col(Timer.due_at), col(Timer.id)).with_for_update(skip_locked=True)
        timers = session.execute(query).scalars().all()
        # Marked first: a timer that stops its own clock would otherwise be made void by it.
        _mark(session, timers, done_at=now, outcome=firing.DONE)
        with tracing.span("timers", tracing.codes(session, (timer.ticket_id for timer in timers))):
            outcomes = firing.fire_all(session, timers, self.tools.world, now)
        later = [timer for timer in timers if outcomes[timer.id] == firing.LATER]
        _mark(session, later, done_at=None, outcome=None)
        for timer in later:
            self._not_before_s[(timer.intake_district, timer.id)] = time.monotonic() + BUSY_S
        _mark(session, [t for t in timers if outcomes[t.id] == firing.VOID], done_at=now, outcome=firing.VOID)
        return len(timers) - len(later)


def _batches(due: Sequence[tuple[Key, Key]]) -> Iterator[list[Key]]:
    """At most so many together, and of one ticket one at a time: the second may depend on what the first one did."""
    waiting = list(due)
    while waiting:
        batch: dict[Key, Key] = {}
        left: list[tuple[Key, Key]] = []
        for key, owner in waiting:
            if owner in batch or len(batch) == TOGETHER:
                left.append((key, owner))
            else:
                batch[owner] = key
        yield list(batch.values())
        waiting = left


def _mark(
    session: Session, timers: Sequence[Timer], *, done_at: datetime | None, outcome: str | None
) -> None:
    """The fence: whatever else happens in this transaction remains only if every timer was as we think."""
    if not timers:
        return
    done = col(Timer.done_at)
    marked = session.execute(
        update(Timer)
        .where(
            _among([(timer.intake_district, timer.id) for timer in timers]),
            done.is_(None) if timers[0].done_at is None else done.is_not(None),
        )
        .values(done_at=done_at, outcome=outcome)
        .execution_options(synchronize_session=False)
    )
    if cast(CursorResult[Any], marked).rowcount != len(timers):
        raise LostRace
    for timer in timers:
        set_committed_value(timer, "done_at", done_at)
        set_committed_value(timer, "outcome", outcome)


def _among(keys: Sequence[Key]) -> ColumnElement[bool]:
    return tuple_(col(Timer.intake_district), col(Timer.id)).in_(keys)


def _note_failure(tools: Tools, key: Key, error: Exception, session: Session) -> int:
    timer = session.get(Timer, key)
    if timer is None or timer.done_at is not None:
        return 0
    timer.attempts += 1
    timer.last_error = sentence(error)
    if timer.attempts >= ATTEMPTS:
        timer.done_at, timer.outcome = tools.clock(session), DEAD
        log.error("timer %s (%s) given up: %s", timer.id, timer.kind, timer.last_error)
    return timer.attempts


def dead_timers(session: Session, *, limit: int = 100) -> list[Timer]:
    """Timers that were given up, for the operator's page."""
    query = select(Timer).where(col(Timer.outcome) == DEAD).order_by(col(Timer.done_at).desc())
    return list(session.execute(query.limit(limit)).scalars())


def run_again(session: Session, key: Key) -> bool:
    """Let a timer that was given up fire again; False when it was not given up."""
    timer = session.get(Timer, key)
    if timer is None or timer.outcome != DEAD:
        return False
    timer.done_at, timer.outcome, timer.attempts = None, None, 0
    return True


@dataclass
class ClockWatch:
    """Notices that the wall clock was moved: it and the monotonic clock have not gone the same way."""

    monotonic: Callable[[], float] = time.monotonic
    _last: tuple[datetime, float] | None = None

    def jump_s(self, now: datetime) -> float | None:
        """The seconds by which the clock jumped since the last look, or None."""
        last, self._last = self._last, (now, self.monotonic())
        if last is None:
            return None
        parted_s = (now - last[0]).total_seconds() - (self._last[1] - last[1])
        return parted_s if abs(parted_s) > JUMP_S else None


def record_jump(session: Session, now: datetime, by_s: float) -> None:
    """Write the jump into the audit of the standing world."""
    session.add(
        StandingChange(
            id=uuid7(),
            at=now,
            thing="clock",
            key="wall",
            action="jumped",
            before=(now - timedelta(seconds=by_s)).isoformat(),
            after=now.isoformat(),
        )
    )
