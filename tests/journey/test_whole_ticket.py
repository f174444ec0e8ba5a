"""From a photo in the street to a satisfied callback, as people click it, on a phone and at a desk."""

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlmodel import col, select

from dispatch.engine import links
from dispatch.record.models import CallbackLink, Ticket
from tests.journey.conftest import Someone, Stack
from tests.town import STREET_OFFICE
from tests.web.pictures import picture

pytestmark = pytest.mark.browser

SEEN_WITHIN_S = 5.0
PHONE = "13800009999"


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

    worker = sit("worker")
    code = reports(worker, seed=len(size))
    in_queue_within(sit("department"), code, SEEN_WITHIN_S)
    department = everybody[-1]
    objects(department, code)
    refuses(sit("dispatcher"), code)
    handles(department, code, seed=len(size) + 50)
    verifies(worker, code, seed=len(size) + 100)
    answers(sit(None), stack, code)
    looks_back(sit("supervisor"), code)
    for one in everybody:
        assert [line for line in one.complaints if "410" not in line] == []


def reports(worker: Someone, *, seed: int) -> str:
    """Photo, place, category, send; on behalf of a resident who wants to be called back."""
    page = worker.page
    assert worker.serious() == []
    page.get_by_role("button", name="拍照上报").click()
    page.set_input_files("#photo", files=[photo(seed)])
    expect(page.locator("[data-preview=photo] img")).to_have_count(1)
    expect(page.locator("#where")).to_contain_text("已定位")
    page.locator("label.chip", has_text="暴露垃圾").first.click()
    page.get_by_text("代群众上报").click()
    page.fill("[name=reporter_name]", "赵大爷")
    page.fill("[name=reporter_phone]", PHONE)
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
    department.page.locator(f"a[href$='{code}']").wait_for(timeout=seconds * 1000)
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
    page = dispatcher.opens(f"/tickets/{code}")
    unfold(page, "refuse_objection")
    page.fill("#refuse_objection-reason", "道路红线图显示为市政道路")
    submit(page, "refuse_objection")
    expect(page.locator("main")).to_contain_text("指定承办,不得再退")


def handles(department: Someone, code: str, *, seed: int) -> None:
    page = department.opens(f"/tickets/{code}")
    expect(page.locator("main")).not_to_contain_text(PHONE)
    page.fill("#why-reveal", "联系核实地点")
    page.get_by_role("button", name="查看").click()
    expect(page.locator("main")).to_contain_text(PHONE)
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
    give_up_at = time.monotonic() + 20
    while time.monotonic() < give_up_at:
        with stack.database.reading() as session:
            ticket = session.exec(select(Ticket).where(col(Ticket.code) == code)).one()
            link = session.exec(select(CallbackLink).where(col(CallbackLink.ticket_id) == ticket.id)).first()
        if link is not None:
            return links.address(stack.settings, ticket.id, link.round)
        time.sleep(0.3)
    raise AssertionError("no link was made for the reporter")


def looks_back(supervisor: Someone, code: str) -> None:
    page = supervisor.opens(f"/tickets/{code}")
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
