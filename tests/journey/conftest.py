"""The whole service as `flask up` starts it, over the town, and a browser that walks through it."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright
from sqlmodel import Session, select

from dispatch import data
from dispatch.engine.parts.children import end, spawn
from grid import schema
from grid.accounts import passwords
from grid.database import Database
from grid.models import Account, NoticeRule
from grid.settings import Settings, load_settings
from tests.services import free_port, private_folder
from tests.town import IN_WEST, found_town

ROOT = Path(__file__).parents[2]
AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text("utf-8")
PASSWORD = "a sentence nobody guesses"
READY_WITHIN_S = 60.0
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SIZES = {"phone": (390, 844), "desktop": (1366, 768)}


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


def where_it_is_eleven() -> str:
    """A zone in which it is late morning now: nobody is asked at night, at whatever hour the tests run."""
    ahead_h = 11 - datetime.now(UTC).hour
    # The names of these zones count westward.
    return f"Etc/GMT{-ahead_h:+d}"


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Web, sweeper, worker and Redis under one supervisor, over a settled town."""
    folder = private_folder("journey")
    zone = where_it_is_eleven()
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


@pytest.fixture(scope="session")
def browser(chromium: Path, playwright: Playwright) -> Iterator[Browser]:
    opened = playwright.chromium.launch(executable_path=str(chromium), args=list(FLAGS))
    yield opened
    opened.close()


@dataclass
class Someone:
    """A person at a browser; what the page complains of is kept."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    def opens(self, path: str) -> Page:
        self.page.goto(self.url + path)
        return self.page

    def serious(self) -> list[str]:
        """What axe finds serious or critical on the page as it stands."""
        found = self.page.evaluate(
            AXE + ";axe.run(document, {resultTypes: ['violations']}).then(r => r.violations"
            ".filter(v => v.impact === 'serious' || v.impact === 'critical')"
            ".map(v => v.id + ': ' + v.nodes.map(n => n.html.slice(0, 120)).join(' | ')))"
        )
        return list(found)


@pytest.fixture(params=list(SIZES))
def size(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def someone(stack: Stack, browser: Browser, size: str) -> Iterator[Callable[[str | None], Someone]]:
    """Sit somebody down at a browser of this size, signed in unless nobody is named."""
    contexts: list[BrowserContext] = []

    def sit(login: str | None) -> Someone:
        width, height = SIZES[size]
        context = browser.new_context(
            viewport={"width": width, "height": height},
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            geolocation={"longitude": IN_WEST["lon"], "latitude": IN_WEST["lat"], "accuracy": 12},
            permissions=["geolocation"],
        )
        contexts.append(context)
        one = Someone(context.new_page(), stack.url)
        one.page.set_default_timeout(15_000)
        one.page.on("pageerror", lambda error: one.complaints.append(str(error)))
        one.page.on(
            "console",
            lambda said: one.complaints.append(said.text) if said.type == "error" else None,
        )
        if login is not None:
            one.opens("/sign-in")
            one.page.fill("[name=login]", login)
            one.page.fill("[name=password]", PASSWORD)
            one.page.click("main [type=submit]")
            one.page.wait_for_url(lambda address: "sign-in" not in address)
        return one

    yield sit
    for context in contexts:
        context.close()
