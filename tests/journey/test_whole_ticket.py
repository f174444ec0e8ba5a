"""From a photo in the street to a satisfied callback, as people click it, on a phone and at a desk."""

import re
import time
from collections.abc import Callable
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect
from sqlmodel import col, select

from dispatch.engine.sending import links
from dispatch.record.models import OutboxRow, Ticket
from tests.journey.conftest import Someone, Stack
from tests.town import GARBAGE, IN_WEST, STREET_OFFICE
from tests.web.pictures import picture

pytestmark = pytest.mark.browser

SEEN_WITHIN_S = 5.0


def new_phone() -> str:
    """A number of nobody asked before: a person is asked once a week."""
    return f"138{uuid4().int % 10**8:08}"


def photo(seed: int) -> dict[str, object]:
    return {"name": "IMG_1.jpg", "mimeType": "image/jpeg", "buffer": picture(seed, size=(1800, 1200))}


def unfold(page: Page, action: str) -> None:
    page.locator(f"#do-{action} > summary").click()


def submit(page: Page, action: str) -> None:
    page.locator(f"#do-{action} [type=submit]").click()
    page.wait_for_load_state("load")


def test_from_photo_to_satisfied_callback(
    stack: Stack, someone: Callable[[str | None], Someone], size: str
) -> None:
    everybody: list[Someone] = []

    def sit(login: str | None) -> Someone:
        everybody.append(someone(login))
        return everybody[-1]

    worker, phone = sit("worker"), new_phone()
    code = reports(worker, phone=phone, seed=len(size))
    in_queue_within(sit("department"), code, SEEN_WITHIN_S)
    department = everybody[-1]
    objects(department, code)
    refuses(sit("dispatcher"), code)
    handles(department, code, phone=phone, seed=len(size) + 50)
    verifies(worker, code, seed=len(size) + 100)
    answers(sit(None), stack, code)
    looks_back(sit("supervisor"), code)
    for one in everybody:
        assert [line for line in one.complaints if "410" not in line] == []


def reports(worker: Someone, *, phone: str, seed: int) -> str:
    """Photo, place, category, send; on behalf of a resident who wants to be called back."""
    page = worker.page
    assert worker.serious() == []
    until(lambda: bool(page.evaluate("Store.get('desk').then(Boolean)")))
    with page.expect_file_chooser() as camera:
        page.get_by_role("button", name="拍照上报").click()
    camera.value.set_files([photo(seed)])  # type: ignore[list-item]
    page.wait_for_url("**/worker/report")
    expect(page.locator("[data-preview=photo] img")).to_have_count(1)
    expect(page.locator("#where")).to_contain_text("已定位")
    page.locator("label.chip", has_text="暴露垃圾").first.click()
    page.get_by_text("代群众上报").click()
    page.fill("[name=reporter_name]", "赵大爷")
    page.fill("[name=reporter_phone]", phone)
    page.check("[name=consented]")
    assert worker.serious() == []
    page.get_by_role("button", name="提交", exact=True).click()
    expect(page.locator("h1")).to_have_text("已送达")
    expect(page.locator("main")).to_contain_text("井巷第一网格")
    expect(page.locator("main")).to_contain_text("区环卫局")
    found = re.search(r"/reported/([0-9A-Z-]+)", page.url)
    assert found
    return found[1]


def in_queue_within(department: Someone, code: str, seconds: float) -> None:
    began = time.monotonic()
    department.opens("/department/")
    department.page.locator(f"a[href*='{code}']").first.wait_for(timeout=seconds * 1000)
    assert time.monotonic() - began < seconds
    assert department.serious() == []


def objects(department: Someone, code: str) -> None:
    """Opens it, which is noted, and returns it with reason, suggested unit and basis."""
    page = department.page
    with page.expect_response(lambda answer: answer.url.endswith("/actions/open")) as opened:
        department.opens(f"/tickets/{code}")
    assert opened.value.status == 204
    assert department.serious() == []
    unfold(page, "object")
    page.locator("#do-object label", has_text="属地不符").click()
    page.select_option("#object-organisation", STREET_OFFICE)
    page.fill("#object-basis", "该处是小区内部道路")
    submit(page, "object")
    expect(page.locator("main")).to_contain_text("派单异议待审")


def refuses(dispatcher: Someone, code: str) -> None:
    """Both sides on one page, the ruling, and then what happened on the ticket."""
    page = dispatcher.opens("/dispatch/queues/objection")
    assert dispatcher.serious() == []
    page.locator(f"a[href$='/rulings/{code}']").click()
    expect(page.locator("main")).to_contain_text("该处是小区内部道路")
    assert dispatcher.serious() == []
    page.fill("#refuse_objection-reason", "道路红线图显示为市政道路")
    page.locator("form[action$='/actions/refuse_objection'] [type=submit]").click()
    page.wait_for_load_state("load")
    page = dispatcher.opens(f"/tickets/{code}")
    expect(page.locator("main")).to_contain_text("指定承办,不得再退")


def handles(department: Someone, code: str, *, phone: str, seed: int) -> None:
    page = department.opens(f"/tickets/{code}")
    expect(page.locator("main")).not_to_contain_text(phone)
    page.fill("#why-reveal", "联系核实地点")
    page.get_by_role("button", name="查看").click()
    expect(page.locator("main")).to_contain_text(phone)
    unfold(page, "contact")
    page.locator("#do-contact label", has_text="已联系上").click()
    submit(page, "contact")
    expect(page.locator("main")).to_contain_text("办理中")
    unfold(page, "handle")
    page.locator("#do-handle fieldset label", has_text="已解决").click()
    page.fill("#handle-answer", "已安排清运,垃圾已清走。")
    page.set_input_files("#handle-photos", files=[photo(seed)])
    expect(page.locator("[data-preview=handle-photos] img")).to_have_count(1)
    submit(page, "handle")
    expect(page.locator("main")).to_contain_text("待核查")


def verifies(worker: Someone, code: str, *, seed: int) -> None:
    page = worker.opens("/worker/")
    page.locator(f"a[href$='/verify/{code}']").click()
    expect(page.locator(".pair img")).to_have_count(2)
    for image in page.locator(".pair img").all():
        assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    assert worker.serious() == []
    page.set_input_files("#verify_pass-photos", files=[photo(seed)])
    page.get_by_role("button", name="解决了,核查通过").click()
    expect(page.locator("main")).to_contain_text("待回访")


def answers(reporter: Someone, stack: Stack, code: str) -> None:
    """The link that the service made and sent; it works once."""
    address = link_of(stack, code)
    path = (
        address.removeprefix(stack.url) if address.startswith(stack.url) else "/" + address.split("/", 3)[3]
    )
    page = reporter.opens(path)
    expect(page.locator("main")).to_contain_text("已安排清运")
    assert reporter.serious() == []
    page.locator("label", has_text="已解决").click()
    page.locator("label", has_text="非常满意").first.click()
    page.get_by_role("button", name="提交评价").click()
    expect(page.locator("h1")).to_have_text("谢谢您的评价")
    reporter.opens(path)
    expect(page.locator("main")).to_contain_text("已经用过")


def link_of(stack: Stack, code: str) -> str:
    """The address in the message that reached the reporter."""
    with stack.database.reading() as session:
        ticket = session.exec(select(Ticket).where(col(Ticket.code) == code)).one()
    wanted = links.token(stack.settings, ticket.id, ticket.callback_round)
    give_up_at = time.monotonic() + 20
    while time.monotonic() < give_up_at:
        for _, text in stack.peer.taken:
            found = re.search(r"https?://\S+?/callback/([\w-]+)", text)
            if found and found[1] == wanted:
                return found[0]
        time.sleep(0.3)
    raise AssertionError("no message with a link reached the reporter")


def looks_back(supervisor: Someone, code: str) -> None:
    """From a number down to the ticket, and its whole story."""
    page = supervisor.opens("/figures/")
    assert supervisor.serious() == []
    page.locator("details:has(#trend) summary").click()
    page.locator("#trend a[href*='measure=closed']").last.click()
    page.locator(f"a[href$='/tickets/{code}']").click()
    expect(page.locator(".ticket-head")).to_contain_text("结案")
    for words in (
        "上报",
        "派遣",
        "派单异议",
        "驳回异议并指定承办",
        "联系诉求人",
        "办理反馈",
        "核查通过",
        "非常满意",
    ):
        expect(page.locator(".history")).to_contain_text(words)


@pytest.mark.acceptance("A8")
def test_a_report_reaches_the_command_centre_and_a_dead_peer_loses_and_doubles_nothing(
    stack: Stack, someone: Callable[[str | None], Someone]
) -> None:
    dispatcher, worker, department = someone("dispatcher"), someone("worker"), someone("department")
    dispatcher.opens("/dispatch/")
    assert dispatcher.serious() == []
    stack.peer.down, before = True, len(stack.peer.taken)
    code = sends_report(worker)
    dispatcher.page.locator(f"a[href$='{code}']").wait_for(timeout=SEEN_WITHIN_S * 1000)
    answer = {"solved": "solved", "answer": "已清运", "photos": [uploads(department, 7)]}
    calls(department, f"/tickets/{code}/actions/contact", {"given": {"outcome": "reached"}})
    calls(department, f"/tickets/{code}/actions/handle", {"given": answer})
    calls(worker, f"/tickets/{code}/actions/verify_pass", {"given": {"photos": [uploads(worker, 8)]}})
    until(lambda: stack.peer.refused > 0)
    stack.peer.down = False
    link = link_of(stack, code)
    until(lambda: not unsent(stack))
    arrived = stack.peer.taken[before:]
    assert len({key for key, _ in arrived}) == len(arrived)
    assert len([text for _, text in arrived if link in text]) == 1


def sends_report(worker: Someone) -> str:
    body = {
        "client_uuid": str(uuid4()),
        "source": "on_behalf",
        "category_code": GARBAGE,
        "frame": "wgs84",
        "photos": [uploads(worker, 6)],
        "reporter": {"name": "赵大爷", "phone": new_phone(), "consented": True, "notice_version": "2026-11"},
        **IN_WEST,
    }
    return str(calls(worker, "/tickets", body)["code"])


def uploads(one: Someone, seed: int) -> str:
    headers = {"X-CSRFToken": token_of(one), "Content-Type": "image/jpeg"}
    answer = one.page.request.post(f"{one.url}/api/v1/photos", data=picture(seed), headers=headers)
    assert answer.ok, answer.text()
    return str(answer.json()["sha256"])


def calls(one: Someone, path: str, body: dict[str, object]) -> dict[str, object]:
    """The API with the browser's own session, as a page's script would use it."""
    headers = {"X-CSRFToken": token_of(one)}
    answer = one.page.request.post(f"{one.url}/api/v1{path}", data=body, headers=headers)
    assert answer.ok, answer.text()
    return dict(answer.json())


def token_of(one: Someone) -> str:
    return str(one.page.locator("meta[name=csrf-token]").get_attribute("content"))


def unsent(stack: Stack) -> list[OutboxRow]:
    with stack.database.reading() as session:
        query = select(OutboxRow).where(
            col(OutboxRow.destination).is_not(None), col(OutboxRow.done_at).is_(None)
        )
        return list(session.exec(query))


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    give_up_at = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < give_up_at
        time.sleep(0.2)
