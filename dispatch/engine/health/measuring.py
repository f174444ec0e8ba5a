"""Figures for monitoring, computed from the database when asked: right whichever process answers, and after any restart."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlmodel import Session, col

from dispatch.engine.parts import heartbeats
from dispatch.engine.timers import DEAD
from dispatch.record import queries
from dispatch.record.models import OutboxRow, Ticket, Timer
from dispatch.upkeep.keeping import keeping
from grid.models import CalendarDay, StandingChange
from grid.settings import Settings

LATELY = timedelta(minutes=5)
SAMPLED = 500

Labels = Mapping[str, str]


@dataclass
class Measure:
    """One figure with its samples by label."""

    name: str
    help: str
    kind: str = "gauge"
    samples: list[tuple[Labels, float]] = field(default_factory=list)

    def add(self, value: float | None, **labels: str) -> "Measure":
        if value is not None:
            self.samples.append((labels, float(value)))
        return self


def measure(session: Session, settings: Settings, now: datetime) -> list[Measure]:
    """Everything that an alert may ask about."""
    return [
        *_tickets(session, now),
        *_outbox(session, now),
        *_timers(session, now),
        *_parts(session, now),
        *_kept(session, settings, now),
    ]


def _tickets(session: Session, now: datetime) -> Iterator[Measure]:
    is_open = queries.is_open()
    states = Measure("grid_tickets_open", "Open tickets by state")
    overdue = Measure("grid_tickets_overdue", "Open tickets past the limit of their unit, by state")
    late = func.count().filter(col(Ticket.due_at) < now)
    for state, count, past in session.execute(
        select(col(Ticket.state), func.count(), late).where(is_open).group_by(col(Ticket.state))
    ):
        states.add(count, state=str(state))
        overdue.add(past, state=str(state))
    queues = Measure("grid_tickets_queued", "Tickets that wait in a queue of the centre")
    queued = select(col(Ticket.queue), func.count()).where(is_open, col(Ticket.queue).is_not(None))
    for queue, count in session.execute(queued.group_by(col(Ticket.queue))):
        queues.add(count, queue=str(queue))
    yield from (states, overdue, queues)


def _outbox(session: Session, now: datetime) -> Iterator[Measure]:
    waiting = (col(OutboxRow.done_at).is_(None), col(OutboxRow.dead_at).is_(None))
    count, oldest = session.execute(
        select(func.count(), func.min(col(OutboxRow.created_at))).where(*waiting)
    ).one()
    dead = session.execute(
        select(func.count()).where(col(OutboxRow.dead_at).is_not(None), col(OutboxRow.done_at).is_(None))
    ).scalar_one()
    yield Measure("grid_outbox_pending", "Effects and messages not carried out yet").add(count)
    yield Measure("grid_outbox_oldest_seconds", "Age of the oldest of them").add(_age_s(oldest, now) or 0)
    yield Measure("grid_outbox_dead", "Effects and messages given up, waiting for a person").add(dead)
    yield _durations(session, now)


def _durations(session: Session, now: datetime) -> Measure:
    """From being due to being done, of the latest effects."""
    query = select(col(OutboxRow.topic), col(OutboxRow.available_at), col(OutboxRow.done_at))
    found = session.execute(
        query.where(col(OutboxRow.done_at) >= now - LATELY)
        .order_by(col(OutboxRow.done_at).desc())
        .limit(SAMPLED)
    )
    by_topic: dict[str, list[float]] = {}
    for topic, available_at, done_at in found:
        by_topic.setdefault(topic, []).append((done_at - available_at).total_seconds())
    durations = Measure("grid_job_seconds", "From due to done, of the jobs of the last five minutes")
    for topic, seconds in by_topic.items():
        seconds.sort()
        for quantile in (0.5, 0.95, 1.0):
            at = min(int(quantile * len(seconds)), len(seconds) - 1)
            durations.add(seconds[at], topic=topic, quantile=str(quantile))
    return durations


def _timers(session: Session, now: datetime) -> Iterator[Measure]:
    due = (col(Timer.ticket_id).is_not(None), col(Timer.done_at).is_(None), col(Timer.due_at) <= now)
    count, oldest = session.execute(select(func.count(), func.min(col(Timer.due_at))).where(*due)).one()
    dead = session.execute(select(func.count()).where(col(Timer.outcome) == DEAD)).scalar_one()
    yield Measure("grid_timers_due", "Timers that are due and have not fired").add(count)
    yield Measure("grid_timer_lag_seconds", "How late the oldest of them is").add(_age_s(oldest, now) or 0)
    yield Measure("grid_timers_dead", "Timers given up, waiting for a person").add(dead)
    jumps = select(func.count()).where(col(StandingChange.thing) == "clock")
    counted = session.execute(jumps).scalar_one()
    yield Measure("grid_clock_jumps_total", "Jumps of the wall clock seen", "counter").add(counted)


def _parts(session: Session, now: datetime) -> Iterator[Measure]:
    alive = Measure("grid_parts_alive", "Processes of a part seen lately")
    for part, count in heartbeats.alive(session, now=now).items():
        alive.add(count, part=part)
    yield alive


def _kept(session: Session, settings: Settings, now: datetime) -> Iterator[Measure]:
    kept = keeping(session, settings)
    yield Measure("grid_backup_age_seconds", "Since the last backup").add(_age_s(kept.backed_up_at, now))
    yield Measure("grid_verified_age_seconds", "Since the record was last proved").add(
        _age_s(kept.verified_at, now)
    )
    yield Measure("grid_record_wrong", "Places where the last proof found the record broken").add(kept.wrong)
    free = Measure("grid_disk_free_bytes", "Room left")
    for place, count in kept.free_bytes.items():
        free.add(count, place=place)
    yield free
    last = session.execute(select(func.max(col(CalendarDay.on)))).scalar_one()
    yield Measure("grid_calendar_last_year", "Last year of the work calendar").add(
        last.year if last else None
    )


def _age_s(at: datetime | None, now: datetime) -> float | None:
    return max((now - at).total_seconds(), 0.0) if at is not None else None


def as_text(measures: Iterable[Measure]) -> str:
    """The figures in Prometheus' text format."""
    lines: list[str] = []
    for one in measures:
        lines += [f"# HELP {one.name} {one.help}", f"# TYPE {one.name} {one.kind}"]
        for labels, value in one.samples:
            inside = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
            lines.append(f"{one.name}{'{' + inside + '}' if inside else ''} {value:.17g}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
