"""Fixtures for every test: private servers, a fresh database each time, data from outside.

A test that needs a server asks for its fixture. Where the server is not installed the test is skipped
with the command that installs it; with `GRID_REQUIRE_ALL=1` every skip is a failure.
"""

import os
import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
import redis
from playwright.sync_api import Playwright, sync_playwright

from dispatch.engine.parts.redis_server import RedisServer
from tests.services import (
    REQUIRE_ALL,
    PostgresCluster,
    chromium_program,
    make_tables,
    missing,
    private_folder,
    private_redis,
)
from tests.town import Town, found_town, open_town

AnyReport = TypeVar("AnyReport", pytest.TestReport, pytest.CollectReport)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """The one driver of browsers: a process cannot start it twice."""
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresCluster]:
    """One PostgreSQL for the whole run, fsync off."""
    cluster = PostgresCluster()
    try:
        cluster.create()
        cluster.start()
        yield cluster
    finally:
        cluster.remove()


@pytest.fixture
def postgres_url(postgres: PostgresCluster) -> Iterator[str]:
    """Address of an empty PostgreSQL database of this test's own."""
    name = postgres.new_database()
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of an empty database of this test's own, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The town settled once: a SQLite file and the index of its borders, to be copied."""
    folder = tmp_path_factory.mktemp("town")
    found_town(f"sqlite:///{folder / 'town.db'}", folder)
    return folder


@pytest.fixture(params=["sqlite", "postgresql"])
def town_url(request: pytest.FixtureRequest, founded: Path, tmp_path: Path) -> Iterator[str]:
    """Address of a fresh copy of the town, once on SQLite and once on PostgreSQL; its index is in `tmp_path`."""
    shutil.copy(founded / "town.index", tmp_path)
    if request.param == "sqlite":
        shutil.copy(founded / "town.db", tmp_path)
        yield f"sqlite:///{tmp_path / 'town.db'}"
        return
    cluster: PostgresCluster = request.getfixturevalue("postgres")
    name = cluster.new_database(template=cluster.template("town", lambda url: found_town(url, tmp_path)))
    yield cluster.url(name)
    cluster.drop_database(name)


@pytest.fixture
def town(town_url: str, tmp_path: Path) -> Iterator[Town]:
    """A fresh town, once on SQLite and once on PostgreSQL."""
    opened = open_town(town_url, tmp_path)
    yield opened
    opened.database.dispose()


class TownFactory:
    """Fresh towns, one after the other, for tests that walk many histories."""

    def __init__(self, kind: str, founded: Path, folder: Path, cluster: PostgresCluster | None) -> None:
        self.kind, self._founded, self._folder, self._cluster = kind, founded, folder, cluster

    @contextmanager
    def __call__(self) -> Iterator[Town]:
        shutil.copy(self._founded / "town.index", self._folder)
        if self._cluster is None:
            shutil.copy(self._founded / "town.db", self._folder)
            url, name = f"sqlite:///{self._folder / 'town.db'}", None
        else:
            template = self._cluster.template("town", lambda its: found_town(its, self._folder))
            name = self._cluster.new_database(template=template)
            url = self._cluster.url(name)
        opened = open_town(url, self._folder)
        yield opened
        opened.database.dispose()
        for left in self._folder.glob("town.db*"):
            left.unlink()
        if name is not None and self._cluster is not None:
            self._cluster.drop_database(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def town_factory(request: pytest.FixtureRequest, founded: Path, tmp_path: Path) -> TownFactory:
    """Makes a fresh town whenever called, once on SQLite and once on PostgreSQL."""
    cluster = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    return TownFactory(request.param, founded, tmp_path, cluster)


@pytest.fixture(scope="session")
def sqlite_with_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with every table, to be copied."""
    path = tmp_path_factory.mktemp("tables") / "tables.db"
    make_tables(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def tables_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of a database of this test's own with every table and no row, on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_with_tables"), tmp_path / "test.db")
        yield f"sqlite:///{tmp_path / 'test.db'}"
        return
    postgres: PostgresCluster = request.getfixturevalue("postgres")
    name = postgres.new_database(template=postgres.template("tables", make_tables))
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """One Redis or Valkey for the whole run, on a unix socket."""
    folder = private_folder("redis")
    try:
        server = private_redis(folder)
        yield server
        server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """Address of an emptied Redis."""
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    return redis_server.url


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Path of the installed Chromium."""
    return chromium_program()


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Folder of real data that is not part of the project (`GRID_TEST_DATA`)."""
    folder = os.environ.get("GRID_TEST_DATA")
    if not folder or not Path(folder).is_dir():
        missing(
            "real test data", "set GRID_TEST_DATA to the folder that holds beijing_core6, boston and codes"
        )
    return Path(folder).resolve()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _refuse_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _refuse_skip((yield))


def _refuse_skip(report: AnyReport) -> AnyReport:
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped although GRID_REQUIRE_ALL=1: {report.longrepr}"
    return report
