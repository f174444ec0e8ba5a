"""The pages of letters, plans, inspections and leads, clicked through as people do."""

import re
from collections.abc import Callable

import pytest

from dispatch.record.oversight.leads import Lead, register
from tests.record.test_oversight import overdue
from tests.town import GARBAGE, IN_WEST, LAT, LON, PATROL, SANITATION, Town
from tests.web.conftest import Program, Visitor

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
    points = re.findall(r'action="(/inspections/[0-9a-f-]{36})"', worker.sees("/inspections/").text)
    assert len(points) == 2
    assert worker.posts(points[0], result="normal").status_code == 303
    assert worker.posts(points[0], result="normal").status_code == 409
    assert worker.posts(points[1], result="").status_code == 422
    assert "2026-1" in visitor("supervisor").sees("/inspections/plans").text
    assert unit.sees("/inspections/").status_code == 403


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


def test_an_anonymous_lead_has_nobody_to_show(town: Town, visitor: Enter) -> None:
    from uuid import uuid4

    lead = Lead(client_uuid=uuid4(), category_code=GARBAGE, frame="wgs84", text="不清运", **IN_WEST)
    code = town.database.write(lambda s: register(s, lead, town.world, town.now)).code
    assert "诉求人</h2>" not in visitor("lead_officer").sees(f"/tickets/{code}").text
