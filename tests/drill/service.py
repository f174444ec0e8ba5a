"""The whole service as `flask up` starts it over a town in a hurry, and a hand that kills its parts."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import redis
from sqlalchemy import delete
from sqlmodel import Session, select

from dispatch import data
from dispatch.engine.parts.children import end, spawn
from grid import schema
from grid.accounts import passwords
from grid.database import Database
from grid.models import Account, NoticeRule, TimeLimit
from grid.settings import Settings, load_settings
from tests.drill.lateness import FIRING, Outage
from tests.services import PostgresCluster, free_port, private_folder
from tests.town import found_town

ROOT = Path(__file__).parents[2]
# The drill kills oftener than the supervisor's growing pauses are made for; here a part is back at once, and work that
# returns is tried again at once where a full disk refused it.
# And whoever asks for the time gets it moved by as many seconds as a file says: the machine's own clock is left alone.
UP = """
import os, sys
from datetime import timedelta
from pathlib import Path
from flask.cli import main
from dispatch.engine import recurring
from dispatch.engine.parts import supervising
from grid.database import Database
from web.service import context
moved = Path(os.environ["GRID_INSTANCE_PATH"]) / "clock_moved_s"
def by():
    return timedelta(seconds=float(moved.read_text())) if moved.exists() else timedelta(0)
database_now, web_moment = Database.now, context.moment
Database.now = lambda self, session: database_now(self, session) + by()
context.moment = lambda: web_moment() + by()
supervising.LONGEST_PAUSE_SECONDS = 0.5
recurring.AGAIN = timedelta(seconds=2)
sys.argv = ["flask", "--app", "app", "up"]
main()
"""
PASSWORD = "a sentence nobody guesses"
READY_WITHIN_S = 60.0
# Seconds instead of days, so that every kind of timer comes due during the drill.
LIMITS_S = {"open": 3.0, "handle": 8.0, "total": 12.0}
OTHER_LIMIT_S = 3600.0


@dataclass
class Service:
    """One running service on one database."""

    folder: Path
    settings: Settings
    database: Database
    environment: Mapping[str, str]
    cluster: PostgresCluster | None = None
    process: "subprocess.Popen[bytes] | None" = None
    killed: dict[str, int] = field(default_factory=dict)
    _outages: list[Outage] = field(default_factory=list)
    _watchers: list[threading.Thread] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.settings.base_url

    def start(self) -> None:
        with (self.folder / "up.log").open("ab") as output:
            self.process = spawn(
                [sys.executable, "-c", UP],
                env=self.environment,
                cwd=ROOT,
                output=output,
                death_signal=signal.SIGTERM,
            )
        give_up_at = time.monotonic() + READY_WITHIN_S
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > give_up_at:
                raise RuntimeError((self.folder / "up.log").read_text(errors="replace"))
            time.sleep(0.2)

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def parts(self) -> dict[str, int]:
        """The process of each part that is up, told by the log that it writes to."""
        assert self.process is not None
        found: dict[str, int] = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                if int(stat.read_text().rpartition(")")[2].split()[1]) == self.process.pid:
                    log = Path(os.readlink(stat.parent / "fd" / "1"))
                    found[log.stem] = int(stat.parent.name)
        return found

    def kill_one(self, dice: random.Random) -> str | None:
        """SIGKILL to some part that is up; PostgreSQL is started again at once."""
        names = sorted(self.parts()) + (["postgres"] if self.cluster else [])
        if not names:
            return None
        name = dice.choice(names)
        since = datetime.now(UTC)
        if name == "postgres" and self.cluster:
            self.cluster.kill()
            self.cluster.start()
            self._outages.append(Outage(name, since, datetime.now(UTC)))
        else:
            pid = self.parts().get(name)
            if pid is None:
                return None
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            if name in FIRING:
                self._watch(name, pid, since)
        self.killed[name] = self.killed.get(name, 0) + 1
        return name

    def _watch(self, name: str, pid: int, since: datetime) -> None:
        """Note when the part is there again, meanwhile the drill goes on."""

        def look() -> None:
            while self.parts().get(name, pid) == pid:
                time.sleep(0.05)
            self._outages.append(Outage(name, since, datetime.now(UTC)))

        watcher = threading.Thread(target=look, daemon=True)
        watcher.start()
        self._watchers.append(watcher)

    def outages(self) -> list[Outage]:
        """How long what fires timers was away, each time."""
        for watcher in self._watchers:
            watcher.join(timeout=READY_WITHIN_S)
        return self._outages

    def move_clock(self, by_s: float) -> None:
        """From here on every part reads a clock that differs by so much."""
        aside = self.folder / "clock_moved_s.part"
        aside.write_text(str(by_s))
        aside.rename(self.folder / "clock_moved_s")

    def wipe_redis(self) -> None:
        """FLUSHALL, if Redis is up."""
        with (
            suppress(redis.RedisError),
            redis.Redis(unix_socket_path=self.redis_socket, socket_timeout=1) as client,
        ):
            client.flushall()
            self.killed["flushall"] = self.killed.get("flushall", 0) + 1

    @property
    def redis_socket(self) -> str:
        return str(self.folder / "redis" / "redis.sock")

    def stop(self) -> int:
        """End the service as Ctrl-C does; the answer is its exit code."""
        assert self.process is not None
        end(self.process, grace_seconds=30)
        return int(self.process.returncode)

    def remove(self) -> None:
        if self.process is not None:
            end(self.process)
        self.database.dispose()
        if self.cluster:
            self.cluster.remove()


def prepare(kind: str, folder: Path | None = None, *, durable: bool = True) -> Service:
    """Settle the hurried town in a new database of this kind; nothing runs yet but PostgreSQL.

    `durable` may be False where PostgreSQL is not killed.
    """
    folder = folder or private_folder("drill")
    cluster = None
    port = free_port()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("GRID_", "DATABASE_", "REDIS_"))}
    environment |= {"GRID_INSTANCE_PATH": str(folder), "GRID_PORT": str(port)}
    if kind == "postgresql":
        cluster = PostgresCluster(durable=durable)
        cluster.create()
        cluster.start()
        environment["DATABASE_URL"] = cluster.url(cluster.new_database())
    settings = load_settings(folder, environment)
    schema.upgrade(settings.database_url)
    found_town(settings.database_url, folder)
    database = Database(settings.database_url)
    database.write(_hurry)
    return Service(folder, settings, database, environment, cluster)


def _hurry(session: Session) -> None:
    session.execute(delete(TimeLimit))
    for stage in (
        "open",
        "handle",
        "total",
        "objection",
        "dispatch",
        "contact",
        "verify",
        "callback",
        "rework",
    ):
        hours = LIMITS_S.get(stage, OTHER_LIMIT_S) / 3600
        session.add(TimeLimit(ruleset_version=1, id=stage, stage=stage, amount=hours, unit="urgent_hour"))
    if not session.exec(select(NoticeRule)).first():
        for row in data.notices().rows:
            values = {
                n: getattr(row, n) for n in ("id", "happening", "audience", "urgent", "channel", "text")
            }
            session.add(NoticeRule(ruleset_version=1, **values))
    hashed = passwords.hash_password(PASSWORD)
    for account in session.exec(select(Account)):
        account.password_hash = hashed
        session.add(account)
