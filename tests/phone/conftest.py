"""The running service and a phone: a browser with a profile of its own, which outlives being killed."""

import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Page, Playwright
from sqlmodel import Session, col, select

from dispatch.record.models import Ticket, TicketPhoto
from dispatch.record.world import World
from tests.journey.conftest import FLAGS, PASSWORD, Stack
from tests.journey.conftest import stack as stack
from tests.services import free_port, private_folder
from tests.town import IN_WEST, Town, open_town
from tests.web.conftest import app as app
from tests.web.conftest import program as program
from tests.web.conftest import visitor as visitor
from tests.web.pictures import with_position

WIDTH, HEIGHT = 390, 844


@dataclass
class Phone:
    """One phone: its profile folder stays when the browser is killed."""

    driver: Playwright
    program: Path
    url: str
    folder: Path
    context: BrowserContext | None = None
    complaints: list[str] = field(default_factory=list)

    def opens(self) -> Page:
        """Start the browser with what the profile holds."""
        port = free_port()
        self.process = subprocess.Popen(
            [
                str(self.program),
                *FLAGS,
                "--headless=new",
                "--password-store=basic",
                f"--remote-debugging-port={port}",
                f"--user-data-dir={self.folder}",
                f"--window-size={WIDTH},{HEIGHT}",
                "--lang=zh-CN",
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/json/version"), 30)
        browser = self.driver.chromium.connect_over_cdp(f"http://127.0.0.1:{port}")
        self.context = browser.contexts[0]
        self.context.grant_permissions(["geolocation"], origin=self.url)
        self.page = self.context.new_page()
        self.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
        devtools = self.context.new_cdp_session(self.page)
        devtools.send(
            "Emulation.setGeolocationOverride",
            {"longitude": IN_WEST["lon"], "latitude": IN_WEST["lat"], "accuracy": 9},
        )
        self.page.set_default_timeout(15_000)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return self.page

    def signs_in(self, login: str = "worker") -> Page:
        page = self.page
        page.goto(f"{self.url}/sign-in")
        page.fill("[name=login]", login)
        page.fill("[name=password]", PASSWORD)
        page.click("main [type=submit]")
        page.wait_for_url("**/worker/")
        self.is_ready()
        return page

    def is_ready(self) -> None:
        """The service worker holds the pages, and the desk is on the phone."""
        self.page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
        self.until("navigator.serviceWorker.controller !== null")
        self.until("Store.get('desk').then(desk => Boolean(desk))")

    def until(self, script: str) -> None:
        """Wait in our own way: the pages forbid what the driver's would evaluate in them."""
        wait_for(lambda: bool(self.page.evaluate(script)), 15)

    def goes_offline(self, off: bool = True) -> None:
        assert self.context
        self.context.set_offline(off)

    def reports(self, *, photos: int, seed: int, text: str = "") -> None:
        """Fill the form and press the button; where it leads is the test's business."""
        page = self.page
        page.goto(f"{self.url}/worker/report")
        for number in range(photos):
            shot = with_position(seed + number, size=(1500, 1100))
            page.set_input_files(
                "#photo", files=[{"name": f"{number}.jpg", "mimeType": "image/jpeg", "buffer": shot}]
            )
            self.until(f"document.querySelectorAll('[data-preview=photo] img').length === {number + 1}")
        self.until("document.getElementById('where').textContent.includes('已定位')")
        page.locator("label.chip", has_text="暴露垃圾").first.click()
        if text:
            page.fill("#text", text)
        page.get_by_role("button", name="提交", exact=True).click()

    def is_closed(self) -> None:
        """In peace, so that the browser writes down whose session it has."""
        assert self.context
        assert self.context.browser
        self.context.browser.new_browser_cdp_session().send("Browser.close")
        self.process.wait()

    def is_killed(self) -> None:
        """As a phone kills it: no farewell."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def waiting(self) -> int:
        return int(self.page.evaluate("Store.queue().then(queue => queue.length)"))


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def wait_for(what: Callable[[], bool], seconds: float) -> None:
    give_up_at = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < give_up_at, "waited in vain"
        time.sleep(0.1)


@pytest.fixture
def phone(stack: Stack, playwright: Playwright, chromium: Path) -> Iterator[Phone]:
    folder = private_folder("phone")
    one = Phone(playwright, chromium, stack.url, folder)
    one.opens()
    yield one
    one.process.kill()
    one.process.wait()
    shutil.rmtree(folder, ignore_errors=True)
    assert one.complaints == []


def town_of(stack: Stack) -> Town:
    """The same town, to act in beside the running service."""
    town = open_town(stack.settings.database_url, stack.settings.instance_path)
    town.database, town.world, town.now = stack.database, World(stack.settings), datetime.now(UTC)
    return town


def tickets_with(stack: Stack, text: str) -> list[tuple[str, int]]:
    """Code and number of photos of every ticket that was reported in these words."""
    from dispatch.record.models import Statement

    def look(session: Session) -> list[tuple[str, int]]:
        query = select(Ticket).join(Statement, col(Statement.ticket_id) == col(Ticket.id))
        found = session.exec(query.where(col(Statement.text) == text)).all()
        return [
            (t.code, len(session.exec(select(TicketPhoto).where(col(TicketPhoto.ticket_id) == t.id)).all()))
            for t in found
        ]

    with stack.database.reading() as session:
        return look(session)


__all__ = ["Flask", "Town"]
