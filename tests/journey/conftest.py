"""The running service over the town, and a browser that walks through it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, ViewportSize

from tests.journey.service import PASSWORD, Stack, running
from tests.town import IN_WEST

AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text("utf-8")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
FULL: ViewportSize = {"width": 1366, "height": 768}
ZOOMED: ViewportSize = {"width": 341, "height": 192}  # the same screen at 400 %
SIZES = {"phone": (390, 844), "desktop": (1366, 768)}


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Web, sweeper, worker and Redis under one supervisor, over a settled town."""
    with running() as started:
        yield started


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

    def faults(self, path: str) -> list[str]:
        """What axe finds on this page, and whether it goes beyond the edge, as it is and at 400 %."""
        self.page.set_viewport_size(FULL)
        self.opens(path).wait_for_load_state("networkidle")
        found = [f"{path} {what}" for what in self.serious()]
        for size in (FULL, ZOOMED):
            self.page.set_viewport_size(size)
            beyond = self.page.evaluate(
                "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"
            )
            found += [f"{path} {size['width']}: {beyond} px beyond the edge"] if beyond > 1 else []
        return found


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
            lambda said: (
                one.complaints.append(f"{said.text} {said.location['url']}") if said.type == "error" else None
            ),
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
