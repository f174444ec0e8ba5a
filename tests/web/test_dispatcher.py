"""The command centre sees everything at once, and nothing without a unit is out of sight."""

import re
from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import pytest

from dispatch.record.models import Source
from grid.permissions import Tenure
from tests.town import (
    COMMUNITY_OFFICE,
    DRAINAGE,
    GARBAGE,
    IN_EAST,
    IN_WEST,
    OUTSIDE,
    PARKING,
    POLICE,
    SANITATION,
    STREET_OFFICE,
    Person,
    Town,
)
from tests.web.conftest import Visitor
from tests.web.test_pages import a_form, hidden


def test_a_report_stands_in_the_stream_as_soon_as_it_is_answered(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    dispatcher, worker = visitor("dispatcher"), visitor("worker")
    assert 'hx-trigger="every 3s"' in dispatcher.sees("/dispatch/").text
    code = worker.posts("/worker/report", **a_form()).location.rsplit("/", 1)[-1]
    fragment = dispatcher.sees("/dispatch/", headers={"HX-Request": "true"}).text
    assert code in fragment
    assert "<html" not in fragment


def test_what_has_no_unit_waits_in_a_named_queue_until_placed_and_dispatched(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    code = town.worker.reports(GARBAGE, at=OUTSIDE).code
    dispatcher = visitor("dispatcher")
    assert code in dispatcher.sees("/dispatch/queues/out_of_area").text
    page = dispatcher.sees(f"/tickets/{code}").text
    assert '<option value="990101001001002">' in page
    answer = dispatcher.posts(
        f"/tickets/{code}/actions/place",
        area="990101001001002",
        reason="照片上的门牌属于第二网格",
        expected_version=hidden(page, "expected_version"),
        request_key=hidden(page, "request_key"),
    )
    assert answer.status_code == 303
    assert code not in dispatcher.sees("/dispatch/queues/out_of_area").text
    assert town.ticket(code).main_code == SANITATION


def test_an_objection_shows_both_sides_in_its_queue(town: Town, visitor: Callable[[str], Visitor]) -> None:
    code = town.worker.reports().code
    town.department.acts(
        code, "object", reason_code="territory", organisation=STREET_OFFICE, basis="属于小区内部道路"
    )
    dispatcher = visitor("dispatcher")
    queue = dispatcher.sees("/dispatch/queues/objection").text
    assert "区环卫局 → 建议 东门街道办事处" in " ".join(queue.split())
    assert f'href="/dispatch/rulings/{code}"' in queue
    page = dispatcher.sees(f"/dispatch/rulings/{code}").text
    for words in (
        "区环卫局",
        "属地不符",
        "属于小区内部道路",
        "r-city",
        "井巷第一网格”内",
        "采纳异议并改派",
        "驳回异议并指定承办",
    ):
        assert words in page
    assert f'value="{STREET_OFFICE}" selected' in page


def test_after_a_ruling_the_next_one_comes_by_itself(town: Town, visitor: Callable[[str], Visitor]) -> None:
    codes = [town.worker.reports(at=place).code for place in (IN_WEST, IN_EAST)]
    for code in codes:
        town.department.acts(
            code, "object", reason_code="function", organisation=STREET_OFFICE, basis="三定方案第二条"
        )
    dispatcher = visitor("dispatcher")
    seen = []
    for _ in codes:
        address = dispatcher.sees("/dispatch/queues/objection/next").location
        page = dispatcher.sees(address).text
        seen.append(address.rsplit("/", 1)[-1])
        answer = dispatcher.posts(
            f"/tickets/{seen[-1]}/actions/refuse_objection",
            reason="按区域职责表由环卫局承办",
            expected_version=hidden(page, "expected_version"),
            request_key=hidden(page, "request_key"),
            then=hidden(page, "then"),
        )
        assert answer.location == "/dispatch/queues/objection/next"
    assert sorted(seen) == sorted(codes)
    assert dispatcher.sees("/dispatch/queues/objection/next").location == "/dispatch/queues/objection"
    assert dispatcher.sees(f"/dispatch/rulings/{codes[0]}").location == f"/tickets/{codes[0]}"


def test_a_page_to_go_on_with_lies_within_the_service(town: Town, visitor: Callable[[str], Visitor]) -> None:
    code = town.worker.reports(at=OUTSIDE).code
    answer = visitor("dispatcher").posts(
        f"/tickets/{code}/actions/place",
        area="990101001001002",
        request_key=str(uuid4()),
        then="https://evil.example/",
    )
    assert answer.location == f"/tickets/{code}"


def test_a_final_ruling_may_name_the_unit_that_objects(town: Town, visitor: Callable[[str], Visitor]) -> None:
    code = town.worker.reports().code
    suggested = {"organisation": STREET_OFFICE, "reason_code": "territory", "basis": "界线以外"}
    town.department.acts(code, "object", **suggested)
    town.dispatcher.acts(code, "uphold_objection", organisation=DRAINAGE)
    town.drainage.acts(code, "object_again", **suggested)
    page = visitor("dispatcher").sees(f"/dispatch/rulings/{code}").text
    choices = re.findall(r'<option value="([^"]+)"', page)
    assert choices[:2] == [STREET_OFFICE, DRAINAGE]
    assert "会商裁定是最终的" in page


def test_what_the_negative_list_forbids_is_said_beside_the_suggestion(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    code = town.worker.reports(PARKING).code
    tenure = Tenure("clerk", POLICE, None)
    clerk = replace(town.department.actor, tenures=(tenure,), under=frozenset({POLICE}))
    Person(town, clerk).acts(
        code, "object", reason_code="function", organisation=COMMUNITY_OFFICE, basis="社区可以劝离"
    )
    page = visitor("dispatcher").sees(f"/dispatch/rulings/{code}").text
    assert "不得将社区作为城市管理事务的责任主体" in page
    chosen = re.search(r'<option value="([^"]+)" selected', page)
    assert chosen is None


def test_an_unchanged_list_is_not_sent_again(town: Town, visitor: Callable[[str], Visitor]) -> None:
    town.worker.reports()
    dispatcher, asks = visitor("dispatcher"), {"HX-Request": "true"}
    held = dispatcher.sees("/dispatch/", headers=asks).headers["ETag"]
    again = dispatcher.sees("/dispatch/", headers={**asks, "If-None-Match": held})
    assert (again.status_code, again.text) == (304, "")
    town.worker.reports(at=IN_EAST)
    assert dispatcher.sees("/dispatch/", headers={**asks, "If-None-Match": held}).status_code == 200


def test_the_stream_can_be_narrowed_to_one_source(town: Town, visitor: Callable[[str], Visitor]) -> None:
    patrol = town.worker.reports().code
    call = town.operator.reports(source=Source.HOTLINE, photos=(), at=IN_EAST).code
    page = visitor("dispatcher").sees("/dispatch/?source=hotline").text
    assert call in page
    assert patrol not in page


def test_a_queue_that_does_not_exist_is_said_to_be_none(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    assert visitor("dispatcher").sees("/dispatch/queues/nonsense").status_code == 404


@pytest.mark.parametrize("login", ["worker", "department", "supervisor"])
def test_the_command_centre_is_closed_to_others(
    town: Town, visitor: Callable[[str], Visitor], login: str
) -> None:
    assert visitor(login).sees("/dispatch/").status_code == 403
    assert visitor(login).sees("/dispatch/queues/objection").status_code == 403
    assert visitor(login).sees("/dispatch/rulings/2EP-AAAAA-A").status_code == 403
