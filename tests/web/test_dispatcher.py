"""The command centre sees everything at once, and nothing without a unit is out of sight."""

import time
from collections.abc import Callable

import pytest

from tests.town import GARBAGE, OUTSIDE, SANITATION, STREET_OFFICE, Town
from tests.web.conftest import Visitor
from tests.web.test_pages import a_form, hidden


def test_a_report_stands_in_the_stream_as_soon_as_it_is_answered(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    dispatcher, worker = visitor("dispatcher"), visitor("worker")
    began = time.monotonic()
    code = worker.posts("/worker/report", **a_form()).location.rsplit("/", 1)[-1]
    fragment = dispatcher.sees("/dispatch/", headers={"HX-Request": "true"}).text
    assert code in fragment
    assert "<html" not in fragment
    assert time.monotonic() - began < 5


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
    page = dispatcher.sees(f"/tickets/{code}").text
    for words in ("第 1 次派单异议", "属地不符", "属于小区内部道路", "采纳异议并改派", "驳回异议并指定承办"):
        assert words in page


@pytest.mark.parametrize("login", ["worker", "department", "supervisor"])
def test_the_command_centre_is_closed_to_others(
    town: Town, visitor: Callable[[str], Visitor], login: str
) -> None:
    assert visitor(login).sees("/dispatch/").status_code == 403
    assert visitor(login).sees("/dispatch/queues/objection").status_code == 403
