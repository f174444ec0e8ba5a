"""Whole shifts by keys alone: a clerk's thirty tickets, two clerks on one, a call that is a double, a ruling, a round of
calls back."""

import random
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from playwright.sync_api import expect
from sqlmodel import col, select
from werkzeug.serving import make_server

from app import create_app
from dispatch.record.desks.models import Draft
from dispatch.record.models import CallbackAnswer, Source, Statement, Ticket
from dispatch.record.world import World
from dispatch.rules.workflow import State
from grid.accounts import passwords
from grid.models import Account
from grid.settings import load_settings
from tests.desks.test_queue import joins
from tests.journey.conftest import Someone
from tests.journey.keys import (
    Keys,
    handles_the_one_on_the_page,
    notes_the_answer,
    opens_the_first,
    signs_the_first,
)
from tests.journey.service import PASSWORD, Stack, where_it_is
from tests.services import free_port
from tests.town import (
    CONSULT,
    DRAINAGE,
    GARBAGE,
    IN_EAST,
    SANITATION,
    Town,
    open_town,
)

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("size", ["desktop"])]

Sit = Callable[[str | None], Someone]
SHIFT, SIGNED_IN_THE_LIST, RETURNED_EVERY = 30, 3, 6


@pytest.fixture
def town(stack: Stack) -> Iterator[Town]:
    """The town that the running service shows."""
    town = open_town(stack.settings.database_url, stack.settings.instance_path)
    town.world, town.now = World(stack.settings), datetime.now(UTC)
    yield town
    town.database.dispose()


def asked_by_telephone(town: Town, **more: object) -> str:
    """A question from a caller, given to the sanitation bureau."""
    code = town.operator.reports(
        CONSULT, source=Source.HOTLINE, photos=(), **{"text": "清运的时间是几点", **more}
    ).code
    town.dispatcher.acts(code, "dispatch", organisation=SANITATION)
    return code


def test_a_clerk_works_through_thirty_tickets_by_keys_alone(town: Town, someone: Sit) -> None:
    # Words of its own: other tests' tickets are in the same town.
    words = "清运的时间" + "".join(random.choices("甲乙丙丁戊己庚辛", k=6))
    codes = {asked_by_telephone(town, text=words) for _ in range(SHIFT)}
    one = someone("department")
    keys = Keys(one.opens("/department/?tab=new"))
    for _ in range(SIGNED_IN_THE_LIST):
        signs_the_first(keys)
    assert keys.count() == 2 * SIGNED_IN_THE_LIST
    one.opens(f"/department/?q={words}")
    opens_the_first(keys)
    handled, returned = [], []
    for number in range(SHIFT):
        code = keys.page.locator(".ticket-head .code").inner_text()
        if number % RETURNED_EVERY == 1:
            returned.append(code)
            keys.press("r", "Space", "Tab", "ArrowDown", "Tab")
            keys.says("三定方案第二条,不归本单位")
            keys.sends(after=code)
        else:
            handled.append(handles_the_one_on_the_page(keys, "已于今日电话答复,清运时间为每天六点"))
    assert keys.page.url.split("?")[0].endswith("/department/"), "nothing is left, and the queue says so"
    assert set(handled) | set(returned) == codes
    assert {str(town.ticket(code).state) for code in returned} == {"objected"}
    assert {str(town.ticket(code).owner_code) for code in handled} == {"centre"}
    assert keys.count() <= 5 * SHIFT + 2
    assert one.complaints == []


def test_a_box_that_says_late_that_it_is_open_takes_no_cursor_away(town: Town, someone: Sit) -> None:
    one = someone("department")
    keys = Keys(one.opens(f"/tickets/{asked_by_telephone(town)}"))
    keys.press("r", "Space", "Tab")
    keys.page.evaluate("document.querySelector('#do-object').dispatchEvent(new Event('toggle'))")
    expect(keys.page.locator("#do-object select:focus")).to_have_count(1)


def test_two_clerks_on_one_ticket_see_each_other_and_overwrite_nothing(
    town: Town, stack: Stack, someone: Sit
) -> None:
    second = joins(town, f"second-{uuid4().hex[:6]}", "第二经办")
    with town.database.writing() as session:
        account = session.get_one(Account, second.id)
        account.password_hash = passwords.hash_password(PASSWORD)
        session.add(account)
    code, words = asked_by_telephone(town), "已于今日电话答复,六点清运"
    first, other = someone("department"), someone(str(second.login))
    with first.page.expect_response(lambda answer: answer.url.endswith(f"/desk/tickets/{code}/open")):
        first.opens(f"/tickets/{code}")
    page, keys = other.opens(f"/tickets/{code}"), Keys(other.page)
    expect(page.locator("#others")).to_contain_text("环卫经办 也打开了这一件")

    keys.press("h", "Space", "Tab")
    keys.says(words)
    expect(page.locator("#do-handle .draft-note")).to_have_text("草稿已保存")
    first.page.wait_for_selector(".beside [data-key=s]")
    with first.page.expect_navigation():
        Keys(first.page).press("s")
    assert town.ticket(code).state == "in_progress"

    keys.sends()
    expect(page.locator("#problem")).to_contain_text("您打开本页以后,工单有了变化,没有提交")
    expect(page.locator("#problem li", has_text="环卫经办:开始办理")).to_be_visible()
    assert page.input_value("#handle-answer") == words
    assert (town.ticket(code).state, said(town, code, "answer")) == ("in_progress", [])

    page = other.opens(f"/tickets/{code}")
    assert page.input_value("#handle-answer") == words, "the draft outlives the page"
    page.context.clear_cookies()
    page = other.opens(f"/tickets/{code}")
    expect(page.locator("[name=login]")).to_be_visible()
    page.keyboard.insert_text(str(second.login))
    keys.press("Tab")
    keys.says(PASSWORD)
    with page.expect_navigation():
        keys.press("Enter")
    page = other.opens(f"/tickets/{code}")
    assert page.input_value("#handle-answer") == words, "and the session"
    keys.press("h")
    keys.tabs_to("#handle-answer")
    keys.sends()
    assert (town.ticket(code).owner_code, said(town, code, "answer")) == ("centre", [words])
    with town.database.reading() as session:
        assert session.exec(select(Draft).where(Draft.ticket_id == town.ticket(code).id)).all() == []


def said(town: Town, code: str, name: str) -> list[str | None]:
    ticket = town.ticket(code)
    with town.database.reading() as session:
        query = select(Statement.text).where(Statement.ticket_id == ticket.id, Statement.name == name)
        return list(session.exec(query))


def test_an_operator_takes_a_call_finds_a_double_and_joins(town: Town, someone: Sit) -> None:
    phone = f"139{uuid4().int % 10**8:08}"
    known = {"reporter_name": "钱女士", "reporter_phone": phone, "consented": True, "notice_version": "1"}
    place = {"lon": IN_EAST["lon"] + 0.002, "lat": IN_EAST["lat"]}
    before = town.operator.reports(source=Source.HOTLINE, photos=(), at=place, text="垃圾堆满", **known).code
    main = town.worker.reports(GARBAGE, at=place, text="路口垃圾堆成山").code
    one = someone("operator")
    page, keys = one.opens("/hotline/register"), Keys(one.page)
    token = str(page.locator("meta[name=csrf-token]").get_attribute("content"))
    rang = page.request.post(f"{one.url}/api/v1/calls", data={"phone": phone}, headers={"X-CSRFToken": token})
    assert rang.status == 204
    expect(page.locator("#ringing")).to_contain_text("来电 139****")
    keys.press("Escape")
    with page.expect_navigation():
        keys.press("a")
    assert page.input_value("[name=reporter_phone]") == phone
    expect(page.locator(f"#earlier a[href$='{before}']")).to_be_visible()
    expect(page.locator("[name=reporter_name]")).to_have_value("钱女士")

    keys.says("路口垃圾堆成山,没人清")
    expect(page.locator("#while-typing [data-category]").first).to_contain_text("垃圾")
    keys.tabs_to(f"#while-typing [data-category='{GARBAGE}']")
    keys.press("Enter")
    assert page.input_value("[name=category_code]") == GARBAGE
    expect(page.locator("#place-search")).to_be_focused()
    keys.tabs_to("[data-same-place]", key="Shift+Tab")
    keys.press("Enter")
    expect(page.locator("#where")).to_contain_text("井巷第二网格")
    expect(page.locator("#while-typing")).to_contain_text("可能已有人报过")
    keys.tabs_to(f"button[name=joins][value='{main}']", key="Shift+Tab")
    with page.expect_navigation():
        keys.press("Enter")
    code = page.url.rsplit("/", 1)[-1]
    assert (town.ticket(code).state, town.ticket(main).merged_count) == ("merged", 1)
    assert one.complaints == []


def test_a_dispatcher_rules_on_objections_by_keys_alone(town: Town, someone: Sit) -> None:
    with town.database.reading() as session:
        waiting = list(session.exec(select(Ticket.code).where(Ticket.state == State.OBJECTED)))
    for code in waiting:
        town.dispatcher.acts(code, "refuse_objection", reason="按职责表由环卫局承办")
    codes = [asked_by_telephone(town) for _ in range(2)]
    for code in codes:
        town.department.acts(
            code, "object", reason_code="function", organisation=DRAINAGE, basis="三定方案第二条"
        )
    one = someone("dispatcher")
    page, keys = one.opens("/dispatch/queues/objection"), Keys(one.page)
    ruled = {}
    keys.press("j")
    with page.expect_navigation():
        keys.press("Enter")
    for way, action, words in (
        ("1", "uphold_objection", ""),
        ("2", "refuse_objection", "按职责表由环卫局承办"),
    ):
        page.wait_for_selector("form[data-action]")
        code = page.url.rsplit("/", 1)[-1]
        ruled[code] = action
        expect(page.locator("main")).to_contain_text("三定方案第二条")
        keys.press(way)
        assert page.evaluate("document.activeElement.form.dataset.action") == action
        if words:
            keys.says(words)
        keys.sends()
        if set(ruled) >= set(codes):
            break
    assert set(ruled) == set(codes)
    upheld, refused = codes if ruled[codes[0]] == "uphold_objection" else reversed(codes)
    assert (town.ticket(upheld).main_code, town.ticket(upheld).no_return) == (DRAINAGE, False)
    assert (town.ticket(refused).main_code, town.ticket(refused).no_return) == (SANITATION, True)


@pytest.fixture
def at_night(stack: Stack) -> Iterator[str]:
    """The same service over the same database, where it is ten in the evening."""
    settings = load_settings(stack.settings.instance_path, {"GRID_TIMEZONE": where_it_is(22)})
    server = make_server("127.0.0.1", free_port(), create_app(settings), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_a_round_of_calls_back_with_no_answer_quiet_hours_and_a_refusal(
    town: Town, someone: Sit, at_night: str
) -> None:
    town.now -= timedelta(hours=16)  # yesterday evening where the service is, when they could still be asked
    codes = {}
    for outcome in ("answered", "silent", "declines"):
        codes[outcome] = asked_by_telephone(
            town,
            reporter_name="赵大爷",
            reporter_phone=f"138{uuid4().int % 10**8:08}",
            consented=True,
            notice_version="1",
        )
        town.department.acts(codes[outcome], "contact", outcome="reached")
        town.department.acts(codes[outcome], "handle", solved="solved", answer="每天六点清运")
    one = someone("agent")
    page, keys = one.page, Keys(one.page)
    page.goto(f"{at_night}/hotline/callbacks/{codes['silent']}")
    expect(page.locator(".note.warn")).to_contain_text("现在不是回访时段")
    expect(page.locator("[data-key=u]")).to_have_count(0)
    token = str(page.locator("meta[name=csrf-token]").get_attribute("content"))
    refused = page.request.post(
        f"{at_night}/api/v1/tickets/{codes['silent']}/actions/attempt_callback",
        data={"given": {}},
        headers={"X-CSRFToken": token},
    )
    assert (refused.status, town.ticket(codes["silent"]).callback_attempts) == (409, 1)

    one.opens("/hotline/callbacks")
    keys.count()
    with page.expect_navigation():
        keys.press("n")
    whose = {code: outcome for outcome, code in codes.items()}
    while whose:
        code = page.locator(".ticket-head .code").inner_text()
        outcome = whose.pop(code)
        keys.count()
        if outcome == "answered":
            notes_the_answer(keys)
        else:
            keys.press("u" if outcome == "silent" else "d")
            keys.says("响铃无人接" if outcome == "silent" else "说不想评价")
            keys.sends()
        assert keys.count() <= 4
    expect(page.locator("main")).to_contain_text("今天拨过、没有接通")
    expect(page.locator(f"a[href*='{codes['silent']}']")).to_be_visible()
    assert town.ticket(codes["answered"]).satisfaction == 4
    assert (town.ticket(codes["silent"]).state, town.ticket(codes["silent"]).callback_attempts) == (
        "callback",
        2,
    )
    declined = town.ticket(codes["declines"])
    assert (declined.state, declined.satisfaction) == ("closed", None)
    with town.database.reading() as session:
        query = select(CallbackAnswer.outcome).where(col(CallbackAnswer.ticket_id) == declined.id)
        assert list(session.exec(query)) == ["unanswered"]
