"""The pages of letters, plans, inspections and leads, clicked through as people do."""

import io
import re
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from flask import Flask
from sqlmodel import select

from dispatch.record import queries
from dispatch.record.models import Reporter, Ticket, TicketPhoto
from dispatch.record.oversight.leads import Lead, register
from tests.record.test_oversight import closed, overdue
from tests.town import COMMUNITY, GARBAGE, IN_WEST, LAT, LON, PATROL, SANITATION, WEST, Town
from tests.web.conftest import Program, Visitor
from tests.web.pictures import picture

Enter = Callable[[str], Visitor]
PLAN = {
    "number": "2026-1",
    "kind": "inspection",
    "title": "消防器材",
    "approval": "年度计划",
    "organisation_code": SANITATION,
    "from_on": "2026-01-01",
    "to_on": "2026-12-31",
}
TASK = {"title": "消防器材", "category_code": GARBAGE, "executor_code": PATROL}


def test_a_letter_is_signed_answered_and_cleared(town: Town, visitor: Enter) -> None:
    code = overdue(town, "escalate_2")
    oversight, unit = visitor("supervisor"), visitor("department")
    listed = oversight.sees("/letters/").text
    path = re.search(r"/letters/[0-9a-f-]{36}", listed)
    assert path
    assert code in oversight.sees(path[0]).text
    assert unit.sees(path[0]).status_code == 404
    assert oversight.posts(f"{path[0]}/sign", demand="").status_code == 422
    assert oversight.posts(f"{path[0]}/sign", demand="限期清运").status_code == 303
    assert "督办〔2026〕1 号" in unit.sees(path[0]).text
    assert visitor("drainage").sees(path[0]).status_code == 404
    assert unit.posts(f"{path[0]}/sign", demand="x").status_code == 403
    assert unit.posts(f"{path[0]}/answer", answer="已清运").status_code == 303
    assert oversight.posts(f"{path[0]}/clear").status_code == 303
    assert "已销号" in oversight.sees("/letters/").text


def test_a_list_needs_a_plan_and_the_worker_walks_it(town: Town, visitor: Enter) -> None:
    unit, places = (
        visitor("department"),
        f"一号商户,{LON + 0.005},{LAT + 0.005}\n二号商户,{LON + 0.006},{LAT + 0.005}",
    )
    refused = unit.posts("/inspections/tasks", plan_number="2026-1", places=places, **TASK)
    assert refused.status_code == 422
    assert "不得在计划外开展" in refused.text
    assert visitor("supervisor").posts("/inspections/plans", **PLAN).status_code == 303
    assert (
        unit.posts("/inspections/tasks", plan_number="2026-1", places="一号商户", **TASK).status_code == 422
    )
    assert unit.posts("/inspections/tasks", plan_number="2026-1", places=places, **TASK).status_code == 303
    worker = visitor("worker")
    points = re.findall(
        r'action="(/worker/inspections/[0-9a-f-]{36})"', worker.sees("/worker/inspections").text
    )
    assert len(points) == 2
    assert worker.posts(points[0], result="normal").status_code == 303
    assert worker.posts(points[0], result="no_entry").status_code == 409
    assert worker.posts(points[1], result="").status_code == 422
    assert "2026-1" in visitor("supervisor").sees("/inspections/plans").text
    assert unit.sees("/worker/inspections").status_code == 403


@pytest.mark.acceptance("C1")
def test_a_lead_shows_who_reported_to_its_own_desk_only(
    town: Town, visitor: Enter, program: Callable[[str], Program]
) -> None:
    desk = visitor("lead_officer")
    key = "11111111-2222-4333-8444-555555555555"
    given = {"client_uuid": key, "category_code": GARBAGE, **IN_WEST, "text": "长期不清运"}
    made = desk.posts("/leads/", **given, name="钱某", phone="13700001111")
    assert made.status_code == 303
    code = made.location.rsplit("/", 1)[1]
    assert desk.posts(f"/tickets/{code}/actions/screen_lead").status_code == 303
    given = {"organisation": SANITATION, "demand": "七日内整改"}
    assert desk.posts(f"/tickets/{code}/actions/assign_lead", **given).status_code == 303
    assert code in desk.sees("/leads/").text
    assert "137****1111" in desk.sees(f"/tickets/{code}").text
    shown = program("department").calls("GET", f"/tickets/{code}")
    for answer in (shown.text, visitor("department").sees(f"/tickets/{code}").text):
        assert "1111" not in answer.replace(key, "")
        assert "钱" not in answer
    for other in ("operator", "supervisor", "worker", "drainage"):
        assert program(other).calls("GET", f"/tickets/{code}").status_code == 404


def test_a_leads_place_is_picked_like_any_other(town: Town, visitor: Enter) -> None:
    desk = visitor("lead_officer")
    page = desk.sees("/leads/").text
    assert ('data-areas="/map/areas"' in page, f'<option value="{WEST}">' in page) == (True, True)
    assert desk.sees("/map/areas").status_code == 200
    assert desk.client.get("/api/v1/suggest/places?q=井巷").status_code == 200
    given = {"client_uuid": str(uuid4()), "category_code": GARBAGE, "text": "长期不清运"}
    nowhere = desk.posts("/leads/", **given, lon="", lat="")
    assert nowhere.status_code == 422
    assert "请在地图上点选位置,或选择所在网格" in nowhere.text
    assert ">长期不清运</textarea>" in nowhere.text
    made = desk.posts("/leads/", **given, lon="", lat="", chosen_grid=WEST)
    assert made.status_code == 303
    with town.database.reading() as session:
        lead = session.exec(select(Ticket).where(Ticket.code == made.location.rsplit("/", 1)[1])).one()
    assert lead.grid_code == WEST


def test_an_anonymous_lead_has_nobody_to_show(town: Town, visitor: Enter) -> None:
    lead = Lead(client_uuid=uuid4(), category_code=GARBAGE, frame="wgs84", text="不清运", **IN_WEST)
    code = town.database.write(lambda s: register(s, lead, town.world, town.now)).code
    assert "诉求人</h2>" not in visitor("lead_officer").sees(f"/tickets/{code}").text


def test_a_lead_with_a_photo_and_a_phone_is_looked_up_by_number(town: Town, app: Flask) -> None:
    nobody = Visitor(app.test_client())
    given = {"client_uuid": str(uuid4()), "category_code": GARBAGE, "area": COMMUNITY, "phone": "13700004321"}
    done = nobody.posts("/leads/new", **given, text="长期不清运", photos=(io.BytesIO(picture(3)), "a.jpg"))
    code = re.search(r'class="read-out">([^<]+)<', done.text)
    assert code
    with town.database.reading() as session:
        assert len(queries.rows(session, TicketPhoto, town.lead_ticket(code[1]))) == 1
    assert nobody.posts("/follow", code=code[1], digits="9999").status_code == 422
    found = nobody.posts("/follow", code=code[1], digits="4321")
    assert (found.status_code, "/leads/progress/" in found.location) == (303, True)
    assert "1370000" not in nobody.sees(found.location).text


def test_anybody_hands_in_a_lead_without_a_name(town: Town, app: Flask, visitor: Enter) -> None:
    nobody = Visitor(app.test_client())
    page = nobody.sees("/leads/new").text
    assert "井巷社区" in page
    given = {"client_uuid": str(uuid4()), "category_code": GARBAGE, "area": COMMUNITY}
    empty = nobody.posts("/leads/new", **given, text=" ")
    assert (empty.status_code, "请填写" in empty.text) == (422, True)
    nowhere = nobody.posts("/leads/new", **{**given, "area": "nowhere"}, text="长期不清运")
    assert (nowhere.status_code, "长期不清运" in nowhere.text) == (422, True)
    done = nobody.posts("/leads/new", **given, text="长期不清运,打电话没人管")
    code = re.search(r'class="read-out">([^<]+)<', done.text)
    assert code
    link = re.search(r'href="(/leads/progress/[^"]+)"', done.text)
    assert link
    again = nobody.posts("/leads/new", **given, text="长期不清运,打电话没人管")
    assert (again.status_code, code[0] in again.text, link[0] in again.text) == (200, True, True)
    page = nobody.sees(link[1]).text
    assert code[1] in page
    assert "没人管" not in page
    assert nobody.sees(link[1].replace("/leads/progress/", "/callback/")).status_code == 404
    lead = town.lead_ticket(code[1])
    assert (lead.state, lead.reported_by, lead.community_code) == ("lead_registered", None, COMMUNITY)
    with town.database.reading() as session:
        assert queries.rows(session, Reporter, lead) == []
    assert visitor("supervisor").sees(f"/tickets/{code[1]}").status_code == 404


@pytest.mark.acceptance("C2")
def test_re_checks_are_drawn_on_the_page_under_a_plan_and_looked_at_there(town: Town, visitor: Enter) -> None:
    code = closed(town)
    oversight = visitor("supervisor")
    draw = {"plan_number": "2026-7", "percent": "100", "closed_since": "2026-02-01", "seed": "三月"}
    refused = oversight.posts("/rechecks/", **draw)
    assert (refused.status_code, "不得在计划外" in refused.text, "三月" in refused.text) == (422, True, True)
    plan = {**PLAN, "number": "2026-7", "kind": "recheck"}
    assert oversight.posts("/inspections/plans", **plan).status_code == 303
    assert oversight.posts("/rechecks/", **draw).status_code == 303
    assert code in oversight.sees("/rechecks/").text
    for other in ("worker", "department", "dispatcher"):
        assert visitor(other).sees("/rechecks/").status_code == 403
        assert "抽查" not in visitor(other).sees(f"/tickets/{code}").text
    town.photo("d" * 64)
    given = {"plan": "2026-7", "note": "现场还在", "kept_photos": "d" * 64}
    path = f"/tickets/{code}/actions/recheck_fail"
    wrong = oversight.posts(path, **{**given, "plan": "2026-8"})
    assert (wrong.status_code, "没有这个计划号" in wrong.text) == (422, True)
    assert oversight.posts(path, **given).status_code == 303
    assert (town.ticket(code).state, town.ticket(code).false_completion) == ("rework", True)
    assert code not in oversight.sees("/rechecks/").text


def test_a_deadline_is_explained_day_by_day_on_the_page(town: Town, visitor: Enter) -> None:
    town.now = datetime(2026, 2, 13, 2, 0, tzinfo=UTC)
    code = town.worker.reports().code
    for reader in ("worker", "department"):
        page = visitor(reader).sees(f"/tickets/{code}").text
        assert "2 月 14 日周六调休上班,计入" in page
        assert "2 月 15 日周日休息" in page
    town.department.acts(code, "start")
    town.department.acts(code, "ask_more", reason="请补充")
    assert "起暂停" in visitor("department").sees(f"/tickets/{code}").text
