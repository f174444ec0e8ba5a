"""What comes down the line to a phone, and how long that takes on a slow one."""

import time

from playwright.sync_api import Browser, Page

from benchmarks.phone.city import City, context_at, is_kept, sign_in
from benchmarks.phone.line import Line

SLOW_BYTES_PER_S, SLOW_ROUND_TRIP_S = 400_000 / 8, 0.4
ROUNDS = 3


def weights(browser: Browser, its: City) -> dict[str, float]:
    """Everything that comes down the line for somebody who was never here: to the list, to the form, then the map."""
    line = Line(its.port).start()
    page = context_at(browser, its).new_page()
    sign_in(page, line.url, its.worker, its.password)
    is_kept(page)
    page.goto(f"{line.url}/worker/report")
    page.locator("#where", has_text="已定位").wait_for()
    page.wait_for_load_state("networkidle")
    before = line.down_bytes
    page.locator("#on-map > summary").click()
    page.locator("#map .leaflet-marker-icon").wait_for()
    page.wait_for_load_state("networkidle")
    found = {"first_visit_kb": round(before / 1024, 1), "with_map_kb": round(line.down_bytes / 1024, 1)}
    page.context.close()
    return found


def waits(browser: Browser, its: City) -> dict[str, float]:
    """On a slow line: the form for the first time, with nothing kept; and every later time."""
    firsts, repeats = [], []
    for _ in range(ROUNDS):
        line = Line(its.port).start()
        context = context_at(browser, its)
        page = context.new_page()
        sign_in(page, line.url, its.worker, its.password)
        cookies = context.cookies()
        context.close()
        fresh = context_at(browser, its)
        fresh.add_cookies(cookies)  # type: ignore[arg-type]
        page = fresh.new_page()
        line.bytes_per_s, line.round_trip_s = SLOW_BYTES_PER_S, SLOW_ROUND_TRIP_S
        firsts.append(_until_usable(page, f"{line.url}/worker/report"))
        line.bytes_per_s, line.round_trip_s = None, 0.0
        page.goto(f"{line.url}/worker/")
        is_kept(page)
        line.bytes_per_s, line.round_trip_s = SLOW_BYTES_PER_S, SLOW_ROUND_TRIP_S
        repeats.append(_until_usable(page, f"{line.url}/worker/report"))
        fresh.close()
    return {
        "slow_network_s": round(sorted(firsts)[ROUNDS // 2], 2),
        "repeat_visit_s": round(sorted(repeats)[ROUNDS // 2], 2),
    }


def _until_usable(page: Page, url: str) -> float:
    """Until the categories can be tapped and the scripts have run."""
    began = time.monotonic()
    page.goto(url, wait_until="domcontentloaded")
    page.locator("#chips .chip").first.wait_for()
    return time.monotonic() - began
