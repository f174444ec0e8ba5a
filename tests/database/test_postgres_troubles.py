"""What PostgreSQL may do to us, each met with a limit, a retry, or an answer that can be tried again."""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from grid import database as database_module
from grid.database import RESTED_S, Database
from grid.errors import Unavailable
from tests.services import PostgresCluster

CUT_ALL = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = %s"
)


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    one = Database(postgres_url)
    with one.writing() as session:
        session.execute(text("CREATE TABLE tally (name text PRIMARY KEY, n int NOT NULL)"))
        session.execute(text("INSERT INTO tally VALUES ('a', 0), ('b', 0)"))
    yield one
    one.dispose()


def plain(database: Database) -> psycopg.Connection[tuple[object, ...]]:
    """A connection that is not ours, to do harm with."""
    address = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(address, autocommit=True)


def cut_all(database: Database) -> None:
    with plain(database) as connection:
        connection.execute(CUT_ALL, (database.engine.url.database,))


def add(session: Session, name: str, n: int = 1) -> None:
    session.execute(text("UPDATE tally SET n = n + :n WHERE name = :name"), {"n": n, "name": name})


def tally(database: Database, name: str) -> int:
    with database.reading() as session:
        return int(session.execute(text("SELECT n FROM tally WHERE name = :n"), {"n": name}).scalar_one())


def test_limits_are_in_force(database: Database) -> None:
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "TimeZone")
    with database.reading() as session:
        values = [session.execute(text(f"SHOW {name}")).scalar_one() for name in names]
    assert values == ["15s", "5s", "30s", "UTC"]


def test_a_statement_that_takes_too_long_is_ended(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "STATEMENT_TIMEOUT_MS", 200)
    hasty = Database(database.engine.url.render_as_string(hide_password=False))
    began = time.monotonic()
    with pytest.raises(Unavailable), hasty.reading() as session:
        session.execute(text("SELECT pg_sleep(5)"))
    assert time.monotonic() - began < 2
    with pytest.raises(Unavailable):
        hasty.write(lambda session: session.execute(text("SELECT pg_sleep(5)")))
    hasty.dispose()


def test_a_lock_is_not_waited_for_without_end(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "LOCK_TIMEOUT_MS", 200)
    hasty = Database(database.engine.url.render_as_string(hide_password=False))
    with database.writing() as holder:
        add(holder, "a")
        with pytest.raises(Unavailable):
            hasty.write(lambda session: add(session, "a"))
    hasty.dispose()
    assert tally(database, "a") == 1


def test_a_transaction_left_idle_is_ended_and_holds_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "IDLE_TRANSACTION_TIMEOUT_MS", 200)
    forgetful = Database(database.engine.url.render_as_string(hide_password=False))

    def idle(session: Session) -> None:
        add(session, "a")
        time.sleep(0.6)
        database.write(lambda other: add(other, "a", 10))
        add(session, "a")

    with pytest.raises(Unavailable), forgetful.writing() as session:
        idle(session)
    forgetful.dispose()
    assert tally(database, "a") == 10


def test_a_pool_with_no_place_left_is_said_to_be_busy(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("POOL_SIZE", 1), ("POOL_OVERFLOW", 0), ("POOL_TIMEOUT_S", 0.2)):
        monkeypatch.setattr(database_module, name, value)
    small = Database(database.engine.url.render_as_string(hide_password=False))
    with small.reading() as held:
        held.execute(text("SELECT 1"))
        with pytest.raises(Unavailable), small.reading() as session:
            session.execute(text("SELECT 1"))
        with pytest.raises(Unavailable):
            small.write(lambda session: add(session, "a"))
    small.write(lambda session: add(session, "a"))
    small.dispose()


def test_a_deadlock_is_run_again(database: Database) -> None:
    meeting = threading.Barrier(2, timeout=5)

    def both(first: str, second: str) -> None:
        runs = []

        def work(session: Session) -> None:
            runs.append(1)
            add(session, first)
            if len(runs) == 1:
                meeting.wait()
            add(session, second)

        database.write(work)
        attempts.append(len(runs))

    attempts: list[int] = []
    threads = [threading.Thread(target=both, args=pair) for pair in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tally(database, "a"), tally(database, "b")) == (2, 2)
    assert sorted(attempts) == [1, 2]


def test_a_serialization_failure_is_run_again(database: Database) -> None:
    runs = []

    def work(session: Session) -> None:
        runs.append(1)
        session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        session.execute(text("SELECT n FROM tally"))
        if len(runs) == 1:
            database.write(lambda other: add(other, "a", 10))
        add(session, "a")

    database.write(work)
    assert (len(runs), tally(database, "a")) == (2, 11)


def test_a_connection_cut_in_the_middle_is_replaced(database: Database) -> None:
    runs = []

    def work(session: Session) -> None:
        runs.append(1)
        add(session, "a")
        if len(runs) == 1:
            cut_all(database)
        add(session, "a")

    database.write(work)
    assert (len(runs), tally(database, "a")) == (2, 2)


def test_rested_connections_that_died_are_not_handed_out(database: Database) -> None:
    for _ in range(3):
        cut_all(database)
        time.sleep(RESTED_S)
        assert tally(database, "a") == 0


def test_one_read_at_most_meets_a_connection_that_died_under_it(database: Database) -> None:
    cut_all(database)
    with suppress(Unavailable):
        tally(database, "a")
    assert tally(database, "a") == 0


def test_a_standby_not_yet_promoted_is_a_passing_trouble(database: Database) -> None:
    with plain(database) as connection:
        connection.execute(
            f"ALTER DATABASE {database.engine.url.database} SET default_transaction_read_only = on"
        )
    database.dispose()
    with pytest.raises(Unavailable):
        database.write(lambda session: add(session, "a"))


def test_a_fault_of_ours_is_not_called_a_passing_trouble(database: Database) -> None:
    with pytest.raises(DBAPIError):
        database.write(lambda session: session.execute(text("SELECT no_such_column FROM tally")))


@pytest.mark.slow
def test_no_process_needs_a_restart_after_the_server_had_one() -> None:
    cluster = PostgresCluster(durable=True)
    try:
        cluster.create()
        cluster.start()
        database = Database(cluster.url())
        with database.writing() as session:
            session.execute(text("CREATE TABLE tally (name text PRIMARY KEY, n int NOT NULL)"))
            session.execute(text("INSERT INTO tally VALUES ('a', 0)"))
        acknowledged = 0
        for end in (cluster.kill, cluster.stop, cluster.kill):
            database.write(lambda session: add(session, "a"))
            acknowledged += 1
            end()
            with pytest.raises(Unavailable):
                database.write(lambda session: add(session, "a"))
            cluster.start()
            database.write(lambda session: add(session, "a"))
            acknowledged += 1
        assert tally(database, "a") == acknowledged
        database.dispose()
    finally:
        cluster.remove()
