"""How fast a department's queue answers with 100,000 open tickets on PostgreSQL (fsync off: nothing is written).

The tickets lie with five units, two of them the clerk's; as many again are closed. What was said and who was asked to
help is there for each. The clerk's whole page is asked for (counts of all tabs, HTML), at the first page, at random
depths, around a point, and by words of two characters. The dispatcher's reach is all 100,000.
"""

import random
import statistics
import time
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import insert, inspect, text
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

TICKETS, ROUNDS, BATCH = 100_000, 120, 5_000
UNITS = (SANITATION, DRAINAGE, POLICE, SECTION, STREET_OFFICE)
STATES = ("dispatched", "in_progress", "in_progress", "rework", "handled")
SAID = [
    "楼下垃圾没人清,已经好几天",
    "路口一堆建筑垃圾,影响出行",
    "餐馆门口油污,气味很大",
    "小区门口堆了旧家具,没人清运",
    "河边有人乱倒生活垃圾",
    "菜市场旁污水横流,有老人滑倒",
]
# Of two characters each: in every third ticket, in every sixth, in some two hundred, in none.
WORDS = ("垃圾", "餐馆", "77", "井盖")
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
    with town.database.writing() as session:
        live_through(session)
    with town.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def live_through(session) -> None:
    """As many closed tickets; words of each and who had it, a helper for one in twenty."""
    session.execute(text("SET LOCAL statement_timeout = 0"))
    names = [column.name for column in inspect(Ticket).columns]
    past = {"id": "gen_random_uuid()", "code": "'C' || code", "state": "'closed'", "due_at": "NULL"}
    past["closed_at"] = "reported_at"
    copied = ", ".join(past.get(name, name) for name in names)
    session.execute(text(f"INSERT INTO ticket ({', '.join(names)}) SELECT {copied} FROM ticket"))
    own = "intake_district, id, ticket_id"
    said = f"INSERT INTO statement ({own}, event_id, name, public, salt, text) SELECT intake_district, gen_random_uuid(), id"
    words = "(CAST(:said AS text[]))[1 + floor(random() * :n)::int] || ',门牌' || floor(random() * 9000)::int || '号'"
    session.execute(
        text(f"{said}, gen_random_uuid(), 'text', true, 's', {words} FROM ticket"),
        {"said": SAID, "n": len(SAID)},
    )
    session.execute(
        text(f"{said}, gen_random_uuid(), 'answer', true, 's', '已清运完毕' FROM ticket WHERE due_at IS NULL")
    )
    session.execute(
        text(
            f"INSERT INTO open_words ({own}, text) SELECT s.intake_district, s.id, s.ticket_id, s.text FROM statement s "
            "JOIN ticket t ON t.intake_district = s.intake_district AND t.id = s.ticket_id "
            "WHERE t.closed_at IS NULL AND s.name = 'text'"
        )
    )
    had = (
        f"INSERT INTO assignment ({own}, round, part, organisation_code, dispatched_at, auto_signed, waived, ended_at) "
        "SELECT intake_district, gen_random_uuid(), id, 1"
    )
    rest = "reported_at, false, false, closed_at FROM ticket"
    session.execute(text(f"{had}, 'main', main_code, {rest}"))
    unit = "(CAST(:units AS text[]))[1 + floor(random() * :n)::int]"
    session.execute(
        text(f"{had}, 'assist', {unit}, {rest} WHERE random() < 0.05"),
        {"units": list(UNITS), "n": len(UNITS)},
    )


def p95_ms(times_s: list[float]) -> float:
    return round(statistics.quantiles(times_s, n=20)[-1] * 1000, 1)


def of_pages(town, client) -> dict[str, list[float]]:
    """Seconds per answer of the clerk's page, by what was asked for."""
    chance, found = random.Random(1), {"first": [], "deep": [], "filtered": [], "words": []}
    for number in range(ROUNDS):
        at = (town.now + timedelta(minutes=chance.randint(-3000, 8000))).isoformat().replace("+00:00", "Z")
        asked = {
            "first": "/department/",
            "deep": f"/department/?after={at}~{uuid4()}",
            "filtered": f"/department/?near={LON + chance.random() * 0.02},{LAT + 0.005}&within=300&source=patrol",
            "words": f"/department/?q={WORDS[number % len(WORDS)]}",
        }
        for name, address in asked.items():
            began_s = time.perf_counter()
            answer = client.get(address)
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


def measured() -> dict[str, object]:
    """The slowest kind of page is what counts."""
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
    return {
        "queue_p95_ms_100k": max(p95_ms(times) for times in pages.values()),
        "tickets": TICKETS,
        "by_page_p95_ms": {name: p95_ms(times) for name, times in pages.items()},
        "by_page_p50_ms": {name: round(statistics.median(times) * 1000, 1) for name, times in pages.items()},
        "dispatcher_page_p95_ms": p95_ms(whole),
    }
