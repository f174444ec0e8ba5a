"""Every page of the phone in pictures, at three widths and in large type: `make pictures` writes docs/screenshots/phone."""

import io
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.phone.city import ROOT, City, context_at, is_kept, running, sign_in
from tests.journey.conftest import FLAGS
from tests.services import chromium_program
from tests.web.pictures import picture

FOLDER = ROOT / "docs" / "screenshots" / "phone"
WIDTHS = (320, 375, 768)
LARGE = 375
TALLEST = 1500
COLOURS = 48
SHOT = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": picture(5, size=(1600, 1200))}


def taken(page: Page, name: str, folder: Path) -> None:
    """The page as it stands, at each width, and once more in large type."""
    page.wait_for_load_state("networkidle")
    for width in WIDTHS:
        _at(page, width, folder / f"{name}-{width}.png")
    page.evaluate("document.documentElement.dataset.large = '1'")
    _at(page, LARGE, folder / f"{name}-large.png")
    page.evaluate("delete document.documentElement.dataset.large")
    page.set_viewport_size({"width": LARGE, "height": 812})


def _at(page: Page, width: int, file: Path) -> None:
    """As high as the page, so that what sticks to the lower edge is there and not in the middle."""
    page.set_viewport_size({"width": width, "height": 640})
    height = min(TALLEST, page.evaluate("document.documentElement.scrollHeight"))
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(150)
    with Image.open(io.BytesIO(page.screenshot())) as shot:
        shot.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)


def worker(browser: Browser, its: City, folder: Path) -> None:
    """A day of the worker: the list, a report, one that waits without network, verifying, inspecting."""
    context = context_at(browser, its)
    page = context.new_page()
    page.goto(f"{its.url}/sign-in")
    taken(page, "sign-in", folder)
    sign_in(page, its.url, its.worker, its.password)
    is_kept(page)
    page.goto(f"{its.url}/worker/")
    taken(page, "today", folder)
    _fill(page, its)
    taken(page, "report", folder)
    page.locator("#on-map > summary").click()
    page.locator("#map .leaflet-marker-icon").wait_for()
    taken(page, "report-map", folder)
    page.get_by_role("button", name="提交", exact=True).click()
    page.wait_for_url("**/worker/reported/**")
    taken(page, "reported", folder)
    for name, path in (("verifying", "/worker/verify"), ("inspections", "/worker/inspections")):
        page.goto(its.url + path)
        taken(page, name, folder)
    code = page.evaluate("Store.get('desk').then(desk => Object.keys(desk.verifying)[0])")
    if code:
        page.goto(f"{its.url}/worker/verify/{code}")
        taken(page, "verify", folder)
    context.set_offline(True)
    _fill(page, its)
    page.get_by_role("button", name="提交", exact=True).click()
    page.locator("#waiting").wait_for()
    taken(page, "without-network", folder)
    context.close()


def _fill(page: Page, its: City) -> None:
    page.goto(f"{its.url}/worker/report")
    page.set_input_files("#photo", files=[SHOT])  # type: ignore[list-item]
    page.locator("[data-preview=photo] img").wait_for()
    page.locator("#chips .chip").first.click()
    page.locator("#where", has_text="已定位").wait_for()
    page.wait_for_timeout(700)
    apart = page.locator("#report [name=apart]")
    if apart.is_visible():
        apart.check()


def resident(browser: Browser, its: City, folder: Path) -> None:
    """A passer-by: the code on the wall, thanks, the way of the matter, and the way by number."""
    context = context_at(browser, its)
    page = context.new_page()
    page.goto(f"{its.url}/g/{its.wall}")
    taken(page, "scan", folder)
    page.locator("#scan .chip").nth(2).click()
    page.get_by_role("button", name="提交", exact=True).click()
    page.wait_for_url("**/handed-in/**")
    taken(page, "handed-in", folder)
    page.get_by_role("button", name="看办到哪一步了").click()
    page.wait_for_url("**/callback/**")
    taken(page, "link", folder)
    page.goto(f"{its.url}/follow")
    taken(page, "follow", folder)
    context.close()


def main() -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with running() as its, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(chromium_program()), args=list(FLAGS))
        worker(browser, its, FOLDER)
        resident(browser, its, FOLDER)
        browser.close()
    files = sorted(FOLDER.glob("*.png"))
    print(f"{len(files)} pictures, {sum(file.stat().st_size for file in files) // 1024} KB in {FOLDER}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
