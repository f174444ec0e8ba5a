"""The database is cut off, restarted or replaced by its standby while people report: nothing acknowledged is lost,
nobody sees a fault, and no process needs a restart."""

from pathlib import Path

import psycopg
import pytest
from flask import Flask

from dispatch.engine.health import checking
from grid.database import Database
from grid.settings import Settings
from tests.database.clients import Clients, lost_and_extra, open_application, until
from tests.database.crowd import LONG
from tests.database.standby import Standby, ask, make_synchronous
from tests.services import PostgresCluster
from tests.town import Town, found_town

CUTS = 20 if LONG else 4
RESTARTS = 20 if LONG else 2
FAILOVERS = 5 if LONG else 1
CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = %s"


def assert_all_kept(url: str, clients: Clients) -> None:
    ledger = clients.ledger
    assert set(ledger.statuses) <= {201, 503}, ledger.statuses
    assert (ledger.without_retry_after, ledger.given_up) == (0, 0)
    database = Database(url)
    assert lost_and_extra(database, ledger) == (set(), 0)
    database.dispose()


def database_of(app: Flask) -> Database:
    found: Database = app.extensions["database"]
    return found


def assert_a_missing_standby_is_named(alone: PostgresCluster, folder: Path) -> None:
    settings = Settings(folder, secret_key="k" * 40, database_url=alone.url())
    assert not [trouble for trouble in checking.troubles(settings) if "备库" in trouble]
    alone.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
    alone.execute("SELECT pg_reload_conf()")
    until(lambda: any("同步备库" in trouble for trouble in checking.troubles(settings)))


@pytest.mark.slow
def test_connections_cut_under_load(postgres: PostgresCluster, tmp_path: Path) -> None:
    name = postgres.new_database()
    url = postgres.url(name)
    found_town(url, tmp_path)
    app = open_application(url, tmp_path)
    with Clients(app) as clients:
        for _ in range(CUTS):
            with psycopg.connect(
                url.replace("+psycopg", "").replace(name, "postgres"), autocommit=True
            ) as one:
                one.execute(CUT, (name,))
            clients.wait_for(5)
    assert_all_kept(url, clients)
    database_of(app).dispose()
    postgres.drop_database(name)


@pytest.mark.slow
def test_server_killed_and_restarted_under_load(tmp_path: Path) -> None:
    cluster = PostgresCluster(durable=True)
    try:
        cluster.create()
        cluster.start()
        found_town(cluster.url(), tmp_path)
        app = open_application(cluster.url(), tmp_path)
        with Clients(app) as clients:
            for number in range(RESTARTS):
                (cluster.stop if number % 2 else cluster.kill)()
                cluster.start()
                clients.wait_for(5)
        assert clients.ledger.statuses[503] > 0
        assert_all_kept(cluster.url(), clients)
        database_of(app).dispose()
    finally:
        cluster.remove()


@pytest.mark.slow
@pytest.mark.parametrize("_round", range(FAILOVERS))
def test_standby_promoted_under_load(tmp_path: Path, _round: int) -> None:
    primary = PostgresCluster(durable=True)
    standby = None
    try:
        primary.create()
        primary.start()
        standby = Standby(primary)
        found_town(primary.url(), tmp_path)
        standby.create()
        standby.start()
        make_synchronous(primary)
        both = f"?host=127.0.0.1:{primary.port}&host=127.0.0.1:{standby.port}&target_session_attrs=read-write"
        app = open_application(f"postgresql+psycopg://grid@/postgres{both}", tmp_path)
        with Clients(app) as clients:
            clients.wait_for(10)
            primary.kill()
            assert "已提升为主库" in standby.promote()
            clients.wait_for(20)
        assert ask(standby, "SHOW synchronous_standby_names") == ""
        assert_all_kept(standby.url(), clients)
        assert clients.ledger.longest_gap_s < 10
        database_of(app).dispose()
        assert_a_missing_standby_is_named(standby, tmp_path)
    finally:
        primary.remove()
        if standby is not None:
            standby.remove()


def test_database_absent_is_answered_with_when_to_come_back(town: Town, app: Flask) -> None:
    """A page for people, JSON for programs; neither is a fault."""
    database = database_of(app)
    database.dispose()
    app.extensions["database"] = Database("postgresql+psycopg://grid@127.0.0.1:9/none")
    try:
        client = app.test_client()
        client.set_cookie("grid_session", "x" * 40)
        for path, headers in (("/", {}), ("/api/v1/tickets", {"Authorization": "Bearer " + "x" * 40})):
            answer = client.get(path, headers=headers)
            assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "5"), path
        assert client.get("/healthz").status_code == 200
        ready = client.get("/readyz", headers={"Accept": "application/json"})
        assert (ready.status_code, ready.json["parts"]["database"]) == (503, False)
    finally:
        app.extensions["database"].dispose()
        app.extensions["database"] = database
