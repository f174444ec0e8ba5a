"""The JSON API: the same writer as the pages, idempotent, strict, and closed to the wrong duty class."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from sqlmodel import col, update

from dispatch.record.models import Ticket
from tests.town import GARBAGE, IN_WEST, OUTSIDE, Town
from tests.web.conftest import Program


def a_report(town: Town, **more: Any) -> dict[str, Any]:
    return {
        "client_uuid": str(uuid4()),
        "category_code": GARBAGE,
        "frame": "wgs84",
        "photos": [town.photo()],
        **IN_WEST,
        **more,
    }


def test_the_same_report_is_answered_alike_and_another_content_is_refused(
    town: Town, program: Callable[[str], Program]
) -> None:
    worker = program("worker")
    body = a_report(town, text="门口堆了垃圾")
    first, again = worker.calls("POST", "/tickets", body), worker.calls("POST", "/tickets", body)
    assert (first.status_code, first.json) == (201, again.json)
    assert again.status_code == 201
    other = worker.calls("POST", "/tickets", {**body, "text": "别的内容"})
    assert (other.status_code, "client_uuid" in other.json["errors"]) == (422, True)
    assert len(worker.calls("GET", "/tickets").json["tickets"]) == 1


@pytest.mark.acceptance("A1")
def test_who_patrols_does_not_handle_and_who_handles_does_not_verify(
    town: Town, program: Callable[[str], Program]
) -> None:
    worker, department = program("worker"), program("department")
    code = worker.calls("POST", "/tickets", a_report(town)).json["code"]
    given = {"solved": "solved", "answer": "已清运", "photos": [town.photo("b" * 64)]}
    assert worker.calls("POST", f"/tickets/{code}/actions/handle", {"given": given}).status_code == 403
    assert department.calls("POST", f"/tickets/{code}/actions/handle", {"given": given}).status_code == 200
    verify = {"given": {"photos": [town.photo("c" * 64)]}}
    assert department.calls("POST", f"/tickets/{code}/actions/verify_pass", verify).status_code == 403
    assert department.calls("POST", "/tickets", a_report(town)).status_code == 403
    assert worker.calls("POST", f"/tickets/{code}/actions/verify_pass", verify).status_code == 200


def test_a_ticket_says_where_why_and_what_can_be_done(town: Town, program: Callable[[str], Program]) -> None:
    code = (
        program("worker").calls("POST", "/tickets", a_report(town, text="电话 13800009999 找我")).json["code"]
    )
    ticket = program("department").calls("GET", f"/tickets/{code}").json
    assert (ticket["grid_code"], ticket["state"]) == ("990101001001001", "dispatched")
    assert "环卫" in ticket["routing_reason"]
    assert ticket["text"] == "电话 138****9999 找我"
    assert {clock["kind"] for clock in ticket["clocks"]} == {"total", "handle", "stage"}
    handle = next(possible for possible in ticket["possible"] if possible["action"] == "handle")
    assert {field["name"] for field in handle["given"] if field["required"]} == {"solved", "answer", "photos"}
    lines = program("worker").calls("GET", f"/tickets/{code}/history").json["lines"]
    assert [line["action"] for line in lines] == ["submit", "accept", "dispatch"]


def test_overdue_is_what_the_pages_call_so(town: Town, program: Callable[[str], Program]) -> None:
    """A limit that ran out marks the ticket for good; overdue it is only while its nearest limit has run out."""
    late, moved = (town.worker.reports(GARBAGE).code for _ in range(2))
    with town.database.writing() as session:
        session.exec(update(Ticket).where(col(Ticket.code) == late).values(due_at=town.now))
        session.exec(update(Ticket).where(col(Ticket.code) == moved).values(overdue=True))
    town.later(minutes=1)
    department = program("department")
    listed = {one["code"]: one["overdue"] for one in department.calls("GET", "/tickets").json["tickets"]}
    assert listed == {late: True, moved: False}
    for asked, code in (("true", late), ("false", moved)):
        found = department.calls("GET", f"/tickets?overdue={asked}").json["tickets"]
        assert [one["code"] for one in found] == [code]


def test_what_is_out_of_reach_does_not_exist(town: Town, program: Callable[[str], Program]) -> None:
    code = program("worker").calls("POST", "/tickets", a_report(town)).json["code"]
    for stranger in ("drainage", "neighbour"):
        one = program(stranger)
        assert one.calls("GET", f"/tickets/{code}").status_code == 404
        assert one.calls("GET", f"/tickets/{code}/history").status_code == 404
        assert one.calls("POST", f"/tickets/{code}/actions/handle", {"given": {}}).status_code in (404, 422)
        assert one.calls("GET", "/tickets").json["tickets"] == []


def test_a_stale_version_is_a_conflict(town: Town, program: Callable[[str], Program]) -> None:
    code = program("worker").calls("POST", "/tickets", a_report(town)).json["code"]
    department = program("department")
    version = department.calls("GET", f"/tickets/{code}").json["version"]
    assert department.calls("POST", f"/tickets/{code}/actions/start", {}).status_code == 200
    body = {
        "given": {"solved": "solved", "answer": "已清运", "photos": [town.photo()]},
        "expected_version": version,
    }
    stale = department.calls("POST", f"/tickets/{code}/actions/handle", body)
    assert (stale.status_code, stale.json["title"]) == (409, "内容已变化")


def test_a_repeated_request_is_answered_again_and_another_under_its_key_refused(
    town: Town, program: Callable[[str], Program]
) -> None:
    code = program("worker").calls("POST", "/tickets", a_report(town)).json["code"]
    department, start = program("department"), f"/tickets/{code}/actions/start"
    body = {"given": {"note": "今天去"}, "request_key": str(uuid4())}
    first = department.calls("POST", start, body)
    given = {"solved": "solved", "answer": "已清运", "photos": [town.photo()]}
    assert department.calls("POST", f"/tickets/{code}/actions/handle", {"given": given}).status_code == 200
    again = department.calls("POST", start, body)
    assert (again.status_code, again.data) == (first.status_code, first.data) == (200, first.data)
    other = department.calls("POST", start, {**body, "given": {"note": "明天去"}})
    assert other.status_code == 422
    assert "request_key" in other.json["errors"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"category_code": "nonsense"}, "category_code"),
        ({"photos": []}, "photos"),
        ({"photos": ["f" * 64]}, "photos"),
        ({"frame": "mars"}, "frame"),
        ({"lon": 181}, "lon"),
        ({"version": 7}, "version"),
        ({"state": "closed"}, "state"),
        ({"client_uuid": "7"}, "client_uuid"),
        ({"captured_at": "2026-03-02T10:00:00"}, "captured_at"),
        ({"text": "长" * 2001}, "text"),
        ({**OUTSIDE, "lon": 100.0}, "location"),
    ],
)
def test_each_wrong_field_is_named_and_nothing_is_written(
    town: Town, program: Callable[[str], Program], change: dict[str, Any], field: str
) -> None:
    worker = program("worker")
    answer = worker.calls("POST", "/tickets", a_report(town, **change))
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    assert field in answer.json["errors"]
    assert worker.calls("GET", "/tickets").json["tickets"] == []


def test_pages_follow_each_other_without_gap_or_double(town: Town, program: Callable[[str], Program]) -> None:
    worker = program("worker")
    codes = {town.later(minutes=1).worker.reports().code for _ in range(5)}
    seen: list[str] = []
    after = ""
    while True:
        page = worker.calls("GET", f"/tickets?size=2&after={after}").json
        seen += [ticket["code"] for ticket in page["tickets"]]
        if not page["next"]:
            break
        after = page["next"]
    assert sorted(seen) == sorted(codes)
