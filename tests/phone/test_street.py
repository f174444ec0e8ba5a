"""The pages as a phone's browser shows them: what a report costs, what helps while filling it in, a code from the wall."""

import io
import re

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Playwright, expect
from sqlmodel import col, select

from benchmarks.phone.__main__ import GATES
from benchmarks.phone.city import City, context_at, sign_in
from benchmarks.phone.faults import Judge, of_the_phone
from benchmarks.phone.hand import report
from benchmarks.phone.weighing import weights
from dispatch.record import queries
from dispatch.record.evidence import photos
from dispatch.record.models import StoredPhoto, Ticket, TicketEvent, TicketPhoto
from geo.frames import from_wgs84
from grid import codes
from grid.registers import gazetteer
from grid.registers.gazetteer import NamedPlace
from tests.journey.conftest import PASSWORD, Stack
from tests.journey.conftest import browser as browser
from tests.phone.conftest import town_of
from tests.town import EAST, IN_EAST, IN_WEST, WEST
from tests.web.pictures import picture

pytestmark = pytest.mark.browser


@pytest.fixture
def its(stack: Stack) -> City:
    """The town as the benchmark wants it."""
    town = town_of(stack)
    with stack.database.writing() as session:
        row = codes.present(session, WEST, town.now)
        wall = codes.token(stack.settings, row.area_code, row.serial)
    place = {"longitude": IN_WEST["lon"], "latitude": IN_WEST["lat"], "accuracy": 8}
    return City(stack.url, int(stack.url.rpartition(":")[2]), PASSWORD, "worker", place, {}, wall)


def newest(stack: Stack) -> Ticket:
    with stack.database.reading() as session:
        return session.exec(select(Ticket).order_by(col(Ticket.reported_at).desc()).limit(1)).one()


def test_a_report_costs_no_more_taps_characters_and_bytes_than_promised(browser: Browser, its: City) -> None:
    found = {**report(browser, its), **weights(browser, its)}
    kept = ("taps", "required_chars", "first_visit_kb", "with_map_kb")
    assert {key: found[key] for key in kept if found[key] > GATES[key]} == {}


def test_no_page_of_the_street_has_a_serious_fault_in_large_type_either(browser: Browser, its: City) -> None:
    judge = Judge()
    for look in (None, "contrast.large"):
        of_the_phone(browser, its, judge, look=look)
    assert (judge.serious, judge.failed) == ([], [])
    assert len(judge.seen) >= 14


@pytest.mark.acceptance("D7")
def test_a_phone_reports_in_its_browser_with_nothing_installed(
    stack: Stack, browser: Browser, playwright: Playwright, its: City
) -> None:
    context = browser.new_context(
        **playwright.devices["Pixel 5"], locale="zh-CN", geolocation=its.place, permissions=["geolocation"]
    )
    page = context.new_page()
    sign_in(page, its.url, its.worker, its.password)
    page.get_by_role("button", name="自行处置").tap()
    expect(page.locator("#where")).to_contain_text("已定位")
    page.locator("#chips label.chip", has_text="暴露垃圾").tap()
    expect(page.locator("h1")).to_have_text("已送达")
    assert newest(stack).state == "self_handled"
    context.close()


def test_words_suggest_a_category_and_a_name_gives_the_place(
    stack: Stack, browser: Browser, its: City
) -> None:
    park = NamedPlace("井巷公园", "公园", IN_WEST["lon"], IN_WEST["lat"] + 0.003)
    town = town_of(stack)
    town.worker.reports()
    stack.database.write(lambda s: gazetteer.replace(s, [park], "test", None, town.now))
    context = context_at(browser, its)
    page = context.new_page()
    sign_in(page, its.url, its.worker, its.password)
    page.goto(f"{its.url}/worker/report")
    expect(page.locator("#where")).to_contain_text("已定位")
    shot = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": picture(97, size=(900, 700))}
    page.set_input_files("#photo", files=[shot])  # type: ignore[list-item]
    page.get_by_role("button", name="涂黑第 1 张").click()
    expect(page.locator("#brush canvas")).to_be_visible()
    box = page.locator("#brush canvas").bounding_box()
    assert box
    page.mouse.move(box["x"] + 30, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 30, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    page.get_by_role("button", name="好了").click()
    page.fill("#text", "垃圾堆在墙角没有人收")
    page.locator("#suggested button", has_text="暴露垃圾").click()
    expect(page.locator("[name=category_code]:checked")).to_have_count(1)
    expect(page.locator("#near a").first).to_contain_text("暴露垃圾")
    page.locator("#by-grid summary").click()
    page.fill("#place-search", "井巷")
    page.locator("#places button").first.click()
    expect(page.locator("#where")).to_contain_text("井巷公园(按地址)")
    _sends(page, mode="当场提醒")
    expect(page.locator("h1")).to_have_text("已送达")
    ticket = newest(stack)
    assert (ticket.state, ticket.location_source) == ("reminded", "address")
    with stack.database.reading() as session:
        kept = session.get(StoredPhoto, queries.rows(session, TicketPhoto, ticket)[0].sha256)
    assert kept
    assert kept.taken
    assert kept.taken["covered"] is True
    with Image.open(io.BytesIO(photos.read_original(stack.settings, kept))) as covered:
        assert max(covered.convert("L").getpixel((450, 350)), 0) < 20  # type: ignore[type-var]
        assert covered.convert("L").getpixel((450, 60)) > 60  # type: ignore[operator]
    context.close()


TILES_UNDER = """async ([lon, lat]) => {
  Object.assign(document.documentElement.dataset, { tiles: "/static/icon.svg?{z}-{x}-{y}", tileFrame: "gcj02" });
  const box = document.createElement("div");
  box.style.cssText = "width:256px;height:256px;position:fixed;top:0;left:0;z-index:9999";
  document.body.append(box);
  const map = L.map(box, { zoomAnimation: false, fadeAnimation: false }).setView([lat, lon], 17);
  addTiles(map);
  const there = toGcj({ lat, lng: lon }), pixel = map.project(there, 17), frame = box.getBoundingClientRect();
  const seen = [...box.querySelectorAll("img.leaflet-tile")].map((tile) => {
    const [, x, y] = tile.src.split("?")[1].split("-").map(Number), at = tile.getBoundingClientRect();
    return [at.left - frame.left + pixel.x - x * 256, at.top - frame.top + pixel.y - y * 256];
  });
  return { there: [there.lng, there.lat], seen };
}"""


def test_tiles_in_the_mainlands_frame_lie_right_under_the_borders(browser: Browser, its: City) -> None:
    context = context_at(browser, its)
    page = context.new_page()
    sign_in(page, its.url, its.worker, its.password)
    page.goto(f"{its.url}/worker/")
    page.locator("#on-map summary").click()
    page.locator("#area-map .leaflet-overlay-pane path").first.wait_for()
    lon, lat = its.place["longitude"], its.place["latitude"]
    found = page.evaluate(TILES_UNDER, [lon, lat])
    assert found["there"] == pytest.approx(from_wgs84(lon=lon, lat=lat, frame="gcj02"), abs=1e-9)
    assert len(found["seen"]) >= 4
    for tile in found["seen"]:
        assert tile == pytest.approx([128, 128], abs=2)
    context.close()


@pytest.mark.acceptance("A2")
def test_a_second_reminder_at_the_same_place_proposes_a_report(
    stack: Stack, browser: Browser, its: City
) -> None:
    its.place = {**its.place, "latitude": its.place["latitude"] + 0.002}
    context = context_at(browser, its)
    page = context.new_page()
    sign_in(page, its.url, its.worker, its.password)
    for again in (False, True):
        page.goto(f"{its.url}/worker/")
        page.get_by_role("button", name="当场提醒").click()
        expect(page.locator("#where")).to_contain_text("已定位")
        page.locator("#chips label.chip", has_text="暴露垃圾").click()
        if not again:
            expect(page.locator("h1")).to_have_text("已送达")
            first = newest(stack)
            assert (first.state, first.main_code, first.dispatched_at) == ("reminded", None, None)
    expect(page.locator("#sending")).to_contain_text("建议转为“上报派单”")
    expect(page.locator("[name=mode][value=report]")).to_be_checked()
    assert newest(stack).id == first.id
    context.close()


@pytest.mark.acceptance("A7")
def test_who_scans_one_grids_code_and_stands_in_another_is_asked(
    stack: Stack, browser: Browser, its: City
) -> None:
    its.place = {"longitude": IN_EAST["lon"], "latitude": IN_EAST["lat"], "accuracy": 8}
    context = context_at(browser, its)
    page = context.new_page()
    page.goto(f"{its.url}/g/{its.wall}")
    expect(page.locator("h1")).to_have_text("井巷第一网格")
    expect(page.locator("#where")).to_contain_text("已定位")
    page.locator("#scan .chip", has_text="暴露垃圾").click()
    for apart in page.locator("#scan [name=apart]").all():
        apart.check()
    page.get_by_role("button", name="提交", exact=True).click()
    expect(page.get_by_role("alert").first).to_contain_text("您似乎在井巷第二网格")
    page.get_by_label("井巷第二网格").check()
    page.get_by_role("button", name="提交", exact=True).click()
    page.wait_for_url("**/handed-in/**")
    ticket = newest(stack)
    assert ticket.placed
    assert (ticket.placed["scanned"], ticket.placed["located"]) == (WEST, EAST)
    with stack.database.reading() as session:
        given = queries.rows(session, TicketEvent, ticket)[0].given
    assert (given["scanned_grid"], given["chosen_grid"]) == (WEST, EAST)
    forged = re.sub(f"^{WEST}", EAST, its.wall)
    answer = page.goto(f"{its.url}/g/{forged}")
    assert answer
    assert answer.status == 404
    context.close()


def _sends(page: Page, *, mode: str) -> None:
    page.locator("fieldset label", has_text=mode).click()
    page.get_by_role("button", name="提交", exact=True).click()
