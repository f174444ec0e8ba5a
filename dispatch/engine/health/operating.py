"""How the service is doing, as values for the operator's page."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import redis
from sqlalchemy import func, select
from sqlmodel import Session, col

from dispatch.record.models import OutboxRow, Timer
from grid.database import Database
from grid.models import CalendarDay
from grid.schema import is_current
from grid.settings import Settings

LATE = timedelta(seconds=10)
PING_S = 1.0


@dataclass(frozen=True, slots=True)
class Health:
    """What waits, since when, and what is missing."""

    pending: int
    oldest_pending_at: datetime | None
    late_timers: int
    dead: int
    redis_up: bool
    current: bool
    calendar_until: int | None


def health(session: Session, database: Database, settings: Settings, now: datetime) -> Health:
    """One look at everything that an operator can act on."""
    waiting = (col(OutboxRow.done_at).is_(None), col(OutboxRow.dead_at).is_(None))
    pending, oldest = session.execute(
        select(func.count(), func.min(col(OutboxRow.created_at))).where(*waiting)
    ).one()
    late = session.execute(
        select(func.count()).where(col(Timer.done_at).is_(None), col(Timer.due_at) < now - LATE)
    ).scalar_one()
    dead = session.execute(
        select(func.count()).where(col(OutboxRow.dead_at).is_not(None), col(OutboxRow.done_at).is_(None))
    ).scalar_one()
    last_day = session.execute(select(func.max(col(CalendarDay.on)))).scalar_one()
    return Health(
        pending=int(pending),
        oldest_pending_at=oldest,
        late_timers=int(late),
        dead=int(dead),
        redis_up=redis_answers(settings),
        current=is_current(database),
        calendar_until=last_day.year if last_day else None,
    )


def redis_answers(settings: Settings) -> bool:
    """Whether Redis can be reached; it is a hint and a place for heavy work, so its absence is a yellow line."""
    address = settings.redis_url
    if not address:
        return False
    timeouts = {"socket_timeout": PING_S}
    if urlsplit(address).scheme != "unix":  # a unix socket connects at once and takes no such option
        timeouts["socket_connect_timeout"] = PING_S
    try:
        with redis.Redis.from_url(address, **timeouts) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False
