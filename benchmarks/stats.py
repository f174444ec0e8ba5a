"""`make bench-stats`: a year's figures over a million tickets on PostgreSQL (ten million with FULL=1).

Rebuilds the sums from the histories, looks at dashboard and random slices of the last twelve months as the pages do,
exports every ticket, and holds a sample of the sums against a slow recount.
"""

import argparse
import json
import os
import random
import resource
import statistics
import time
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, text, update
from sqlmodel import col

from benchmarks import stats_city
from dispatch.insight.metrics import counting, flow, present, waiting_times
from dispatch.insight.metrics.formulas import METRICS
from dispatch.insight.metrics.measures import KEYS
from dispatch.insight.metrics.periods import Period
from dispatch.insight.metrics.slices import DIMENSIONS, Slice
from dispatch.insight.reports import exporting
from dispatch.insight.rollups import keeping, rebuilding, recomputing, story
from dispatch.insight.rollups.cubes import CUBES, TIMES
from dispatch.record.models import Ticket
from grid import schema
from grid.database import Database
from grid.permissions import Actor, Tenure
from tests.services import PostgresCluster, private_folder

RESULTS = Path(__file__).parent / "results" / "stats.json"
ZONE = ZoneInfo("Asia/Shanghai")
TODAY = date(2026, 11, 19)
AT = datetime.combine(TODAY + timedelta(days=1), datetime.min.time(), ZONE)
YEAR = Period(TODAY - timedelta(days=364), TODAY)
LOOKS, SLICES = 100, 200
CHANGED, DAYS_BACK = 4000, 3
CELLS = [cube.name for cube in (*CUBES, *TIMES)]
# What a server of this size would be given; the tests' own cluster is made for small tables.
SERVER = (
    "shared_buffers=1GB",
    "work_mem=32MB",
    "effective_cache_size=8GB",
    "random_page_cost=1.1",
    "max_wal_size=2GB",
    "wal_level=minimal",
    "max_wal_senders=0",
    "jit=off",
)
CHECKED_GRIDS = 40
SUPERVISOR = Actor(None, "bench", "督查员", None, (Tenure("supervisor", "centre", None),))


def main() -> None:
    parser = argparse.ArgumentParser()
    full = os.environ.get("FULL") == "1"
    parser.add_argument("--tickets", type=int, default=10_000_000 if full else 1_000_000)
    parser.add_argument(
        "--keep", type=Path, help="a folder for the city; where it is built already, only look"
    )
    given = parser.parse_args()
    folder: Path = given.keep or private_folder("stats")
    folder.mkdir(exist_ok=True)
    cluster, built = PostgresCluster(folder=folder), folder / "built.json"
    try:
        if not built.exists():
            cluster.create()
        cluster.start(*SERVER)
        database = Database(cluster.url())
        if not built.exists():
            schema.upgrade(cluster.url())
            built.write_text(json.dumps(build(database, given.tickets)), "utf-8")
        result = measure(database, json.loads(built.read_text("utf-8")))
    finally:
        if given.keep:
            cluster.stop()
        else:
            cluster.remove()
    RESULTS.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    print(json.dumps(result, indent=2))


def measure(database: Database, built: dict[str, Any]) -> dict[str, Any]:
    return {
        **built,
        **look(database),
        **taken_up(database),
        "mismatches": mismatches(database, AT),
        "load": round(os.getloadavg()[0], 1),
        "measured_on": datetime.now(ZONE).date().isoformat(),
    }


def build(database: Database, number: int) -> dict[str, Any]:
    """So many tickets, and everything that is counted of them."""
    began = time.perf_counter()
    for table in ("ticket", "ticket_event", "ticket_clock", "tally"):
        with database.writing() as session:
            session.execute(text(f"ALTER TABLE {table} SET (autovacuum_enabled = false)"))
    stats_city.generate(database, number)
    generated_s = time.perf_counter() - began
    _analyse(database, "ticket", "ticket_event", "ticket_clock")
    print(f"generated in {generated_s:.0f} s", flush=True)
    began = time.perf_counter()
    rebuilt = rebuilding.rebuild(database, ZONE, AT, processes=2)
    rebuild_s = time.perf_counter() - began
    _analyse(database, "tally", "ticket", *CELLS)
    print(f"rebuilt in {rebuild_s:.0f} s", flush=True)
    return {
        "tickets": rebuilt,
        "generated_s": round(generated_s, 1),
        "rebuild_tickets_per_s": round(rebuilt / rebuild_s),
        "disk_gb": round(_disk_gb(database), 1),
    }


def _disk_gb(database: Database) -> float:
    with database.reading() as session:
        return float(session.execute(text("SELECT pg_database_size(current_database())")).scalar_one()) / 1e9


def look(database: Database) -> dict[str, Any]:
    """What a page waits for: the dashboard, random slices, how long things took, an export."""
    dashboards = [_ms(lambda: dashboard(database, AT, Slice(YEAR))) for _ in range(LOOKS)]
    rng = random.Random(7)
    asked = [_random_slice(rng) for _ in range(SLICES)]
    slices = [_ms(lambda its=its, by=by: _table(database, its, by)) for its, by in asked]  # type: ignore[misc]
    sliced = [_ms(lambda its=its: dashboard(database, AT, its)) for its, _ in asked[: SLICES // 2]]  # type: ignore[misc]
    waits = [_ms(lambda its=its: _waits(database, its)) for its, _ in asked]  # type: ignore[misc]
    exported, export_s, grown_mb = export(database)
    with database.reading() as session:
        session.execute(text("SET LOCAL statement_timeout = 0"))
        rows = {
            name: session.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()
            for name in ("tally", *CELLS)
        }
    return {
        "rows": rows,
        "dashboard_p95_ms": _p95(dashboards),
        "dashboard_median_ms": round(statistics.median(dashboards), 1),
        "dashboard_worst_ms": round(max(dashboards), 1),
        "dashboard_of_a_slice_p95_ms": _p95(sliced),
        "dashboard_of_a_slice_worst_ms": round(max(sliced), 1),
        "slice_p95_ms": _p95(slices),
        "slice_median_ms": round(statistics.median(slices), 1),
        "slice_worst_ms": round(max(slices), 1),
        "durations_p95_ms": _p95(waits),
        "durations_median_ms": round(statistics.median(waits), 1),
        "durations_worst_ms": round(max(waits), 1),
        "export_rows": exported,
        "export_rows_per_s": round(exported / export_s),
        "export_memory_growth_mb": grown_mb,
        "database": "PostgreSQL 15, 2 shared cores; " + " ".join(SERVER),
    }


def dashboard(database: Database, at: datetime, its: Slice) -> None:
    """The questions of the dashboard's page, one after the other; durations that have no sums come after it."""
    keys = tuple(dict.fromkeys((*counting.needed(METRICS), *flow.KEYS)))
    today = Period(at.date(), at.date())
    with database.reading() as session:
        for period in (its.period, its.period.before, its.period.last_year):
            counting.totals(session, its.during(period), keys)
        counting.totals(session, its.during(today), ("received", "closed", "dispatched"))
        counting.table(session, its, ("received", "closed", "dispatched"), "month")
        for by in ("district", "category", "organisation", "source"):
            counting.table(session, its, ("received",), by)
        present.board(session, its, SUPERVISOR, at)
        if waiting_times.are_kept(its):
            waiting_times.of_slice(session, its)
        keeping.waiting(session)


def _random_slice(rng: random.Random) -> tuple[Slice, str]:
    """By any dimension, filtered by none, one or two others, over the last twelve months or a part of them."""
    grid = rng.randrange(stats_city.GRIDS)
    district, street, _ = stats_city.places(grid)
    choices = {
        "category_code": f"category-{rng.randrange(stats_city.CATEGORIES)}",
        "organisation_code": f"unit-{rng.randrange(stats_city.UNITS)}",
        "source": rng.choice(("patrol", "hotline", "resident")),
        "street_code": street,
        "district_code": district,
        "grid_code": f"grid-{grid}",
    }
    its = Slice(
        Period(
            YEAR.from_on + timedelta(days=rng.randrange(40)), YEAR.to_on - timedelta(days=rng.randrange(40))
        )
    )
    for column in rng.sample(sorted(choices), rng.choice((0, 1, 1, 2))):
        its = its.at(column, choices[column])
    return its, rng.choice([*DIMENSIONS, "month"])


def _table(database: Database, its: Slice, by: str) -> None:
    with database.reading() as session:
        counting.table(session, its, counting.needed(METRICS), by)


def _waits(database: Database, its: Slice) -> None:
    with database.reading() as session:
        waiting_times.of_slice(session, its)


def taken_up(database: Database) -> dict[str, Any]:
    """How many changed tickets a second the sums follow, and how much PostgreSQL writes to its log for each: the last
    ones are counted as of some days before, and again as of now."""
    latest = select(col(Ticket.intake_district), col(Ticket.id)).order_by(col(Ticket.reported_at).desc())
    with database.reading() as session:
        which = story.these(
            [(district, ticket) for district, ticket in session.execute(latest.limit(CHANGED))]
        )
    spent, logged = 0.0, 0
    for at in (AT - timedelta(days=DAYS_BACK), AT):
        with database.writing() as session:
            changed = update(Ticket).where(which(Ticket.intake_district, Ticket.id)).values(tally_due=True)
            session.execute(changed.execution_options(synchronize_session=False))
        began, from_there = time.perf_counter(), _log_bytes(database)
        done = keeping.catch_up(database, ZONE, at, batches=CHANGED)
        spent += time.perf_counter() - began
        logged += _log_bytes(database) - from_there
        assert done == CHANGED
    return {
        "taken_up_per_s": round(2 * CHANGED / spent),
        "taken_up_log_kb_each": round(logged / 1024 / (2 * CHANGED), 1),
    }


def _log_bytes(database: Database) -> int:
    with database.reading() as session:
        return int(session.execute(text("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")).scalar_one())


def export(database: Database) -> tuple[int, float, float]:
    """Every ticket as CSV, line by line, to nowhere; by how much the process grew."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began, rows = time.perf_counter(), -2  # the mark and the heads
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        for line in exporting.lines(database, [col(Ticket.workflow) == "ticket"], {}, ZONE, sources={}):
            nowhere.write(line)
            rows += 1
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return rows, time.perf_counter() - began, round(grown, 1)


def mismatches(database: Database, at: datetime) -> int:
    """Grids drawn at random, recounted from their histories and compared with the sums, measure by measure."""
    rng = random.Random(11)
    wrong = 0
    with database.reading() as session:
        session.execute(text("SET LOCAL statement_timeout = 0"))
        for grid in rng.sample(range(stats_city.GRIDS), CHECKED_GRIDS):
            code = f"grid-{grid}"
            slow = recomputing.count(session, at, ZONE, YEAR, col(Ticket.grid_code) == code)
            fast = counting.totals(session, Slice(YEAR).at("grid_code", code), KEYS)
            wrong += len((+Counter(slow) - +fast) | (+fast - +Counter(slow)))
        whole = counting.totals(session, Slice(YEAR), KEYS)
        parts = counting.table(session, Slice(YEAR).at("source", "patrol"), KEYS, "category")
        other = counting.table(session, Slice(YEAR), KEYS, "source")
        wrong += sum((other["patrol"] - sum(parts.values(), Counter())).values())
        wrong += sum((whole - sum(other.values(), Counter())).values())
    return wrong


def _analyse(database: Database, *tables: str) -> None:
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        for table in tables:
            connection.execute(text(f"VACUUM ANALYZE {table}"))


def _ms(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def _p95(values: list[float]) -> float:
    return round(statistics.quantiles(values, n=20)[-1], 1)


if __name__ == "__main__":
    main()
