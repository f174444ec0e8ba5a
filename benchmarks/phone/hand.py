"""From home to sent: what the thumb taps and types, and how long the machine lets it wait."""

import time
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, Locator, Page

from benchmarks.phone.city import City, context_at, is_kept, sign_in
from tests.web.pictures import picture

# Keystroke-level model (Card, Moran, Newell): to point 1.1 s, to think of the next step 1.35 s.
POINT_S, THINK_S = 1.1, 1.35
# In the phone's own camera: the shutter, and "use this photo".
CAMERA_TAPS = 2
# What is thought about: is this worth reporting here, and which category is it.
THOUGHTS = 2
PHOTO = picture(5, size=(4000, 3000))


@dataclass
class Hand:
    """One thumb: what it taps and types is counted, and how long the machine lets it wait."""

    page: Page
    taps: int = 0
    chars: int = 0
    waited_s: float = 0.0
    steps: list[str] = field(default_factory=list)

    def taps_on(self, what: str, where: Locator, until: str | None = None) -> None:
        began = time.monotonic()
        where.click()
        if until:
            self.page.locator(until).first.wait_for()
        self.waited_s += time.monotonic() - began
        self.taps += 1
        self.steps.append(what)


def report(browser: Browser, its: City) -> dict[str, Any]:
    """From home to sent, as a worker does it; the fastest thing the page allows is not what is timed."""
    page = context_at(browser, its).new_page()
    sign_in(page, its.url, its.worker, its.password)
    is_kept(page)
    page.goto(f"{its.url}/worker/")
    hand = Hand(page)
    page.locator("#parts h2").first.wait_for()
    with page.expect_file_chooser() as chooser:
        hand.taps_on("拍照上报", page.get_by_role("button", name="拍照上报"))
    began = time.monotonic()
    chooser.value.set_files([{"name": "a.jpg", "mimeType": "image/jpeg", "buffer": PHOTO}])
    page.locator("[data-preview=photo] img").wait_for()
    hand.waited_s += time.monotonic() - began
    hand.taps += CAMERA_TAPS
    hand.steps += ["快门", "使用照片"]
    hand.taps_on("类别", page.locator("#chips .chip:has([data-text='0'])").first)
    page.locator("#where", has_text="已定位").wait_for()
    began = time.monotonic()
    hand.taps_on("提交", page.get_by_role("button", name="提交", exact=True), "h1:has-text('已送达')")
    delivered_s = time.monotonic() - began
    page.context.close()
    return {
        "taps": hand.taps,
        "steps": hand.steps,
        "required_chars": hand.chars,
        "machine_s": round(hand.waited_s, 2),
        "model_s": round(hand.taps * POINT_S + THOUGHTS * THINK_S, 2),
        "seconds": round(hand.taps * POINT_S + THOUGHTS * THINK_S + hand.waited_s, 2),
        "delivered_s": round(delivered_s, 2),
    }
