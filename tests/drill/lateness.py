"""How late timers fired: in running, and after what fires them came back.

Timers need a sweeper and the database. Where one of them was away at some moment between due and done, the timer counts
from the end of the last such outage: from when the new sweeper's process exists, or the database takes connections.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from dispatch.record import firing
from dispatch.record.models import Timer

FIRING = frozenset({"sweeper", "postgres"})


@dataclass(frozen=True, slots=True)
class Outage:
    """A part was away from its kill until it was there again."""

    part: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Lateness:
    """Seconds."""

    running_p99_s: float
    running_max_s: float
    after_back_p99_s: float
    after_back_max_s: float
    after_back: int
    in_all_p99_s: float
    in_all_max_s: float

    def as_json(self) -> dict[str, float]:
        return {f"timer_late_{name}": value for name, value in asdict(self).items()}


def lateness(session: Session, outages: Iterable[Outage]) -> Lateness:
    """Over every timer of a ticket that fired."""
    query = select(Timer.due_at, Timer.done_at).where(
        col(Timer.outcome) == firing.DONE, col(Timer.ticket_id).is_not(None)
    )
    return measured([(due, done) for due, done in session.exec(query) if done], outages)


def measured(fired: Sequence[tuple[datetime, datetime]], outages: Iterable[Outage]) -> Lateness:
    relevant = [outage for outage in outages if outage.part in FIRING]
    running, after_back = [], []
    for due_at, done_at in fired:
        back = [outage.until for outage in relevant if outage.since < done_at and outage.until > due_at]
        if back:
            after_back.append(max((done_at - max(back)).total_seconds(), 0.0))
        else:
            running.append((done_at - due_at).total_seconds())
    in_all = [(done_at - due_at).total_seconds() for due_at, done_at in fired]
    return Lateness(*_ends(running), *_ends(after_back), len(after_back), *_ends(in_all))


def _ends(seconds: list[float]) -> tuple[float, float]:
    ordered = sorted(seconds) or [0.0]
    return round(ordered[int(len(ordered) * 0.99)], 2), round(ordered[-1], 2)
