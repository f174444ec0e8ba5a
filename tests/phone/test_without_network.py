"""Reports made where there is no signal: kept through a killed browser, sent once, mended, never lost."""

from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.journey.conftest import Stack
from tests.phone.conftest import Phone, tickets_with, wait_for

pytestmark = pytest.mark.browser


def words() -> str:
    return f"路口东侧 {uuid4().hex[:8]}"


def test_a_killed_browser_still_delivers_one_report_with_both_photos(stack: Stack, phone: Phone) -> None:
    text = words()
    phone.signs_in()
    phone.is_closed()
    phone.opens()
    phone.goes_offline()
    phone.reports(photos=2, seed=11, text=text)
    expect(phone.page.locator("#waiting")).to_contain_text("暴露垃圾")
    phone.is_killed()
    phone.opens()
    phone.goes_offline()
    phone.page.goto(f"{stack.url}/worker/")
    expect(phone.page.locator("#waiting")).to_contain_text("2 张照片")
    assert tickets_with(stack, text) == []
    phone.goes_offline(False)
    wait_for(lambda: len(tickets_with(stack, text)) == 1, 30)
    expect(phone.page.locator("#sent")).to_contain_text("已送达", timeout=15_000)
    assert [photos for _, photos in tickets_with(stack, text)] == [2]
    assert phone.waiting() == 0


def test_an_answer_that_never_came_makes_no_second_ticket(stack: Stack, phone: Phone) -> None:
    text = words()
    page = phone.signs_in()
    lost = []

    def cut(route: object) -> None:
        """The server has the report; the phone never learns of it, however often it asks."""
        lost.append(route.fetch().status)  # type: ignore[attr-defined]
        route.abort()  # type: ignore[attr-defined]

    page.route("**/api/v1/tickets", cut)
    phone.reports(photos=1, seed=21, text=text)
    expect(page.locator("#waiting-list")).to_contain_text("等待发送")
    assert (lost[0], phone.waiting()) == (201, 1)
    page.unroute("**/api/v1/tickets", cut)
    page.goto(f"{stack.url}/worker/")
    expect(page.locator("#sent")).to_contain_text("已送达")
    assert [photos for _, photos in tickets_with(stack, text)] == [1]


def test_a_session_that_ended_meanwhile_is_renewed_and_then_it_is_sent(stack: Stack, phone: Phone) -> None:
    text = words()
    page = phone.signs_in()
    phone.goes_offline()
    phone.reports(photos=1, seed=31, text=text)
    expect(page.locator("#waiting")).to_be_visible()
    assert phone.context
    phone.context.clear_cookies(name="grid_session")
    phone.goes_offline(False)
    expect(page.locator("#state")).to_contain_text("登录已过期", timeout=15_000)
    assert tickets_with(stack, text) == []
    page.get_by_role("button", name="去登录").click()
    page.wait_for_url("**/sign-in**")
    page.fill("[name=login]", "worker")
    page.fill("[name=password]", "a sentence nobody guesses")
    page.click("main [type=submit]")
    expect(page.locator("#sent")).to_contain_text("已送达")
    assert [photos for _, photos in tickets_with(stack, text)] == [1]


def test_a_refused_report_stays_says_why_and_is_mended(stack: Stack, phone: Phone) -> None:
    text = words()
    page = phone.signs_in()
    phone.goes_offline()
    phone.reports(photos=1, seed=41, text=text)
    expect(page.locator("#waiting")).to_be_visible()
    page.evaluate(
        "Store.queue().then(([one]) => Store.putItem({...one, payload: {...one.payload, category_code: 'gone'}}))"
    )
    phone.goes_offline(False)
    expect(page.locator("#waiting-list")).to_contain_text("请选择一个具体的小类", timeout=15_000)
    page.get_by_role("button", name="改一改").click()
    expect(page.locator("[data-preview=photo] img")).to_have_count(1)
    expect(page.locator("#text")).to_have_value(text)
    page.locator("label.chip", has_text="暴露垃圾").first.click()
    page.get_by_role("button", name="提交", exact=True).click()
    expect(page.locator("h1")).to_have_text("已送达")
    assert [photos for _, photos in tickets_with(stack, text)] == [1]


def test_leaving_asks_first_and_wipes(stack: Stack, phone: Phone) -> None:
    page = phone.signs_in()
    phone.goes_offline()
    phone.reports(photos=1, seed=51, text=words())
    expect(page.locator("#waiting")).to_be_visible()
    asked: list[str] = []
    page.evaluate("Sending.flush = async () => ({delivered: {}})")
    phone.goes_offline(False)
    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.get_by_role("button", name="退出").click()
    wait_for(lambda: bool(asked) or page.wait_for_timeout(50) is not None, 5)
    assert phone.waiting() == 1
    assert "没有发送" in asked[0]
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="退出").click()
    page.wait_for_url("**/sign-in**")
    kept = page.evaluate(
        "new Promise(done => { const wish = indexedDB.open('grid'); wish.onsuccess = () => {"
        " const names = [...wish.result.objectStoreNames];"
        " Promise.all(names.map(name => new Promise(d => {"
        "  const count = wish.result.transaction(name).objectStore(name).count(); count.onsuccess = () => d(count.result); })))"
        " .then(done); }; })"
    )
    assert kept == [0, 0, 0, 0]


def test_nothing_personal_is_in_what_the_service_worker_keeps(phone: Phone) -> None:
    page = phone.signs_in()
    page.goto(f"{phone.url}/worker/")
    page.goto(f"{phone.url}/worker/report")
    expect(page.locator("label.chip").first).to_be_visible()
    kept = page.evaluate(
        "(async () => { const found = []; for (const name of await caches.keys()) { const cache = await caches.open(name);"
        " for (const request of await cache.keys()) found.push([new URL(request.url).pathname,"
        " await (await cache.match(request)).text()]); } return found; })()"
    )
    assert {path for path, _ in kept if not path.startswith("/static/")} == {
        "/worker/shell/today",
        "/worker/shell/report",
        "/worker/shell/verify",
    }
    for path, text in kept:
        if path.startswith("/worker/"):
            assert "王小网" not in text
            assert "井巷" not in text
            assert 'name="csrf-token" content=""' in text
