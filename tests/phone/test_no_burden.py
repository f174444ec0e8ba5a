"""What the service must never ask of people or count about them: no column, no address, no button, no metric."""

import gzip
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from flask import Flask
from sqlmodel import SQLModel

from dispatch.insight.metrics.formulas import METRICS
from dispatch.insight.metrics.measures import MEASURES
from tests.phone.test_scanning import upload
from tests.town import GARBAGE, IN_WEST, SANITATION, WEST, Town
from tests.web.conftest import Program, Visitor
from tests.web.pictures import picture
from web.forms import ReportIn, Strict
from web.shown.labels import masked

ROOT = Path(__file__).parents[2]
# Parts of names, between underscores: each stands for something that burdens or watches people.
NEVER = re.compile(
    r"(^|_)(id_?card|identity_number|id_number|shenfenzheng|login_count|logins|sign_in_count|online_time|online_minutes"
    r"|active_days|activity|last_active|track|trajectory|route_points|mileage|steps_walked|step_count|check_?in|clock_in"
    r"|punch|attendance|score_rank|ranking|points_earned|receipt_confirmed|acknowledged_by|received_button|household"
    r"|app_installs?|downloads_count|usage_rate)(_|$)"
)
NEVER_PATH = re.compile(
    r"check-?in|punch|attendance|track|mileage|ranking|leaderboard|active-users|online-time|received"
)
NEVER_COUNTED = re.compile(r"登录|在线|打卡|签到|轨迹|里程|步数|活跃|下载|使用率|排名|个人")
NEVER_BUTTON = re.compile(r"<button[^>]*>[^<]*(签到|打卡|收到|已阅)[^<]*</button>")


def columns() -> Iterator[str]:
    for table in SQLModel.metadata.tables.values():
        for column in table.columns:
            yield f"{table.name}.{column.name}"


def fields(kind: type[Strict]) -> Iterator[str]:
    for form in kind.__subclasses__():
        yield from (f"{form.__name__}.{name}" for name in form.model_fields)
        yield from fields(form)


@pytest.mark.acceptance("D22")
def test_no_column_and_no_field_holds_what_must_not_be_asked(town: Town) -> None:
    held = [name for name in (*columns(), *fields(Strict)) if NEVER.search(name.rpartition(".")[2])]
    assert held == []
    assert len(list(columns())) > 200
    assert NEVER.search("id_card")
    assert NEVER.search("login_count")


@pytest.mark.acceptance("D22")
def test_numbers_inside_text_are_masked_wherever_they_are_shown(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    text = "业主张三 110101199003074512 电话 13800001111"
    code = town.worker.reports(text=text).code
    for person in ("worker", "department", "supervisor"):
        page = visitor(person).sees(f"/tickets/{code}").text
        assert "110101199003074512" not in page
        assert "13800001111" not in page
    assert masked(text) == "业主张三 110***********4512 电话 138****1111"


@pytest.mark.acceptance("D5")
def test_there_is_no_check_in_and_no_received_button(app: Flask, town: Town) -> None:
    addresses = [str(rule) for rule in app.url_map.iter_rules()]
    assert [address for address in addresses if NEVER_PATH.search(address)] == []
    for template in (ROOT / "web" / "templates").rglob("*.html"):
        assert not NEVER_BUTTON.search(template.read_text("utf-8")), template
    notice = next(table for table in SQLModel.metadata.tables.values() if table.name == "notice")
    assert not [column.name for column in notice.columns if "read" in column.name or "confirm" in column.name]


@pytest.mark.acceptance("D5")
def test_nothing_of_the_kind_is_counted(app: Flask, town: Town) -> None:
    operated = set(re.findall(r"^# TYPE (\w+)", app.test_client().get("/metrics").text, re.M))
    assert len(operated) > 10
    counted = {one.key: one.label for one in (*METRICS, *MEASURES)}
    assert [name for name in (*operated, *counted) if NEVER.search(name)] == []
    assert [label for label in counted.values() if NEVER_COUNTED.search(label)] == []
    assert NEVER_COUNTED.search("人均登录次数")


@pytest.mark.acceptance("D7")
def test_the_phone_needs_no_installation_and_nobody_is_told_off_for_staying_away(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    phone = {"User-Agent": "Mozilla/5.0 (Linux; Android 13; zh-cn) AppleWebKit/537.36 MicroMessenger/8.0.50"}
    worker = visitor("worker")
    page = worker.sees("/worker/report", headers=phone)
    assert page.status_code == 200
    assert "下载" not in page.text
    assert "安装" not in page.text
    answer = worker.posts(
        "/worker/report",
        client_uuid=str(uuid4()),
        category_code=GARBAGE,
        mode="self_handled",
        frame="wgs84",
        **IN_WEST,
    )
    assert answer.status_code == 303
    town.later(days=120)
    for who in ("supervisor", "administrator"):
        assert not re.search(r"未登录|天没有登录|最后登录|活跃", visitor(who).sees("/").text)


@pytest.mark.acceptance("D3")
def test_four_things_make_a_report_and_the_form_demands_no_more(
    town: Town, visitor: Callable[[str], Visitor], program: Callable[[str], Program]
) -> None:
    worker = program("worker")
    least = {"client_uuid": str(uuid4()), "category_code": GARBAGE, "frame": "wgs84", **IN_WEST}
    answer = worker.calls("POST", "/tickets", {**least, "photos": [upload(worker, picture(61))]})
    assert answer.status_code == 201
    ticket = town.ticket(answer.json["code"])
    assert (ticket.grid_code, ticket.main_code, ticket.due_at is not None) == (WEST, SANITATION, True)
    # Photo, category, place, a sentence: four, of which the sentence only where the category wants one.
    asked = {name for name, field in ReportIn.model_fields.items() if field.is_required()}
    assert asked == {"client_uuid", "category_code", "lon", "lat", "frame"}
    page = visitor("worker").sees("/worker/report").text
    form = page[page.index('<form id="report"') : page.index("</form>", page.index('<form id="report"'))]
    demanded = {re.search(r'name="([^"]+)"', tag)[1] for tag in re.findall(r"<[^>]+ required[^>]*>", form)}  # type: ignore[index]
    assert demanded <= {"photos", "category_code", "lon", "text"}


@pytest.mark.acceptance("D19")
def test_a_photo_and_one_choice_verify(town: Town, program: Callable[[str], Program]) -> None:
    code = town.worker.reports().code
    town.later(hours=2).department.acts(
        code, "handle", solved="solved", answer="已清运", photos=(town.photo("b" * 64),)
    )
    worker = program("worker")
    given = {"photos": [upload(worker, picture(62))]}
    answer = worker.calls("POST", f"/tickets/{code}/actions/verify_pass", {"given": given})
    assert answer.status_code == 200
    assert town.ticket(code).state in ("verified", "closed")


@pytest.mark.acceptance("A2")
def test_a_reminder_goes_to_nobody_and_the_second_one_proposes_a_report(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    def reminds(**more: str) -> tuple[int, str, str]:
        answer = visitor("worker").posts(
            "/worker/report",
            client_uuid=str(uuid4()),
            category_code=GARBAGE,
            mode="remind",
            **IN_WEST,
            **more,
        )
        return answer.status_code, answer.text, answer.location or ""

    status, _, location = reminds()
    assert status == 303
    first = town.ticket(location.rsplit("/", 1)[-1])
    assert (first.state, first.main_code, first.dispatched_at) == ("reminded", None, None)
    assert first.code not in visitor("department").sees("/department/").text
    town.later(hours=20)
    status, page, _ = reminds()
    assert status == 422
    assert "建议转为“上报派单”" in page
    assert 'name="reminded_again" value="yes"' in page
    assert reminds(reminded_again="yes")[0] == 303
    town.later(hours=25)
    assert reminds()[0] == 303


def test_only_what_is_everybodys_is_compressed(
    town: Town, app: Flask, visitor: Callable[[str], Visitor]
) -> None:
    ready = {"Accept-Encoding": "gzip"}
    for path in ("/static/grid.css", "/worker/shell/report", "/sw.js"):
        answer = app.test_client().get(path, headers=ready)
        assert answer.headers.get("Content-Encoding") == "gzip", path
        assert len(answer.data) < 0.6 * len(app.test_client().get(path).data)
        assert answer.headers["Vary"]
        answer.close()
    page = visitor("worker").sees("/worker/report", headers=ready)
    assert page.headers.get("Content-Encoding") == "gzip"
    code = town.worker.reports(text="别人的话").code
    values = visitor("worker").sees("/worker/desk.json", headers=ready)
    assert (values.headers["Content-Encoding"], b"csrf" in gzip.decompress(values.data)) == ("gzip", False)
    for path in ("/worker/", f"/tickets/{code}", "/worker/report?mode=remind", "/sign-in?next=/words"):
        assert "Content-Encoding" not in visitor("worker").sees(path, headers=ready).headers, path
