"""The pages as people use them, without JavaScript: what was typed is kept, what is foreign does not exist."""

import html
import io
import re
from collections.abc import Callable
from uuid import uuid4

import pytest
from flask import Flask
from sqlmodel import col, select
from uuid6 import uuid7

from dispatch.record.models import DisclosureLog, Source, Ticket
from grid.models import Account, Post
from tests.town import (
    COVER,
    EAST,
    GARBAGE,
    IN_EAST,
    IN_WEST,
    PATROL,
    SANITATION,
    STREET_OFFICE,
    Town,
)
from tests.web.conftest import Visitor
from tests.web.pictures import picture

CANARY = "13800009999"


def a_form(**more: object) -> dict[str, object]:
    return {
        "client_uuid": str(uuid4()),
        "category_code": GARBAGE,
        "lon": IN_WEST["lon"],
        "lat": IN_WEST["lat"],
        "accuracy_m": "8.5",
        "mode": "report",
        "text": "门口堆了垃圾",
        "photos": (io.BytesIO(picture(3)), "IMG.jpg"),
        **more,
    }


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found[1]


def test_a_report_from_the_phone_ends_on_where_it_went_and_why(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    worker = visitor("worker")
    answer = worker.posts("/worker/report", **a_form())
    assert answer.status_code == 303
    page = worker.sees(answer.location).text
    for words in ("已送达", "井巷第一网格", "区环卫局", " 前办结"):
        assert words in page
    queue = visitor("department").sees("/department/").text
    assert answer.location.rsplit("/", 1)[-1] in queue


def test_sending_the_same_form_twice_is_one_ticket(town: Town, visitor: Callable[[str], Visitor]) -> None:
    worker, uuid = visitor("worker"), str(uuid4())
    first, second = (worker.posts("/worker/report", **a_form(client_uuid=uuid)) for _ in range(2))
    assert (first.status_code, first.location) == (303, second.location)


def test_a_refused_report_keeps_what_was_given(town: Town, visitor: Callable[[str], Visitor]) -> None:
    worker = visitor("worker")
    answer = worker.posts("/worker/report", **a_form(category_code="", reporter_phone="not a phone"))
    assert answer.status_code == 422
    assert "请选择类别" in answer.text
    assert 'value="门口堆了垃圾"' in answer.text
    kept, uuid = hidden(answer.text, "kept_photos"), hidden(answer.text, "client_uuid")
    again = a_form(client_uuid=uuid, kept_photos=kept)
    del again["photos"]
    assert worker.posts("/worker/report", **again).status_code == 303


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lon": "", "lat": ""}, "没有取到手机定位"),
        ({"lon": "100.0"}, "不在本市范围内"),
        ({"photos": b"<svg>"}, "不是能识别的照片"),
        ({"category_code": COVER, "mode": "remind"}, "紧急类"),
        ({"reporter_phone": "abc"}, "格式不对"),
    ],
)
def test_each_wrong_thing_is_said_in_words(
    town: Town, visitor: Callable[[str], Visitor], change: dict[str, object], words: str
) -> None:
    sent = {name: (io.BytesIO(v), "a.svg") if isinstance(v, bytes) else v for name, v in change.items()}
    answer = visitor("worker").posts("/worker/report", **a_form(**sent))
    assert (answer.status_code, words in answer.text) == (422, True)
    assert "门口堆了垃圾" in answer.text


def test_without_a_position_the_chosen_grid_is_the_place(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    worker = visitor("worker")
    answer = worker.posts(
        "/worker/report", **a_form(lon="", lat="", accuracy_m="", chosen_grid="990101001001001")
    )
    assert answer.status_code == 303
    assert "井巷第一网格" in worker.sees(answer.location).text


def test_an_action_that_is_refused_keeps_what_was_typed(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    code = town.worker.reports().code
    department = visitor("department")
    page = department.sees(f"/tickets/{code}").text
    answer = department.posts(
        f"/tickets/{code}/actions/handle",
        expected_version=hidden(page, "expected_version"),
        request_key=hidden(page, "request_key"),
        solved="solved",
        answer="已安排清运并冲洗",
    )
    assert answer.status_code == 422
    assert "已安排清运并冲洗" in answer.text
    assert "请拍一张照片" in answer.text
    assert town.ticket(code).state == "dispatched"


def test_a_stale_page_shows_what_changed_and_keeps_what_was_typed(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    code = town.worker.reports().code
    department = visitor("department")
    page = department.sees(f"/tickets/{code}").text
    town.later(minutes=5).department.acts(code, "start", note="已派车")
    answer = department.posts(
        f"/tickets/{code}/actions/object",
        expected_version=hidden(page, "expected_version"),
        request_key=hidden(page, "request_key"),
        seen_at=hidden(page, "seen_at"),
        reason_code="territory",
        organisation=STREET_OFFICE,
        basis="属于小区内部道路",
    )
    assert answer.status_code == 409
    assert "工单有了变化" in answer.text
    assert "开始办理" in answer.text
    assert "属于小区内部道路" in answer.text
    assert town.ticket(code).state == "in_progress"


def test_a_foreign_ticket_does_not_exist_on_any_route(
    town: Town, app: Flask, visitor: Callable[[str], Visitor]
) -> None:
    code = town.worker.reports().code
    sha256 = town.photo()
    adapter = app.url_map.bind("localhost")
    tried = 0
    for login in ("neighbour", "drainage"):
        stranger = visitor(login)
        for rule in app.url_map.iter_rules():
            if "code" not in rule.arguments:
                continue
            values = {"code": code, "sha256": sha256, "action": "start", "macro_id": uuid4()}
            path = adapter.build(rule.endpoint, {name: values[name] for name in rule.arguments})
            method = "GET" if "GET" in (rule.methods or set()) else "POST"
            headers = {"X-CSRFToken": stranger.form_token}
            body = {"json": {}} if path.startswith("/api/") and method == "POST" else {}
            answer = stranger.client.open(path, method=method, headers=headers, **body)
            assert answer.status_code in (403, 404), (login, path)
            assert code not in answer.text or answer.status_code == 404
            tried += answer.status_code == 404
    assert tried >= 10


def test_a_reporter_is_masked_until_a_reason_is_logged(town: Town, visitor: Callable[[str], Visitor]) -> None:
    code = town.worker.reports(
        source=Source.ON_BEHALF,
        reporter_name="赵大爷",
        reporter_phone=CANARY,
        consented=True,
        notice_version="1",
        text=f"我的电话 {CANARY} 身份证 110101199003077715",
    ).code
    for login in ("worker", "department", "dispatcher", "supervisor", "agent"):
        page = visitor(login).sees(f"/tickets/{code}").text
        assert CANARY not in page, login
        assert "赵大爷" not in page, login
        assert "110101199003077715" not in page, login
    department = visitor("department")
    assert department.posts(f"/tickets/{code}/reporter", reason=" ").status_code == 422
    shown = department.posts(f"/tickets/{code}/reporter", reason="联系核实地点")
    assert CANARY in shown.text
    assert visitor("supervisor").posts(f"/tickets/{code}/reporter", reason="看看").status_code == 403
    with town.database.reading() as session:
        log = session.exec(select(DisclosureLog)).all()
    assert [entry.reason for entry in log] == ["联系核实地点"]


@pytest.mark.acceptance("A9")
def test_on_behalf_of_a_resident_is_called_back_and_two_grids_are_one_list(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    with town.database.writing() as session:
        worker_account = session.exec(select(Account).where(col(Account.login) == "worker")).one()
        session.add(
            Post(
                id=uuid7(),
                account_id=worker_account.id,
                role="grid_worker",
                organisation_code=PATROL,
                area_code=EAST,
            )
        )
    worker = visitor("worker")
    answer = worker.posts(
        "/worker/report",
        **a_form(reporter_name="赵大爷", reporter_phone=CANARY, consented="yes"),
    )
    code = answer.location.rsplit("/", 1)[-1]
    other = town.neighbour.reports(GARBAGE, at=IN_EAST).code
    home = worker.sees("/worker/").text
    assert code in home
    assert other in home
    town.later(hours=1).department.acts(
        code, "handle", solved="solved", answer="已清运", photos=(town.photo("b" * 64),)
    )
    verify = worker.sees(f"/worker/verify/{code}")
    assert verify.status_code == 200
    done = worker.posts(
        f"/tickets/{code}/actions/verify_pass",
        photos=(io.BytesIO(picture(5)), "v.jpg"),
        expected_version=hidden(verify.text, "expected_version"),
        request_key=str(uuid4()),
    )
    assert done.status_code == 303
    ticket = town.ticket(code)
    assert (ticket.state, ticket.callback_round) == ("verified", 1)
    with town.database.reading() as session:
        waiting = session.exec(select(Ticket).where(col(Ticket.state) == "verified")).all()
    assert [one.code for one in waiting] == [code]


def test_the_map_draws_the_grids_of_the_street_and_marks_ones_own(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    answer = visitor("worker").sees(f"/map/areas?lon={IN_EAST['lon']}&lat={IN_EAST['lat']}").json
    own = {feature["properties"]["code"]: feature["properties"]["own"] for feature in answer["features"]}
    assert own == {"990101001001001": True, "990101001001002": False}
    far_away = visitor("worker").sees("/map/areas?lon=5&lat=5").json
    assert far_away == visitor("worker").sees("/map/areas").json


@pytest.mark.parametrize(
    "payload", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7*7 }}"]
)
def test_what_people_write_is_shown_as_they_wrote_it(
    town: Town, visitor: Callable[[str], Visitor], payload: str
) -> None:
    code = town.worker.reports(
        source=Source.ON_BEHALF,
        reporter_name=payload,
        reporter_phone=CANARY,
        consented=True,
        notice_version="1",
        text=payload,
    ).code
    department = visitor("department")
    page = department.sees(f"/tickets/{code}")
    refused = department.posts(f"/tickets/{code}/actions/handle", solved="solved", answer=payload)
    assert refused.status_code == 422
    for answer in (page, refused, visitor("dispatcher").sees("/dispatch/")):
        assert "<script>alert" not in answer.text
        assert "<img src=x" not in answer.text
        assert "49" not in re.findall(r"<p class=\"lead\">(.*?)</p>", answer.text)
    assert html.escape(payload) in refused.text.replace("&#34;", "&quot;")


def test_a_leader_comes_to_the_answers_that_wait_for_approval(
    visitor: Callable[[str], Visitor], town: Town
) -> None:
    town.approves(SANITATION)
    code = town.worker.reports().code
    town.department.acts(code, "start")
    town.department.acts(code, "draft_answer", solved="solved", answer="已清运", photos=(town.photo(),))
    chief = visitor("chief")

    assert chief.sees("/").headers["Location"] == "/department/"
    assert code in chief.sees("/department/?tab=approval").text
    page = chief.sees(f"/tickets/{code}").text
    assert "办理后照片 1" in page
    assert "已清运" in page


def test_an_answer_that_a_leader_approved_is_what_everybody_sees_and_no_draft_before(
    visitor: Callable[[str], Visitor], town: Town
) -> None:
    town.approves(SANITATION)
    code = town.worker.reports().code
    draft, worker = {"solved": "solved", "photos": (town.photo(),)}, visitor("worker")
    town.department.acts(code, "draft_answer", answer="先这样答", **draft)
    assert "先这样答" not in worker.sees(f"/tickets/{code}").text
    town.chief.acts(code, "return_answer", lacks="elements", note="写清数量")
    assert "先这样答" not in worker.sees(f"/tickets/{code}").text
    town.department.acts(code, "draft_answer", answer="已清运三车", **draft)
    town.chief.acts(code, "approve_answer")

    to_verify = worker.sees(f"/worker/verify/{code}").text

    assert "已清运三车" in to_verify
    assert "没有照片" not in to_verify
    assert "先这样答" not in worker.sees(f"/tickets/{code}").text
