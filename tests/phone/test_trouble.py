"""What goes wrong outdoors: the server dies in between, the page is old, the other side moved, the phone is full or wrong."""

import os
import signal
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect
from sqlmodel import col, select

from dispatch.record.models import Ticket
from tests.journey.conftest import Stack
from tests.phone.conftest import Phone, answers, tickets_with, town_of, wait_for
from tests.phone.test_without_network import words

pytestmark = pytest.mark.browser


def web_process(stack: Stack) -> int:
    """The process that serves the pages, told by the log that it writes to."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            of_ours = int(stat.read_text().rpartition(")")[2].split()[1]) == stack.process.pid
            if of_ours and Path(os.readlink(stat.parent / "fd" / "1")).stem == "web":
                return int(stat.parent.name)
    raise AssertionError("nothing serves the pages")


def test_a_server_killed_between_upload_and_answer_makes_one_ticket(stack: Stack, phone: Phone) -> None:
    text = words()
    page = phone.signs_in()
    seen: list[int] = []

    def dies(route: Route) -> None:
        """It has written the report down, and is gone before it can say so."""
        seen.append(route.fetch().status)
        os.kill(web_process(stack), signal.SIGKILL)
        route.abort()

    page.route("**/api/v1/tickets", dies, times=1)
    phone.reports(photos=2, seed=71, text=text)
    wait_for(lambda: seen == [201] or page.wait_for_timeout(50) is not None, 20)
    wait_for(lambda: answers(f"{stack.url}/readyz"), 60)
    expect(page.locator("#sent")).to_contain_text("已送达", timeout=60_000)
    assert [photos for _, photos in tickets_with(stack, text)] == [2]
    assert phone.waiting() == 0


def test_a_page_of_an_older_version_still_delivers(stack: Stack, phone: Phone) -> None:
    text = words()
    page = phone.signs_in()
    phone.goes_offline()
    phone.reports(photos=1, seed=73, text=text)
    expect(page.locator("#waiting")).to_be_visible()
    # As the pages before the questions wrote it: no version, no answers.
    page.evaluate(
        "Store.queue().then(([one]) => { const payload = {...one.payload};"
        " delete payload.payload_version; delete payload.answers; return Store.putItem({...one, payload}); })"
    )
    phone.goes_offline(False)
    expect(page.locator("#sent")).to_contain_text("已送达", timeout=20_000)
    assert [photos for _, photos in tickets_with(stack, text)] == [1]


def test_a_conflict_shows_both_sides_and_the_worker_decides(stack: Stack, phone: Phone) -> None:
    town = town_of(stack)
    code = town.worker.reports(text=words()).code
    town.department.acts(code, "handle", solved="solved", answer="已清运", photos=(town.photo("b" * 64),))
    page = phone.signs_in()
    wait_for(lambda: bool(page.evaluate(f"Store.get('desk').then(d => '{code}' in d.verifying)")), 15)
    phone.goes_offline()
    page.goto(f"{stack.url}/worker/verify")
    expect(page.locator("#state")).to_contain_text("要连网才能打开")
    page.goto(f"{stack.url}/tickets/2ZZ-AAAAA-A")
    expect(page.locator("#state")).to_contain_text("手机里没有 2ZZ-AAAAA-A 的资料")
    expect(page.locator(".pair")).to_be_hidden()
    page.goto(f"{stack.url}/worker/verify/{code}")
    expect(page.locator("#answer")).to_have_text("已清运")
    page.set_input_files(
        "#verify_pass-photos", files=[{"name": "n.jpg", "mimeType": "image/jpeg", "buffer": jpeg()}]
    )
    page.get_by_role("button", name="解决了,核查通过").click()
    expect(page.locator("#waiting-list")).to_contain_text("核查通过")
    town.supervisor.acts(code, "urge", words="请尽快")
    phone.goes_offline(False)
    expect(page.locator("#waiting-list")).to_contain_text(
        "您填的:解决了,核查通过;现在:待核查", timeout=20_000
    )
    assert town.ticket(code).state == "handled"
    page.get_by_role("button", name="仍按我填的提交").click()
    expect(page.locator("#sent")).to_contain_text("已送达", timeout=20_000)
    assert town.ticket(code).state != "handled"
    page.goto(f"{stack.url}/tickets/{town.worker.reports(text=words()).code}")
    expect(page.locator("details.action[open] textarea")).to_be_visible()
    assert page.evaluate("document.activeElement.tagName") == "BODY", "one form alone takes no cursor"


def jpeg() -> bytes:
    from tests.web.pictures import picture

    return picture(79, size=(1200, 900))


def test_a_full_phone_says_so_and_keeps_what_was_typed(stack: Stack, phone: Phone) -> None:
    text = words()
    page = phone.signs_in()
    page.goto(f"{stack.url}/worker/report")
    page.fill("#text", text)
    # As a browser answers whose disk is full.
    page.evaluate(
        "() => { window.roomy = IDBObjectStore.prototype.put; IDBObjectStore.prototype.put = () => {"
        " throw new DOMException('full', 'QuotaExceededError'); }; }"
    )
    one = {"name": "1.jpg", "mimeType": "image/jpeg", "buffer": jpeg()}
    page.set_input_files("#photo", files=[one])  # type: ignore[list-item]
    expect(page.locator("#sending")).to_contain_text("手机存储快满了", timeout=20_000)
    expect(page.locator("#text")).to_have_value(text)
    page.evaluate("() => { IDBObjectStore.prototype.put = window.roomy; }")
    unreadable = {"name": "a.heic", "mimeType": "image/heic", "buffer": b"\0\0\0\x18ftypheic"}
    for can, seen in ((False, page.locator("#sending")), (True, page.locator("[data-preview=photo] li"))):
        page.evaluate(
            f"Store.get('desk').then(desk => Store.set('desk', {{...desk, heic: {str(can).lower()}}}))"
        )
        page.set_input_files("#photo", files=[unreadable])  # type: ignore[list-item]
        expect(seen).to_contain_text("HEIC", timeout=20_000)
    page.get_by_role("button", name="删除第 1 张照片").click()
    page.set_input_files("#photo", files=[one])  # type: ignore[list-item]
    expect(page.locator("[data-preview=photo] img")).to_have_count(1)
    expect(page.locator("#where")).to_contain_text("井巷第一网格")
    page.locator("label.chip", has_text="暴露垃圾").first.click()
    page.get_by_role("button", name="提交", exact=True).click()
    expect(page.locator("h1")).to_have_text("已送达")
    assert [photos for _, photos in tickets_with(stack, text)] == [1]


def test_a_clock_that_is_wrong_is_put_right_and_named(stack: Stack, phone: Phone) -> None:
    text = words()
    page = phone.signs_in()
    page.clock.set_fixed_time(datetime.now(UTC) + timedelta(hours=5))
    phone.goes_offline()
    phone.reports(photos=1, seed=75, text=text)
    expect(page.locator("#waiting")).to_be_visible()
    phone.goes_offline(False)
    expect(page.locator("#sent")).to_contain_text("手机时间与服务器相差约 300 分钟", timeout=20_000)
    [(code, photos)] = tickets_with(stack, text)
    with stack.database.reading() as session:
        ticket = session.exec(select(Ticket).where(col(Ticket.code) == code)).one()
    assert photos == 1
    assert ticket.captured_at is not None
    assert abs(ticket.captured_at - datetime.now(UTC)) < timedelta(minutes=3)


def test_an_empty_form_is_refused_without_a_word_in_the_console(phone: Phone) -> None:
    page = phone.signs_in()
    said: list[str] = []
    page.on("console", lambda line: said.append(line.text))
    page.goto(f"{phone.url}/worker/report")
    phone.until("document.getElementById('where').textContent.includes('已定位')")
    page.get_by_role("button", name="提交", exact=True).click()
    asked = page.locator("[name=category_code]").first
    expect(asked).to_be_focused()
    assert asked.evaluate("field => field.validationMessage") == "请选择一项"
    assert said == []


def test_news_of_what_there_is_to_choose_takes_nobodys_cursor_away(phone: Phone) -> None:
    page = phone.signs_in()
    held: list[Route] = []
    page.route("**/worker/desk.json", lambda route: held.append(route))
    with page.expect_request("**/worker/desk.json"):
        page.goto(f"{phone.url}/worker/report")
    asked = page.locator("[name=category_code]").first
    asked.focus()
    code = asked.get_attribute("value")
    answer = held[0].fetch()
    known = answer.json()
    held[0].fulfill(response=answer, json={**known, "chips": known["chips"][::-1]})
    last = page.locator("#chips [name=category_code]").last
    expect(last).to_have_attribute("value", str(code))
    expect(last).to_be_focused()
