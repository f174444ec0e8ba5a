"""The hotline: a call becomes a ticket once, and a call back is written down by somebody who did not handle it."""

from collections.abc import Callable
from uuid import uuid4

from tests.town import CONSULT, GARBAGE, IN_WEST, SANITATION, WEST, Town
from tests.web.conftest import Visitor
from tests.web.test_pages import hidden
from tests.web.test_resident import asked


def a_call(**more: str) -> dict[str, str]:
    return {
        "client_uuid": str(uuid4()),
        "nature": "complaint",
        "category_code": GARBAGE,
        "text": "楼下垃圾没人清",
        "chosen_grid": WEST,
        "reporter_name": "钱女士",
        "reporter_phone": "13911112222",
        "consented": "yes",
        **more,
    }


def test_a_call_is_registered_with_its_nature_and_goes_to_the_unit(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    operator = visitor("operator")
    answer = operator.posts("/hotline/register", **a_call())
    assert answer.status_code == 303
    ticket = town.ticket(answer.location.rsplit("/", 1)[-1])
    assert (ticket.source, ticket.nature, ticket.location_source) == ("hotline", "complaint", "grid")
    assert (ticket.grid_code, ticket.main_code) == (WEST, SANITATION)


def test_a_call_without_a_place_keeps_what_was_typed(town: Town, visitor: Callable[[str], Visitor]) -> None:
    answer = visitor("operator").posts("/hotline/register", **a_call(chosen_grid="", category_code=""))
    assert answer.status_code == 422
    for words in ("楼下垃圾没人清", "13911112222", "请在地图上点选位置", "请选择类别"):
        assert words in answer.text


def test_the_number_of_the_caller_is_filled_in(town: Town, visitor: Callable[[str], Visitor]) -> None:
    page = visitor("operator").sees("/hotline/register?tel=13911112222").text
    assert hidden(page, 'reporter_phone" type="tel') == "13911112222"


def test_a_point_on_the_map_goes_before_the_grid(town: Town, visitor: Callable[[str], Visitor]) -> None:
    operator = visitor("operator")
    place = {"lon": str(IN_WEST["lon"]), "lat": str(IN_WEST["lat"]), "location_source": "map"}
    answer = operator.posts("/hotline/register", **a_call(category_code=CONSULT, nature="consult", **place))
    ticket = town.ticket(answer.location.rsplit("/", 1)[-1])
    assert (ticket.reported_lon, ticket.location_source) == (IN_WEST["lon"], "map")


def test_a_call_back_is_recorded_and_the_list_gets_shorter(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    code, _ = asked(town)
    agent = visitor("agent")
    assert code in agent.sees("/hotline/callbacks").text
    page = agent.sees(f"/hotline/callbacks/{code}").text
    assert "13800009999" not in page
    answer = agent.posts(
        f"/tickets/{code}/actions/answer_satisfied",
        solved="solved",
        satisfaction="4",
        expected_version=hidden(page, "expected_version"),
        request_key=hidden(page, "request_key"),
    )
    assert answer.status_code == 303
    assert town.ticket(code).satisfaction == 4
    assert code not in agent.sees("/hotline/callbacks").text


def test_the_hotline_is_closed_to_others(town: Town, visitor: Callable[[str], Visitor]) -> None:
    for login in ("worker", "department", "supervisor"):
        assert visitor(login).sees("/hotline/register").status_code == 403
        assert visitor(login).sees("/hotline/callbacks").status_code == 403
