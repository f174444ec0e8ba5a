"""Work that returns: one timer row for each period, unique by its key; there is no separate scheduler.

It may take minutes, so it runs outside any transaction: a claim is a lease, renewed while the work goes on, and soon
after its process died the work is done again. Each kind may run twice without harm. A period that was missed altogether
is not made up for: the present one is enough, and a row left over is void.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast

from sqlalchemy import CursorResult, or_, select, update
from sqlmodel import Session, col
from uuid6 import uuid7

from dispatch.engine import outbox, standing_work
from dispatch.engine.outbox import Tools, sentence
from dispatch.engine.timers import ATTEMPTS, DEAD
from dispatch.insight.leasing import LEASE, renewed
from dispatch.insight.reports import monthly
from dispatch.insight.topics import finding
from dispatch.record import firing
from dispatch.record.evidence import photos
from dispatch.record.models import UNPLACED_DISTRICT, Timer
from dispatch.upkeep import anchors, verifying

log = logging.getLogger(__name__)

KEPT = timedelta(days=180)
AGAIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Recurring:
    """One kind of work: how often, and how long after the beginning of its period (UTC)."""

    kind: str
    every: timedelta
    after: timedelta
    work: Callable[[Tools, datetime], None]


def anchor(tools: Tools, now: datetime) -> None:
    """Write the ends of the chains outside the database."""
    with tools.database.reading() as session:
        anchors.write(session, anchors.folder_of(tools.world.settings), now)


def prove(tools: Tools, now: datetime) -> None:
    """Prove every chain; photos are read one by one only on demand (`flask ops verify`)."""
    proof = verifying.verify(tools.database, tools.world.settings, with_photos=False)
    verifying.record(tools.database, proof, now)
    if not proof.holds:
        log.error("the record does not hold in %d places", len(proof.wrong))


def collect(tools: Tools, now: datetime) -> None:
    """Delete photos that no ticket came to refer to."""
    photos.collect(tools.database, tools.world.settings, now=now)


def prune(tools: Tools, now: datetime) -> None:
    """Delete what was carried out long ago; what was given up stays until a person has seen to it."""
    while tools.database.write(partial(outbox.prune, now - KEPT)):
        pass


def find_topics(tools: Tools, now: datetime) -> None:
    """Look for classes of problems."""
    finding.look(tools.database, now)


def write_bulletins(tools: Tools, now: datetime) -> None:
    """The bulletins of the month that is over, where they are not there yet."""
    monthly.make_due(tools.database, tools.world, now)


HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# 18:00 UTC is two in the morning in China.
ROWS = (
    Recurring("anchor_chains", HOUR, timedelta(minutes=5), anchor),
    Recurring("prove_chains", DAY, timedelta(hours=18), prove),
    Recurring("find_topics", DAY, timedelta(hours=19), find_topics),
    Recurring("write_bulletins", DAY, timedelta(hours=20), write_bulletins),
    Recurring("collect_photos", DAY, timedelta(hours=18, minutes=30), collect),
    Recurring("prune_outbox", DAY, timedelta(hours=19), prune),
    Recurring("train_categories", DAY, timedelta(hours=19), standing_work.train),
)


def look(tools: Tools) -> int:
    """Plan this period's rows and do what is due; the answer is how much was done."""
    with tools.database.reading() as session:
        now = tools.clock(session)
        keys = [key_of(row, at) for row in ROWS for at in (now, now - row.every)]
        planned = {row.key: row for row in session.execute(_with(keys)).scalars()}
    done = 0
    for row in ROWS:
        timer, earlier = planned.get(key_of(row, now)), planned.get(key_of(row, now - row.every))
        if timer is None or (earlier is not None and earlier.done_at is None):
            # The latter where the clock was behind for a while, and planned anew what had ended.
            tools.database.write(partial(_plan, row, now))
        elif timer.done_at is None and timer.due_at <= now and (timer.leased_until or now) <= now:
            done += _do(tools, row, timer)
    return done


def key_of(row: Recurring, now: datetime) -> str:
    """One key for each period."""
    return f"{row.kind}:{int(now.timestamp() // row.every.total_seconds())}"


def _with(keys: list[str]) -> Any:
    return select(Timer).where(col(Timer.intake_district) == UNPLACED_DISTRICT, col(Timer.key).in_(keys))


def _plan(row: Recurring, now: datetime, session: Session) -> None:
    key, seconds = key_of(row, now), row.every.total_seconds()
    began_at = datetime.fromtimestamp(now.timestamp() // seconds * seconds, tz=now.tzinfo)
    _void_earlier(session, row, began_at, now)
    if session.execute(_with([key])).first() is not None:
        return
    session.add(
        Timer(
            intake_district=UNPLACED_DISTRICT,
            id=uuid7(),
            kind=row.kind,
            key=key,
            due_at=began_at + row.after,
        )
    )


def _void_earlier(session: Session, row: Recurring, began_at: datetime, now: datetime) -> None:
    """What an ended period left undone; whoever is at it still will mark it done."""
    session.execute(
        update(Timer)
        .where(
            col(Timer.intake_district) == UNPLACED_DISTRICT,
            col(Timer.kind) == row.kind,
            col(Timer.done_at).is_(None),
            col(Timer.due_at) < began_at,
        )
        .values(done_at=now, outcome=firing.VOID)
        .execution_options(synchronize_session=False)
    )


def _do(tools: Tools, row: Recurring, timer: Timer) -> int:
    if not tools.database.write(partial(_claim, tools, timer)):
        return 0
    with tools.database.reading() as session:
        now = tools.clock(session)
    try:
        with renewed(lambda: tools.database.write(partial(_renew, tools, timer))):
            row.work(tools, now)
    except Exception as error:
        log.warning("%s failed (%s)", row.kind, type(error).__name__)
        tools.database.write(partial(_note_failure, tools, timer, error))
        return 0
    tools.database.write(partial(_mark, timer, now, firing.DONE))
    return 1


def _claim(tools: Tools, timer: Timer, session: Session) -> bool:
    """Take it for the length of a lease; False when somebody else did."""
    now = tools.clock(session)
    claimed = session.execute(
        _row(timer)
        .where(col(Timer.done_at).is_(None), col(Timer.due_at) <= now)
        .where(or_(col(Timer.leased_until).is_(None), col(Timer.leased_until) <= now))
        .values(leased_until=now + LEASE, attempts=Timer.attempts + 1)
    )
    return cast(CursorResult[Any], claimed).rowcount == 1


def _renew(tools: Tools, timer: Timer, session: Session) -> None:
    until = tools.clock(session) + LEASE
    session.execute(_row(timer).where(col(Timer.done_at).is_(None)).values(leased_until=until))


def _note_failure(tools: Tools, timer: Timer, error: Exception, session: Session) -> None:
    now = tools.clock(session)
    if timer.attempts + 1 >= ATTEMPTS:
        session.execute(_row(timer).values(done_at=now, outcome=DEAD, last_error=sentence(error)))
    else:
        session.execute(_row(timer).values(leased_until=now + AGAIN, last_error=sentence(error)))


def _mark(timer: Timer, now: datetime, outcome: str, session: Session) -> None:
    session.execute(_row(timer).values(done_at=now, outcome=outcome))


def _row(timer: Timer) -> Any:
    of_it = (col(Timer.intake_district) == timer.intake_district, col(Timer.id) == timer.id)
    return update(Timer).where(*of_it).execution_options(synchronize_session=False)
