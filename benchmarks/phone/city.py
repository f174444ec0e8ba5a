"""The service that is measured: the made-up city, started for this, and a phone's browser in front of it."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page
from shapely import from_wkb
from sqlmodel import Session, col, select

from dispatch.demo import city
from dispatch.engine.parts.children import end, spawn
from grid import codes
from grid.database import Database
from grid.models import Account, Area, Post
from grid.settings import load_settings
from tests.services import free_port

ROOT = Path(__file__).parents[2]
SIZE = {"width": 375, "height": 812}


@dataclass
class City:
    """A running service: who signs in there, where the worker stands, and the code on that grid's wall."""

    url: str
    port: int
    password: str
    worker: str
    place: dict[str, float]
    logins: dict[str, str]
    wall: str


@contextmanager
def running() -> Iterator[City]:
    folder, port = Path(tempfile.mkdtemp(prefix="burden-")), free_port()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("GRID_", "DATABASE_", "REDIS_"))}
    environment |= {"GRID_INSTANCE_PATH": str(folder), "GRID_PORT": str(port), "GRID_DEMO": "1"}
    with (folder / "up.log").open("wb") as output:
        process = spawn(
            [sys.executable, "-m", "flask", "--app", "app", "up", "--demo"],
            env=environment,
            cwd=ROOT,
            output=output,
            death_signal=signal.SIGTERM,
        )
        try:
            _wait(f"http://127.0.0.1:{port}/readyz", process, folder / "up.log")
            yield _city(folder, port)
        finally:
            end(process)
            shutil.rmtree(folder, ignore_errors=True)


def _wait(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    give_up_at = time.monotonic() + 300
    while time.monotonic() < give_up_at and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.5)
    raise SystemExit(log.read_text())


def _city(folder: Path, port: int) -> City:
    settings = load_settings(folder, {})
    database = Database(settings.database_url)
    logins = {one.login: one.label for one in city.logins(city.borders())}

    def look(session: Session) -> tuple[str, dict[str, float], str]:
        query = select(Account.login, Post.area_code).join(Post, col(Post.account_id) == col(Account.id))
        query = query.where(Post.role == "grid_worker").order_by(Account.login)
        found = session.exec(query.where(col(Account.login).in_(list(logins)))).first()
        login, area_code = found or session.exec(query).one()
        wkb = session.exec(select(Area.wkb).where(Area.code == area_code)).first()
        point = from_wkb(wkb).representative_point()
        row = codes.present(session, area_code, datetime.now(UTC))
        wall = codes.token(settings, row.area_code, row.serial)
        return login, {"longitude": point.x, "latitude": point.y, "accuracy": 8}, wall

    worker, place, wall = database.write(look)
    database.dispose()
    password = (folder / "demo_password").read_text().strip()
    return City(f"http://127.0.0.1:{port}", port, password, worker, place, logins, wall)


def context_at(browser: Browser, its: City, **more: Any) -> BrowserContext:
    context = browser.new_context(
        viewport=more.pop("viewport", SIZE),
        locale="zh-CN",
        geolocation=its.place,
        permissions=["geolocation"],
        **more,
    )
    context.set_default_timeout(30_000)
    return context


def sign_in(page: Page, url: str, login: str, password: str) -> None:
    page.goto(f"{url}/sign-in")
    page.fill("[name=login]", login)
    page.fill("[name=password]", password)
    page.click("main [type=submit]")
    page.wait_for_url(lambda address: "sign-in" not in address)


def is_kept(page: Page) -> None:
    """The service worker has the pages, and the desk with its pictures is on the phone."""
    page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
    give_up_at = time.monotonic() + 30
    for kept in ("desk", "pictures"):
        while not page.evaluate(f"Store.get('{kept}').then(Boolean)"):
            if time.monotonic() > give_up_at:
                raise SystemExit(f"the {kept} never came")
            time.sleep(0.1)
