"""The whole service as `flask up` starts it, over the town, with a gateway that takes its messages."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from sqlmodel import Session, select

from dispatch import data
from dispatch.engine.parts.children import end, spawn
from grid import schema
from grid.accounts import passwords
from grid.database import Database
from grid.models import Account, NoticeRule
from grid.settings import Settings, load_settings
from tests.services import free_port, private_folder
from tests.town import found_town

ROOT = Path(__file__).parents[2]
PASSWORD = "a sentence nobody guesses"
READY_WITHIN_S = 60.0


class Peer:
    """An SMS gateway on the other side; while it is down it cuts every connection without an answer."""

    def __init__(self) -> None:
        self.down = False
        self.refused = 0
        self.taken: list[tuple[str, str]] = []
        peer = self

        class Answer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if peer.down:
                    peer.refused += 1
                    self.close_connection = True
                    return
                peer.taken.append((str(self.headers["Idempotency-Key"]), body["text"]))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/messages"


@dataclass
class Stack:
    """The running service: its address, its settings, its database to look into, and who gets its messages."""

    settings: Settings
    database: Database
    url: str
    process: "subprocess.Popen[bytes]"
    log: Path
    peer: Peer


def where_it_is(hour: int = 11) -> str:
    """A zone in which it is that hour now: at eleven nobody is left in peace, at whatever hour the tests run."""
    ahead_h = hour - datetime.now(UTC).hour
    ahead_h -= 24 if ahead_h > 12 else 0
    # The names of these zones count westward.
    return f"Etc/GMT{-ahead_h:+d}"


@contextmanager
def running() -> Iterator[Stack]:
    """Web, sweeper, worker and Redis under one supervisor, over a settled town."""
    folder = private_folder("journey")
    zone = where_it_is()
    settings = load_settings(folder, {"GRID_TIMEZONE": zone})
    schema.upgrade(settings.database_url)
    found_town(settings.database_url, folder)
    database = Database(settings.database_url)
    hashed = passwords.hash_password(PASSWORD)

    def move_in(session: Session) -> None:
        """Passwords for everybody, and the shipped notices."""
        for account in session.exec(select(Account)):
            account.password_hash = hashed
            session.add(account)
        names = ("id", "happening", "audience", "urgent", "channel", "text")
        for row in data.notices().rows:
            session.add(NoticeRule(ruleset_version=1, **{name: getattr(row, name) for name in names}))

    database.write(move_in)
    port, peer = free_port(), Peer()
    environment = {
        **{
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("GRID_", "DATABASE_", "REDIS_"))
        },
        "GRID_INSTANCE_PATH": str(folder),
        "GRID_PORT": str(port),
        "GRID_TIMEZONE": zone,
        "GRID_SMS_URL": peer.url,
    }
    log = folder / "up.log"
    with log.open("wb") as output:
        process = spawn(
            [sys.executable, "-m", "flask", "--app", "app", "up"],
            env=environment,
            cwd=ROOT,
            output=output,
            death_signal=signal.SIGTERM,
        )
        url = f"http://127.0.0.1:{port}"
        try:
            _wait_until_ready(url, process, log)
            yield Stack(settings, database, url, process, log, peer)
        finally:
            end(process)
            peer.server.shutdown()
            database.dispose()


def _wait_until_ready(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    give_up_at = time.monotonic() + READY_WITHIN_S
    while True:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            pass
        assert time.monotonic() < give_up_at, log.read_text()
        time.sleep(0.2)
