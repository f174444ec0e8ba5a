"""`make bench-timers`: ten thousand overdue timers, as one sweeper finds them after an outage of an hour.

One ticket is reported through the front door and copied, each copy with a chain of its own, so that every timer has a
whole ticket behind it. Half of the timers sign for a unit that did not open its ticket; half turn a clock red, which
is written into the history, told to people and followed by the next rung. A second column goes on until the notices
that came of it are written too.
"""

import json
import statistics
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlmodel import Session, SQLModel, col, select
from uuid6 import uuid7

from dispatch import data
from dispatch.engine import outbox
from dispatch.engine.outbox import Tools
from dispatch.engine.timers import TimerDesk
from dispatch.record import chain, queries
from dispatch.record.models import Assignment, Ticket, TicketClock, TicketEvent, Timer
from dispatch.rules.workflow import ClockKind
from grid.models import NoticeRule
from tests.services import PostgresCluster, private_folder
from tests.town import Town, found_town, open_town

RESULTS = Path(__file__).parent / "results" / "timers.json"
TIMERS = 10_000
ROUNDS = 3
AT_ONCE = 500
OUTAGE = timedelta(hours=1)


def copy_tickets(session: Session, count: int) -> None:
    """So many more tickets like the only one; each has one timer that came due during the outage."""
    pattern = session.exec(select(Ticket)).one()
    rows = {table: queries.rows(session, table, pattern) for table in (TicketEvent, TicketClock, Assignment)}
    clocks = {clock.kind: clock for clock in rows[TicketClock]}
    now = pattern.reported_at + OUTAGE
    for start in range(0, count, AT_ONCE):
        many: dict[type[SQLModel], list[dict[str, Any]]] = {}
        for number in range(start, min(start + AT_ONCE, count)):
            _copy(many, rows, pattern, number)
            kind = ClockKind.STAGE if number % 2 else ClockKind.HANDLE
            many.setdefault(Timer, []).append(
                {
                    "intake_district": pattern.intake_district,
                    "id": uuid7(),
                    "ticket_id": many[Ticket][-1]["id"],
                    "clock_id": _copied(clocks[kind].id, number),
                    "kind": "stage_end" if kind is ClockKind.STAGE else "clock_red",
                    "key": f"overdue:{number}",
                    "due_at": now - OUTAGE * (count - number) / count,
                }
            )
        for table, values in many.items():
            session.execute(insert(table), values)


def _copy(
    many: dict[type[SQLModel], list[dict[str, Any]]],
    rows: dict[type[SQLModel], list[Any]],
    pattern: Ticket,
    number: int,
) -> None:
    ticket_id, previous = uuid7(), None
    many.setdefault(Ticket, []).append({**pattern.model_dump(), "id": ticket_id, "code": f"COPY{number}"})
    for table, originals in rows.items():
        for original in originals:
            row = table(
                **{**original.model_dump(), "id": _copied(original.id, number), "ticket_id": ticket_id}
            )
            if isinstance(row, TicketEvent):
                row.previous_hash = previous
                row.hash = previous = chain.event_hash(row)
            many.setdefault(table, []).append(row.model_dump())


def _copied(id_: UUID, number: int) -> UUID:
    return UUID(int=id_.int ^ (number + 1))


def outage(town: Town) -> dict[str, float]:
    """Seconds until everything overdue has fired, and until what came of it was carried out."""
    tools = Tools(town.database, town.world, {}, lambda _: town.now)
    town.worker.reports()
    outbox.drain(tools)
    with town.database.writing() as session:
        for timer in session.exec(select(Timer)):
            session.delete(timer)
        copy_tickets(session, TIMERS)
    town.now += OUTAGE
    desk, fired = TimerDesk(tools), 0
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    while found := desk.fire_due():
        fired += found
    fired_s, cpu_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
    while outbox.drain(tools):
        pass
    drained_s = time.perf_counter() - began_s
    with town.database.reading() as session:
        outcomes = Counter(session.exec(select(Timer.outcome).where(col(Timer.done_at).is_not(None))))
    assert (fired, outcomes) == (TIMERS, {"done": TIMERS}), (fired, outcomes)
    return {"fired_s": fired_s, "drained_s": drained_s, "cpu_s": cpu_s}


def run_on(url: str) -> dict[str, float]:
    """One outage on a fresh town in an empty database."""
    folder = private_folder("timers")
    found_town(url or f"sqlite:///{folder}/town.sqlite3", folder)
    town = open_town(url or f"sqlite:///{folder}/town.sqlite3", folder)
    try:
        with town.database.writing() as session:
            for row in data.notices().rows:
                names = ("id", "happening", "audience", "urgent", "channel", "text")
                session.add(NoticeRule(ruleset_version=1, **{n: getattr(row, n) for n in names}))
        return outage(town)
    finally:
        town.database.dispose()


def main() -> int:
    cluster = PostgresCluster(durable=True)
    cluster.create()
    cluster.start()
    rounds: dict[str, list[dict[str, float]]] = {"sqlite": [], "postgresql": []}
    try:
        for _ in range(ROUNDS):
            rounds["sqlite"].append(run_on(""))
            rounds["postgresql"].append(run_on(cluster.url(cluster.new_database())))
    finally:
        cluster.remove()
    figures: dict[str, Any] = {"timers": TIMERS, "rounds": ROUNDS}
    for kind, found in rounds.items():
        figures[kind] = {
            name: round(statistics.median(one[name] for one in found), 1)
            for name in ("fired_s", "drained_s", "cpu_s")
        }
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    sys.stdout.write(RESULTS.read_text("utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
