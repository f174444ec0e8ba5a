"""Which parts of the service have been seen alive lately: each writes a row, `/readyz` reads them."""

import os
import socket
from datetime import datetime, timedelta

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from grid.models import Heartbeat

BEAT_SECONDS = 5.0
LATELY = timedelta(seconds=20)
FORGET_AFTER = timedelta(days=1)


def this_instance() -> str:
    """Return the name of this process among those that do the same work."""
    return f"{socket.gethostname()}:{os.getpid()}"


def beat(
    session: Session, *, part: str, now: datetime, instance: str | None = None, note: str | None = None
) -> None:
    """Record that `part` is alive, in the caller's transaction; forget processes that are long gone."""
    name = instance or this_instance()
    row = session.get(Heartbeat, (part, name))
    if row is None:
        session.exec(delete(Heartbeat).where(col(Heartbeat.seen_at) < now - FORGET_AFTER))
        row = Heartbeat(part=part, instance=name, seen_at=now)
    row.seen_at, row.note = now, note
    session.add(row)


def alive(session: Session, *, now: datetime) -> dict[str, int]:
    """Return how many processes of each known part were seen lately; 0 for a part that has fallen silent."""
    recent = func.count().filter(col(Heartbeat.seen_at) >= now - LATELY)
    counts = session.exec(select(Heartbeat.part, recent).group_by(Heartbeat.part))
    return dict(counts.all())
