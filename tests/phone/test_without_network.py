"""Reports made where there is no signal: kept through a killed browser, sent once, mended, never lost."""

import hashlib
from uuid import uuid4

import pytest
from playwright.sync_api import expect
from sqlmodel import col, select

from dispatch.record.models import StoredPhoto, Ticket
from dispatch.record.oversight import inspections
from dispatch.record.oversight.models import PlanKind
from tests.journey.conftest import Stack
from tests.phone.conftest import Phone, tickets_with, town_of, wait_for
from tests.record.test_oversight import publishes, registers
from tests.town import IN_WEST
from tests.web.pictures import picture, with_position

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
    original = with_position(11, size=(1500, 1100))
    with stack.database.reading() as session:
        kept = {
            str(row.taken["original_sha256"]): row for row in session.exec(select(StoredPhoto)) if row.taken
        }
    row = kept[hashlib.sha256(original).hexdigest()]
    assert row.taken
    assert (row.taken["exif_lon"], row.taken["exif_lat"]) == pytest.approx((116.405, 39.905))
    assert row.taken["lon"] == pytest.approx(IN_WEST["lon"])
    assert row.bytes <= 400 * 1024
    assert row.captured_lon is None  # what left the phone carries no EXIF any more


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
    page.unroute_all(behavior="wait")
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


def test_reminders_inspections_and_answers_wait_too_and_go_out_in_order(stack: Stack, phone: Phone) -> None:
    town = town_of(stack)
    number = f"P-{uuid4().hex[:6]}"
    registers(town, number, PlanKind.INSPECTION)
    task = publishes(town, number, 2)
    code = town.worker.reports(text=words()).code
    town.department.acts(code, "ask_more", reason="请说明在楼的哪一侧")
    page = phone.signs_in()
    wait_for(lambda: bool(page.evaluate(f"Store.get('desk').then(d => '{code}' in d.answering)")), 15)
    phone.goes_offline()
    for way, category in (("自行处置", "暴露垃圾"), ("当场提醒", "暴露垃圾")):
        page.goto(f"{stack.url}/worker/")
        page.get_by_role("button", name=way).click()
        expect(page.locator("#where")).to_contain_text("已定位")
        page.locator("label.chip", has_text=category).first.click()
        page.wait_for_url("**/worker/?kept=*")
    page.goto(f"{stack.url}/worker/inspections")
    for name, label in (("商户 0", "正常"), ("商户 1", "异常")):
        place = page.get_by_role("region", name=name)
        place.locator("label", has_text=label).click()
        if label == "异常":
            place.locator("summary").click()
            place.locator("[name=photos]").set_input_files(  # type: ignore[call-arg]
                files=[{"name": "a.jpg", "mimeType": "image/jpeg", "buffer": picture(83, size=(900, 700))}]
            )
        place.get_by_role("button", name="登记").click()
        expect(place).to_contain_text("等待发送")
    page.goto(f"{stack.url}/tickets/{code}")
    expect(page.locator("#asked")).to_have_text("请说明在楼的哪一侧")
    expect(page.get_by_role("button", name="解决了,核查通过")).to_be_hidden()
    page.fill("#supply-note", "在北侧")
    page.get_by_role("button", name="补充情况").first.click()
    expect(page.locator("#waiting-list li")).to_have_count(5)
    phone.goes_offline(False)
    wait_for(lambda: phone.waiting() == 0, 30)
    with stack.database.reading() as session:
        done, made = inspections.progress(session, task.id), inspections.found_tickets(session, task.id)
        newest = session.exec(select(Ticket).order_by(col(Ticket.reported_at).desc()).limit(3)).all()
    assert ((done.checked, done.total), len(made)) == ((2, 2), 1)
    assert town.ticket(code).state == "in_progress"
    assert [one.state for one in reversed(newest)][:2] == ["self_handled", "reminded"]


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


def test_what_a_closed_base_cut_short_is_done_again(phone: Phone) -> None:
    page = phone.signs_in()
    said = page.evaluate(
        "async () => { const begin = IDBDatabase.prototype.transaction; let cut = 0;"
        " IDBDatabase.prototype.transaction = function (...given) {"
        "  const transaction = begin.apply(this, given);"
        "  if (given[1] === 'readwrite' && cut++ < 2) queueMicrotask(() => { transaction.abort(); this.close(); });"
        "  return transaction; };"
        " try { await Store.set('tried', 'kept'); return await Store.get('tried'); } catch (error) { return error.name; }"
        " finally { IDBDatabase.prototype.transaction = begin; } }"
    )
    assert said == "kept"


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
        "/worker/shell/inspect",
    }
    for path, text in kept:
        if path.startswith("/worker/"):
            assert "王小网" not in text
            assert "井巷" not in text
            assert 'name="csrf-token" content=""' in text
