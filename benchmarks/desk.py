"""`make bench-desk`: how fast a department's queue answers with 100,000 open tickets on PostgreSQL (fsync on).

The tickets lie with five units; the clerk's page is asked for as a browser asks (counts of all tabs included), at the
first page and at random depths, with and without a filter. The dispatcher's reach is all 100,000.
"""

import json
import random
import statistics
import time
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from sqlalchemy import insert, text
from sqlmodel import col, select
from uuid6 import uuid7

from app import create_app
from dispatch.record import queries
from dispatch.record.models import Ticket, band_of
from dispatch.rules.workflow import OPEN_STATES
from grid.accounts import passwords
from grid.models import Account
from grid.settings import Settings
from tests.services import PostgresCluster, private_folder
from tests.town import DRAINAGE, LAT, LON, POLICE, SANITATION, SECTION, STREET_OFFICE, found_town, open_town
from web.service import context

RESULTS = Path(__file__).parent / "results" / "desk.json"
TICKETS, ROUNDS, BATCH = 100_000, 120, 5_000
UNITS = (SANITATION, DRAINAGE, POLICE, SECTION, STREET_OFFICE)
STATES = ("dispatched", "in_progress", "in_progress", "rework", "handled")
PASSWORD = "a sentence nobody guesses"


def fill(town) -> None:
    """Copies of one real ticket, with their own places, states, units and limits."""
    code = town.worker.reports().code
    with town.database.writing() as session:
        model = session.exec(select(Ticket).where(col(Ticket.code) == code)).one().model_dump()
        chance = random.Random(12345)
        for start in range(0, TICKETS - 1, BATCH):
            rows = []
            for number in range(start, min(start + BATCH, TICKETS - 1)):
                unit = UNITS[number % len(UNITS)]
                rows.append(
                    {
                        **model,
                        "id": uuid7(),
                        "code": f"B{number}",
                        "state": chance.choice(STATES),
                        "main_code": unit,
                        "owner_code": unit,
                        "lon": LON + chance.random() * 0.02,
                        "lat": (lat := LAT + chance.random() * 0.01),
                        "lat_band": band_of(lat),
                        "due_at": town.now + timedelta(minutes=chance.randint(-3000, 9000)),
                    }
                )
            session.execute(insert(Ticket), rows)
    with town.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def p95_ms(times_s: list[float]) -> float:
    return round(statistics.quantiles(times_s, n=20)[-1] * 1000, 1)


def of_pages(town, client) -> dict[str, list[float]]:
    """Seconds per answer of the clerk's page, by what was asked for."""
    chance, found = random.Random(1), {"first": [], "deep": [], "filtered": []}
    for _ in range(ROUNDS):
        at = (town.now + timedelta(minutes=chance.randint(-3000, 8000))).isoformat().replace("+00:00", "Z")
        asked = {
            "first": "/department/",
            "deep": f"/department/?after={at}~{uuid4()}",
            "filtered": f"/department/?near={LON + chance.random() * 0.02},{LAT + 0.005}&within=300&source=patrol",
        }
        for name, address in asked.items():
            began_s = time.perf_counter()
            answer = client.get(address, headers={"HX-Request": "true"})
            found[name].append(time.perf_counter() - began_s)
            assert answer.status_code == 200, answer.text
    return found


def of_dispatcher(town) -> list[float]:
    """Seconds per page of everything that is open."""
    chance, found = random.Random(2), []
    for _ in range(ROUNDS):
        after = (town.now + timedelta(minutes=chance.randint(-3000, 8000)), uuid4())
        began_s = time.perf_counter()
        with town.database.reading() as session:
            queries.page(session, town.dispatcher.actor, col(Ticket.state).in_(OPEN_STATES), after=after)
        found.append(time.perf_counter() - began_s)
    return found


def main() -> None:
    folder, cluster = private_folder("desk"), PostgresCluster()
    try:
        cluster.create()
        cluster.start()
        url = cluster.url(cluster.new_database())
        found_town(url, folder)
        town = open_town(url, folder)
        fill(town)
        with town.database.writing() as session:
            clerk = session.exec(select(Account).where(col(Account.login) == "department")).one()
            clerk.password_hash = passwords.hash_password(PASSWORD)
            session.add(clerk)
        context.moment = lambda: town.now
        app = create_app(Settings(instance_path=folder, secret_key="k" * 40, database_url=url))
        app.config["WTF_CSRF_ENABLED"] = False
        client = app.test_client()
        token = client.post("/api/v1/session", json={"login": "department", "password": PASSWORD}).json[
            "token"
        ]
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        pages, whole = of_pages(town, client), of_dispatcher(town)
        town.database.dispose()
    finally:
        cluster.remove()
    result = {
        "queue_p95_ms_100k": max(p95_ms(times) for times in pages.values()),
        "tickets": TICKETS,
        "by_page_p95_ms": {name: p95_ms(times) for name, times in pages.items()},
        "dispatcher_page_p95_ms": p95_ms(whole),
    }
    RESULTS.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
