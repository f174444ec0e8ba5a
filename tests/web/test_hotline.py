"""The hotline: a call becomes a ticket once, and a call back is written down by somebody who did not handle it."""

import re
from collections.abc import Callable
from uuid import uuid4

from sqlmodel import select
from werkzeug.test import TestResponse

from dispatch.record.intake import Mode
from dispatch.record.models import CallbackAnswer, DisclosureLog, Source
from grid.auditing import record_change
from grid.models import Responsibility
from tests.town import (
    CONSULT,
    COVER,
    DRAINAGE,
    GARBAGE,
    IN_WEST,
    MONDAY,
    OUTSIDE,
    POLICE,
    SANITATION,
    SECTION,
    WEST,
    Town,
)
from tests.walking import calls, fires
from tests.web.conftest import Visitor
from tests.web.reporters.test_resident import asked
from tests.web.test_pages import hidden


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


def test_what_the_caller_is_told_follows_from_the_ticket(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    operator = visitor("operator")
    answer = operator.posts("/hotline/register", **a_call())
    page = operator.sees(answer.location).text
    code = answer.location.rsplit("/", 1)[-1]
    for words in (code, "已转区环卫局", "办理时限", "3月2"):
        assert words in page
    nowhere = operator.posts("/hotline/register", **a_call(chosen_grid="", **outside()))
    assert "正在确定承办单位" in operator.sees(nowhere.location).text


def outside() -> dict[str, str]:
    return {"lon": str(OUTSIDE["lon"]), "lat": str(OUTSIDE["lat"]), "location_source": "map"}


def test_what_a_caller_reported_before_is_shown_and_what_others_did_is_not(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    operator = visitor("operator")
    codes = [
        operator.posts("/hotline/register", **a_call(reporter_phone=phone)).location.rsplit("/", 1)[-1]
        for phone in ("139 1111 2222", "13855556666")
    ]
    found = operator.posts("/hotline/earlier", reporter_phone="13911112222").text
    assert codes[0] in found
    assert codes[1] not in found
    assert operator.posts("/hotline/earlier", reporter_phone="").text.strip() == ""
    assert visitor("worker").posts("/hotline/earlier", reporter_phone="13911112222").status_code == 403


def test_what_is_known_of_a_caller_is_filled_in_written_down_and_nobody_is_asked_twice(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    operator = visitor("operator")
    code = operator.posts("/hotline/register", **a_call()).location.rsplit("/", 1)[-1]
    operator.posts("/hotline/register", **a_call(reporter_phone="13855556666", confidential="yes"))
    found = operator.posts("/hotline/earlier", reporter_phone="139 1111 2222").text
    assert 'data-known-name="钱女士"' in found
    assert 'data-same-place="井巷第一网格"' in found
    with town.database.reading() as session:
        (entry,) = session.exec(select(DisclosureLog))
    assert (entry.ticket_id, entry.reason) == (town.ticket(code).id, "来电登记时带出称呼")
    for more in (
        {"reporter_phone": "13911112222", "reporter_name": "李先生"},
        {"reporter_phone": "13855556666"},
        {"reporter_phone": "13900000000"},
    ):
        assert "data-known-name" not in operator.posts("/hotline/earlier", **more).text
    with town.database.reading() as session:
        assert len(session.exec(select(DisclosureLog)).all()) == 1


def test_of_a_confidential_call_the_unit_sees_no_reporter(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    answer = visitor("operator").posts("/hotline/register", **a_call(confidential="yes"))
    code = answer.location.rsplit("/", 1)[-1]
    unit = visitor("department")
    assert "钱*" not in unit.sees(f"/tickets/{code}").text
    assert unit.posts(f"/tickets/{code}/reporter", reason="联系核实").status_code == 403
    agent = visitor("agent").posts(f"/tickets/{code}/reporter", reason="代为联系")
    assert "13911112222" in agent.text


def test_a_complaint_goes_up_where_it_is_about_the_unit_that_would_handle_it_and_only_then(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    operator, dispatcher = visitor("operator"), visitor("dispatcher")

    def registers(**more: str) -> str:
        answer = operator.posts("/hotline/register", **a_call(confidential="yes", **more))
        assert answer.status_code == 303, answer.text
        return answer.location.rsplit("/", 1)[-1]

    of_another, of_it = registers(accused=DRAINAGE), registers(accused=SANITATION)
    assert town.ticket(of_another).main_code == SANITATION, "confidential alone goes to nobody else"
    assert (town.ticket(of_it).state, town.ticket(of_it).queue) == ("filed", "unrouted")
    page = dispatcher.sees(f"/tickets/{of_it}").text
    assert "被诉对象就是“区环卫局”,不交其自办" in page
    for unit in (SANITATION, SECTION):
        refused = dispatcher.posts(f"/tickets/{of_it}/actions/dispatch", organisation=unit)
        assert (refused.status_code, "不能交其自办" in refused.text) == (422, True)
    town.dispatcher.acts(of_it, "dispatch", organisation=POLICE)
    assert visitor("department").sees(f"/tickets/{of_it}").status_code == 404
    with town.database.writing() as session:
        session.add(Responsibility(ruleset_version=1, id="r-own", category_code=COVER, main=SECTION))
        session.delete(session.get_one(Responsibility, (1, "r-cover")))
        record_change(session, None, "responsibility", "r-own", "change", now=town.now)
    with town.database.reading() as session:
        town.world.refresh(session, at_once=True)
    more = {"source": Source.HOTLINE, "photos": (), "accused": SECTION}
    assert town.ticket(town.operator.reports(COVER, **more).code).main_code == SANITATION
    answer = operator.posts("/hotline/register", **a_call(accused="nobody"))
    assert (answer.status_code, "没有这个单位" in answer.text) == (422, True)


def calls_back(agent: Visitor, code: str, **said: str) -> TestResponse:
    page = agent.sees(f"/hotline/callbacks/{code}").text
    own = {name: hidden(page, name) for name in ("expected_version", "request_key")}
    return agent.posts(f"/hotline/callbacks/{code}", **own, **said)


def test_an_answer_is_recorded_and_the_next_call_comes_by_itself(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    first, second = sorted((asked(town)[0], asked(town)[0]))
    agent = visitor("agent")
    assert agent.sees("/hotline/callbacks/next").location == "/hotline/callbacks", "not before the next day"
    assert "以后再问" in agent.sees("/hotline/callbacks").text
    town.later(days=1)
    agent = visitor("agent")
    assert agent.sees("/hotline/callbacks/next").location == f"/hotline/callbacks/{first}"
    assert "13800009999" not in agent.sees(f"/hotline/callbacks/{first}").text
    answer = calls_back(agent, first, solved="partly", satisfaction="4", words="比以前快")
    assert answer.location == "/hotline/callbacks/next"
    assert agent.sees(answer.location).location == f"/hotline/callbacks/{second}"
    ticket = town.ticket(first)
    assert (ticket.state, ticket.solved, ticket.satisfaction) == ("closed", "partly", 4)
    calls_back(agent, second, solved="solved", satisfaction="2")
    assert town.ticket(second).state == "reviewing"
    assert agent.sees("/hotline/callbacks/next").location == "/hotline/callbacks"


def test_whoever_will_not_say_is_not_called_again_and_never_counts_as_satisfied(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    code, _ = asked(town)
    town.later(days=1)
    agent = visitor("agent")
    page = agent.sees(f"/hotline/callbacks/{code}").text
    answer = agent.posts(
        f"/tickets/{code}/actions/decline_callback",
        expected_version=hidden(page, "expected_version"),
        then="/hotline/callbacks/next",
    )
    assert agent.sees(answer.location).location == "/hotline/callbacks"
    assert (town.ticket(code).state, town.ticket(code).satisfaction) == ("closed", None)
    with town.database.reading() as session:
        assert [row.outcome for row in session.exec(select(CallbackAnswer))] == ["unanswered"]
    asked(town)
    town.later(days=2)
    assert visitor("agent").sees("/hotline/callbacks/next").location == "/hotline/callbacks"


def test_one_call_asks_about_everything_of_one_person(town: Town, visitor: Callable[[str], Visitor]) -> None:
    first, second = asked(town)[0], asked(town)[0]
    page = visitor("agent").sees(f"/hotline/callbacks/{first}").text
    assert "还有 1 件待回访" in page
    assert f'href="/hotline/callbacks/{second}"' in page


def test_an_answer_without_the_first_question_is_refused_and_kept(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    code, _ = asked(town)
    answer = calls_back(visitor("agent"), code, satisfaction="5", words="很满意,谢谢师傅")
    assert answer.status_code == 422
    assert "请先选择是否解决" in answer.text
    assert "很满意,谢谢师傅" in answer.text
    assert re.search(r'name="satisfaction" value="5"[^>]* checked', answer.text)
    assert town.ticket(code).state == "verified"


def test_an_answer_that_comes_after_another_is_refused_and_shown(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    code, _ = asked(town)
    agent = visitor("agent")
    page = agent.sees(f"/hotline/callbacks/{code}").text
    seen = {name: hidden(page, name) for name in ("expected_version", "request_key")}
    calls_back(agent, code, solved="solved", satisfaction="5")
    late = {**seen, "request_key": str(uuid4()), "solved": "unsolved", "words": "另一个窗口记下的话"}
    answer = agent.posts(f"/hotline/callbacks/{code}", **late)
    assert answer.status_code == 409
    assert "没有提交" in answer.text
    assert "另一个窗口记下的话" in answer.text
    assert town.ticket(code).solved == "solved"


def test_nobody_is_called_twice_on_one_day(town: Town, visitor: Callable[[str], Visitor]) -> None:
    code, _ = asked(town)
    town.later(days=1, hours=6)  # past the midday rest of the day after
    agent = visitor("agent")
    page = agent.sees(f"/hotline/callbacks/{code}").text
    answer = agent.posts(
        f"/tickets/{code}/actions/attempt_callback",
        note="响铃无人接",
        expected_version=hidden(page, "expected_version"),
        request_key=str(uuid4()),
        then=hidden(page, "then"),
    )
    assert answer.location == "/hotline/callbacks/next"
    assert agent.sees(answer.location).location == "/hotline/callbacks"
    assert "今天拨过、没有接通" in agent.sees("/hotline/callbacks").text
    town.later(days=1)
    again = visitor("agent").sees("/hotline/callbacks/next")
    assert again.location == f"/hotline/callbacks/{code}"


def test_the_telephone_is_shown_with_a_reason_that_is_kept(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    code, _ = asked(town)
    agent = visitor("agent")
    refused = agent.posts(f"/hotline/callbacks/{code}/telephone", reason=" ")
    assert (refused.status_code, "13800009999" in refused.text) == (422, False)
    assert "13800009999" in agent.posts(f"/hotline/callbacks/{code}/telephone", reason="办结回访").text
    with town.database.reading() as session:
        assert [entry.reason for entry in session.exec(select(DisclosureLog))] == ["办结回访"]
    assert visitor("operator").posts(f"/hotline/callbacks/{code}/telephone", reason="看").status_code == 403


def test_outside_calling_hours_the_desk_says_when_to_call(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    code, _ = asked(town)
    agent = visitor("agent")
    town.now = MONDAY.replace(hour=4, minute=30)  # 12:30 in Shanghai
    for path in ("/hotline/callbacks", f"/hotline/callbacks/{code}"):
        assert "今天 14:00" in agent.sees(path).text
    town.now = MONDAY.replace(hour=6, minute=30)
    assert "现在不是回访时段" not in agent.sees("/hotline/callbacks").text


def test_the_hotline_is_closed_to_others(town: Town, visitor: Callable[[str], Visitor]) -> None:
    for login in ("worker", "department", "supervisor"):
        assert visitor(login).sees("/hotline/register").status_code == 403
        assert visitor(login).sees("/hotline/callbacks").status_code == 403


def test_whoever_took_a_call_is_left_in_peace_for_a_week_and_then_asked_about_all(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    first = asked(town)[0]
    town.later(days=1, hours=3)
    calls_back(visitor("agent"), first, solved="solved")
    asked(town)
    town.later(days=1)
    page = visitor("agent").sees("/hotline/callbacks").text
    assert "现在没有要回访的工单" in page
    assert "以后再问" in page
    town.later(days=6)
    assert visitor("agent").sees("/hotline/callbacks/next").location != "/hotline/callbacks"


def test_when_the_limit_has_passed_the_desk_asks_how_it_goes(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    code = calls(town)
    for kind in ("clock_hint", "clock_yellow", "clock_red"):
        assert fires(town, code, kind) == "done"
    town.later(days=1)
    agent = visitor("agent")
    town.now = town.now.replace(hour=2)
    following = agent.sees("/hotline/callbacks/next").location
    assert following.startswith(f"/tickets/{code}")
    assert "办得怎么样" not in agent.sees(following).text
    assert "期满回访(问进度)" in agent.sees(following).text
    town.agent.acts(code, "ask_progress", progress="knows")
    assert agent.sees("/hotline/callbacks/next").location == "/hotline/callbacks"


def test_an_instant_answer_is_asked_about_by_somebody_else(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    code = calls(town, CONSULT, mode=Mode.HOLD)
    town.operator.acts(code, "answer_instantly", answer="办理地点是区政务中心")
    town.later(days=1)
    assert code in visitor("agent").sees("/hotline/callbacks").text
    town.agent.acts(code, "record_instant_answer", solved="solved")
    assert code not in visitor("agent").sees("/hotline/callbacks").text


def test_another_caller_about_the_same_matter_is_merged_at_once(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    main = calls(town)
    operator = visitor("operator")
    link = re.search(rf'href="(/hotline/register\?joins={main})"', operator.sees(f"/tickets/{main}").text)
    assert link
    page = operator.sees(link[1]).text
    assert f"登记后并入 {main}" in page
    place = {name: hidden(page, name) for name in ("lon", "lat", "location_source", "joins")}
    answer = operator.posts("/hotline/register", **a_call(chosen_grid="", **place))
    other = town.ticket(answer.location.rsplit("/", 1)[-1])
    assert (other.state, town.ticket(main).merged_count) == ("merged", 1)
