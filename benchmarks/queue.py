"""`make bench-queue`: the outbox drained in batches against one RQ job for each row; how fast a wake-up arrives.

Both arms carry out the same effect (a notice in the database, of a thousand tickets in turn) on the same PostgreSQL with
fsync on, in interleaved rounds: forty times as many rows for the drain, since it is that much faster. The RQ arm uses
the fastest worker there is, which does not fork, and its jobs run the same code for their one row.
"""

import itertools
import json
import statistics
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer
from rq.worker import SimpleWorker
from sqlmodel import col, select
from uuid6 import uuid7

from benchmarks.timers import copy_tickets
from dispatch import data
from dispatch.engine import jobs, outbox
from dispatch.engine.outbox import Tools
from dispatch.record.models import OutboxRow, TicketEvent
from grid.models import NoticeRule
from grid.rows import fresh, put_in
from grid.settings import Settings
from tests.services import PostgresCluster, private_folder, private_redis
from tests.town import found_town, open_town

RESULTS = Path(__file__).parent / "results" / "queue.json"
ROUNDS = 3
DRAIN_ROWS, JOB_ROWS = 4000, 100
TICKETS = 1000
WAKE_UPS = 100
IDLE_S = 0.1

_tools: Tools


def one_row(district: str, id_: str) -> None:
    """What an RQ job for a single row would do."""
    outbox.carry_out_one(_tools, (district, UUID(id_)))


def put_rows(count: int) -> list[tuple[str, str]]:
    """Outbox rows that tell a unit of a ticket each, all due."""
    with _tools.database.writing() as session:
        dispatched = select(TicketEvent).where(col(TicketEvent.action) == "dispatch")
        events = itertools.cycle(session.exec(dispatched.limit(TICKETS)).all())
        now = _tools.clock(session)
        rows = [
            fresh(
                OutboxRow,
                intake_district=event.intake_district,
                id=uuid7(),
                ticket_id=event.ticket_id,
                topic="notify",
                payload={"happening": "dispatched", "event_id": str(event.id)},
                created_at=now,
                available_at=now,
            )
            for event in itertools.islice(events, count)
        ]
        put_in(session, rows)
    return [(row.intake_district, str(row.id)) for row in rows]


def drain_rate() -> float:
    """Rows per second when one wake-up drains them all."""
    put_rows(DRAIN_ROWS)
    began_s, done = time.perf_counter(), 0
    while done < DRAIN_ROWS:
        done += outbox.drain(_tools)
    return done / (time.perf_counter() - began_s)


def job_rate(client: Redis) -> float:
    """Rows per second when each is a job of its own (enqueueing not counted)."""
    queue = Queue("each", connection=client, serializer=JSONSerializer)
    for district, id_ in put_rows(JOB_ROWS):
        queue.enqueue(one_row, district, id_, result_ttl=0)
    worker = SimpleWorker([queue], connection=client, serializer=JSONSerializer)
    worker.log_job_description = False
    began_s = time.perf_counter()
    worker.work(burst=True, logging_level="ERROR")
    return JOB_ROWS / (time.perf_counter() - began_s)


def wake_up_ms(settings: Settings) -> list[float]:
    """Milliseconds from `wake` to the drain of an idle worker, one wake-up at a time."""
    arrived, times = threading.Event(), []
    stop = threading.Event()
    real = outbox.drain
    outbox.drain = lambda tools, **_: arrived.set() or 0  # type: ignore[assignment,func-returns-value]
    worker = threading.Thread(target=_work, args=(settings, stop), daemon=True)
    worker.start()
    try:
        jobs.wake(settings)
        arrived.wait(10)
        for _ in range(WAKE_UPS):
            time.sleep(IDLE_S)  # the worker has put the last job away and waits again
            arrived.clear()
            began_s = time.perf_counter()
            jobs.wake(settings)
            if arrived.wait(5):
                times.append((time.perf_counter() - began_s) * 1000)
    finally:
        outbox.drain = real
        stop.set()
    return times


def _work(settings: Settings, stop: threading.Event) -> None:
    # A worker in a thread has no signals, so no alarm either: jobs run without a time limit.
    from rq.timeouts import TimerDeathPenalty

    jobs.OwnWorker.death_penalty_class = TimerDeathPenalty
    jobs.work(settings, stop)


def main() -> int:
    global _tools
    folder = private_folder("queue")
    cluster, server = PostgresCluster(durable=True), private_redis(private_folder("queue-redis"))
    cluster.create()
    cluster.start()
    try:
        url = cluster.url(cluster.new_database())
        found_town(url, folder)
        town = open_town(url, folder)
        with town.database.writing() as session:
            for row in data.notices().rows:
                names = ("id", "happening", "audience", "urgent", "channel", "text")
                session.add(NoticeRule(ruleset_version=1, **{n: getattr(row, n) for n in names}))
        town.worker.reports()
        _tools = Tools(town.database, town.world, {}, town.database.now)
        outbox.drain(_tools)
        with town.database.writing() as session:
            copy_tickets(session, TICKETS - 1)
        settings = replace(town.world.settings, database_url=url, redis_url=server.url)
        with Redis.from_url(server.url) as client:
            rounds = [(drain_rate(), job_rate(client)) for _ in range(ROUNDS)]
        waited = sorted(wake_up_ms(settings))
        town.database.dispose()
    finally:
        server.stop()
        cluster.remove()
    figures = {
        "drain_vs_job_per_row": round(statistics.median(drain / job for drain, job in rounds), 1),
        "wakeup_p50_ms": round(statistics.median(waited), 2),
        "wakeup_p99_ms": round(waited[int(len(waited) * 0.99)], 2),
        "drain_rows_per_s": [round(drain) for drain, _ in rounds],
        "job_rows_per_s": [round(job, 1) for _, job in rounds],
        "wakeups": len(waited),
        "database": "postgresql",
    }
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    sys.stdout.write(RESULTS.read_text("utf-8"))
    return 0


if __name__ == "__main__":
    from benchmarks import queue  # RQ takes no function of `__main__`

    sys.exit(queue.main())
