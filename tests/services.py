"""Private servers for tests: a PostgreSQL cluster, a Redis, and where Chromium is.

Every server is started by the test run, listens where only this run looks, and ends with it,
also when the run is killed.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest
from sqlmodel import SQLModel

import dispatch.record.models  # noqa: F401
import grid.models  # noqa: F401
from dispatch.engine.parts.children import end, spawn
from dispatch.engine.parts.redis_server import RedisServer, find_program
from grid.database import Database

REQUIRE_ALL = os.environ.get("GRID_REQUIRE_ALL") == "1"
LEAST_MEMORY_BYTES = 4_000_000_000
INSTALL_POSTGRES = "apt-get install postgresql"
INSTALL_REDIS = "apt-get install redis-server"
INSTALL_CHROMIUM = "apt-get install chromium chromium-driver fonts-wqy-microhei"


def missing(what: str, cure: str) -> NoReturn:
    """Skip the test, or fail it where `GRID_REQUIRE_ALL=1` demands that everything is there."""
    sentence = f"{what} not found; to run this test: {cure}"
    if REQUIRE_ALL:
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)


def postgres_programs() -> Path | None:
    """Return the folder that holds `initdb` and `postgres`, newest version first."""
    installed = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    for initdb in sorted(installed, key=lambda path: int(path.parts[-3].split(".")[0]), reverse=True):
        return initdb.parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def free_port() -> int:
    """Return a loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def private_folder(name: str) -> Path:
    """Return a new folder with a path short enough for a unix socket inside."""
    return Path(tempfile.mkdtemp(prefix=f"grid-{name}-", dir="/tmp"))


def memory_folder(name: str) -> Path:
    """The same in memory where there is room: what is thrown away after the run need not reach a disk."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > LEAST_MEMORY_BYTES
    return Path(tempfile.mkdtemp(prefix=f"grid-{name}-", dir=memory if roomy else "/tmp"))


class PostgresCluster:
    """A throw-away PostgreSQL; `durable=True` keeps fsync on, for drills that kill it."""

    def __init__(self, *, durable: bool = False, port: int | None = None, folder: Path | None = None) -> None:
        programs = postgres_programs()
        # PostgreSQL refuses to run as root.
        self._user = "postgres" if os.geteuid() == 0 else None
        if programs is None or (self._user and not _user_exists(self._user)):
            missing("PostgreSQL", INSTALL_POSTGRES)
        self.programs = programs
        self.durable = durable
        self.folder = folder or (private_folder if durable else memory_folder)("pg")
        self.port = port or free_port()
        self.data = self.folder / "data"
        self._child: subprocess.Popen[bytes] | None = None
        self._templates: set[str] = set()

    def create(self) -> None:
        """Make the data folder (initdb)."""
        if self._user:
            shutil.chown(self.folder, self._user, self._user)
        flags = ["--auth=trust", "--username=grid", "--encoding=UTF8", "--locale=C.UTF-8"]
        command: list[str | Path] = [
            self.programs / "initdb",
            "-D",
            self.data,
            *flags,
            *([] if self.durable else ["--no-sync"]),
        ]
        subprocess.run(command, check=True, capture_output=True, user=self._user, group=self._user, cwd="/")

    def start(self, *options: str, ready_seconds: float = 30.0) -> None:
        """Start the server and return when it takes connections; `options` are `name=value`."""
        give_up_at = time.monotonic() + ready_seconds
        while not self._start_once(options, give_up_at):
            if time.monotonic() > give_up_at:
                raise RuntimeError((self.folder / "log").read_text(errors="replace")[-2000:])
            time.sleep(0.1)

    def _start_once(self, options: tuple[str, ...], give_up_at: float) -> bool:
        # After a kill, the old backends need a moment to leave the shared memory: start again until they have.
        command: list[str | Path] = [self.programs / "postgres", "-D", self.data]
        for option in (*self._own_options(), *options):
            command += ["-c", option]
        with (self.folder / "log").open("ab") as log:
            self._child = spawn(
                command, output=log, user=self._user, cwd=self.folder, death_signal=signal.SIGQUIT
            )
        while self._child.poll() is None and time.monotonic() < give_up_at:
            if self._takes_connections():
                return True
            time.sleep(0.03)
        return False

    def _own_options(self) -> list[str]:
        options = [
            f"port={self.port}",
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={self.folder}",
            "max_connections=150",
            "shared_buffers=64MB",
            "timezone=UTC",
        ]
        return (
            options
            if self.durable
            # A vacuum in the template makes CREATE DATABASE wait for it, up to five seconds.
            else [*options, "fsync=off", "full_page_writes=off", "synchronous_commit=off", "autovacuum=off"]
        )

    def _takes_connections(self) -> bool:
        try:
            psycopg.connect(self._conninfo("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _conninfo(self, database: str) -> str:
        return f"host={self.folder} port={self.port} user=grid dbname={database}"

    @property
    def pid(self) -> int:
        """Process id of the postmaster."""
        assert self._child is not None
        return self._child.pid

    def stop(self) -> None:
        """Stop fast (open transactions are rolled back)."""
        if self._child is not None:
            end(self._child, signum=signal.SIGINT)
            self._child = None

    def kill(self) -> None:
        """End the postmaster as a crash would; its backends notice and leave."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None

    def remove(self) -> None:
        """Stop and delete everything."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str = "postgres") -> str:
        """Return the SQLAlchemy address (psycopg 3) over loopback."""
        return f"postgresql+psycopg://grid@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str, *, database: str = "postgres") -> None:
        """Run one statement outside a transaction."""
        with psycopg.connect(self._conninfo(database), autocommit=True) as connection:
            connection.execute(statement.encode())

    def new_database(self, *, template: str = "template0") -> str:
        """Copy `template` and return the new database's name."""
        name = f"t_{uuid.uuid4().hex}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop_database(self, name: str) -> None:
        """Delete a database, cutting connections that are still open."""
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def template(self, name: str, build: Callable[[str], None]) -> str:
        """Build the template database `name` once (`build(url)`), and return its name for `new_database`.

        `build` must leave no connection open: PostgreSQL copies only databases that nobody uses.
        """
        if name not in self._templates:
            self.execute(f"CREATE DATABASE {name} TEMPLATE template0")
            build(self.url(name))
            self._templates.add(name)
        return name


def _user_exists(name: str) -> bool:
    return subprocess.run(["id", name], capture_output=True).returncode == 0


def make_tables(url: str) -> None:
    """Create every table of the application in an empty database."""
    database = Database(url)
    SQLModel.metadata.create_all(database.engine)
    database.dispose()


def private_redis(folder: Path) -> RedisServer:
    """Start a Redis or Valkey of this run's own."""
    program = find_program()
    if program is None:
        missing("Redis", INSTALL_REDIS)
    server = RedisServer(folder, program=program)
    server.start()
    return server


def chromium_program() -> Path:
    """Return the installed Chromium."""
    for name in ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome"):
        if found := shutil.which(name):
            return Path(found)
    missing("Chromium", INSTALL_CHROMIUM)
