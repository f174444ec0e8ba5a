"""Beside a ticket: notes stay inside, drafts survive, ready words fit, an answer's elements are looked at."""

import json
import re
from collections.abc import Callable
from uuid import uuid4

import pytest
from sqlmodel import select

from dispatch.record.desks.models import Draft, Macro
from dispatch.record.models import Objection
from dispatch.rules.answering import findings
from tests.desks.test_queue import joins
from tests.town import DRAINAGE, GARBAGE, SANITATION, Town
from tests.web.conftest import PASSWORD, Visitor
from tests.web.test_pages import hidden


def test_a_note_is_read_by_those_who_work_on_it_and_by_nobody_else(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    code = town.worker.reports().code
    clerk = visitor("department")
    clerk.posts(f"/desk/tickets/{code}/notes", note="老王认识这家店,13911112222")
    panel = clerk.sees(f"/desk/tickets/{code}/beside").text
    assert "老王认识这家店,139****2222" in panel
    assert "老王" in visitor("dispatcher").sees(f"/desk/tickets/{code}/beside").text
    assert visitor("worker").sees(f"/desk/tickets/{code}/beside").text == ""
    assert visitor("worker").posts(f"/desk/tickets/{code}/notes", note="x").status_code == 403
    for login in ("worker", "department", "dispatcher"):
        assert "老王" not in visitor(login).sees(f"/tickets/{code}").text


def test_a_draft_survives_the_end_of_the_session_and_goes_when_it_is_sent(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    code = town.worker.reports().code
    clerk = visitor("department")
    clerk.posts(f"/desk/tickets/{code}/drafts/handle", answer="已于今日清运", expected_version="1")
    clerk.posts("/sign-out")
    again = visitor("department")
    page = again.sees(f"/tickets/{code}").text
    assert "已于今日清运" in page
    assert "已于今日清运" not in visitor("dispatcher").sees(f"/tickets/{code}").text
    again.posts(
        f"/tickets/{code}/actions/handle",
        solved="solved",
        answer="已于今日清运",
        kept_photos=town.photo(),
        expected_version=hidden(page, "expected_version"),
        request_key=str(uuid4()),
    )
    with town.database.reading() as session:
        assert session.exec(select(Draft)).all() == []
    assert PASSWORD not in page


def test_who_else_has_it_open_is_seen_for_a_short_while(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    code = town.worker.reports().code
    clerk, dispatcher = visitor("department"), visitor("dispatcher")
    assert "也打开了" not in clerk.posts(f"/desk/tickets/{code}/open").text
    assert "环卫经办 也打开了" in dispatcher.posts(f"/desk/tickets/{code}/open").text
    town.later(minutes=2)
    assert "也打开了" not in dispatcher.posts(f"/desk/tickets/{code}/open").text


def test_what_has_been_opened_no_longer_waits_to_be_read(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    code = town.worker.reports().code
    clerk = visitor("department")
    assert "待查阅" in clerk.sees("/department/?tab=new").text
    assert "免除协办" not in clerk.sees(f"/tickets/{code}").text, "nobody helps, so nobody is let off"
    answer = clerk.client.post(
        f"/tickets/{code}/actions/open",
        headers={"HX-Request": "true"},
        data={"csrf_token": clerk.form_token},
    )
    assert json.loads(answer.headers["HX-Trigger"])["ticket:version"]["stage"] == "已查阅,待签收"
    for page in ("/department/?tab=new", f"/tickets/{code}"):
        told = clerk.sees(page).text
        assert re.findall('class="state">([^<]+)<', told)[:1] == ["已查阅,待签收"]


def test_an_unknown_address_keeps_the_menu(visitor: Callable[[str], Visitor]) -> None:
    answer = visitor("department").sees("/no/such/page")
    assert (answer.status_code, 'href="/department/"' in answer.text) == (404, True)


def test_a_macro_fills_the_action_and_hands_the_ticket_on(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    second = joins(town, "second", "第二经办")
    code = town.worker.reports().code
    clerk = visitor("department")
    answer = clerk.posts(
        "/desk/wording/macros",
        title="派人清运",
        action="start",
        holder=str(second.id),
        **{"given-note": "{today}派人清运{category}"},
    )
    assert answer.status_code == 303, answer.text
    with town.database.reading() as session:
        macro = session.exec(select(Macro)).one()
    assert "派人清运" in clerk.sees(f"/desk/tickets/{code}/beside").text
    clerk.posts(f"/desk/tickets/{code}/drafts/start", note="先写了一半", expected_version="1")
    clerk.posts(f"/desk/tickets/{code}/macros/{macro.id}", expected_version="1", request_key=str(uuid4()))
    assert town.ticket(code).state == "in_progress"
    with town.database.reading() as session:
        assert session.exec(select(Draft)).all() == [], "sent by a macro, the draft is done with"
    page = clerk.sees(f"/tickets/{code}").text
    assert "3月2日(周一)派人清运暴露垃圾" in page
    assert "经办人:第二经办" in clerk.sees(f"/desk/tickets/{code}/beside").text
    assert "派人清运" not in visitor("drainage").sees("/desk/wording").text


def test_a_text_with_an_unknown_variable_is_refused_and_kept(visitor: Callable[[str], Visitor]) -> None:
    answer = visitor("department").posts("/desk/wording/texts", title="清运", body="{who}已清运")
    assert answer.status_code == 422
    assert "没有变量 who" in answer.text
    assert "{who}已清运" in answer.text


def test_texts_fit_the_category_and_the_state(town: Town, visitor: Callable[[str], Visitor]) -> None:
    code = town.worker.reports().code
    clerk = visitor("department")
    for title, category, state in (
        ("合适", GARBAGE, "dispatched"),
        ("别的状态", "", "rework"),
        ("别类", "10", ""),
    ):
        clerk.posts(
            "/desk/wording/texts",
            title=title,
            body="{place}的{category}已清",
            category_code=category,
            state=state,
        )
    panel = clerk.sees(f"/desk/tickets/{code}/beside").text
    assert "井巷第一网格的暴露垃圾已清" in panel
    assert ("合适" in panel, "别的状态" in panel, "别类" in panel) == (True, False, False)


@pytest.mark.parametrize(
    ("answer", "elements"),
    [
        ("已于3月2日联系您并清运完毕", set()),
        ("已处理", {"contact", "when"}),
        ("收到,我们会研究", {"contact", "done", "when"}),
        ("今日上午电话联系,已清运", set()),
    ],
)
def test_an_answer_is_looked_at_for_its_elements_and_never_for_its_length(
    answer: str, elements: set[str]
) -> None:
    found = findings(answer, before=None, contacted=False, asks_contact=True)
    assert {one.element for one in found} == elements


@pytest.mark.acceptance("B2")
def test_the_same_answer_again_is_pointed_out_and_refused_objections_are_counted_neutrally(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    code = town.worker.reports().code
    answer = "已于3月2日清运完毕,现场干净"
    town.department.acts(code, "handle", solved="solved", answer=answer, photos=(town.photo(),))
    town.worker.acts(code, "verify_fail", note="还是原样", photos=(town.photo(),))
    clerk = visitor("department")
    told = clerk.posts(f"/desk/tickets/{code}/answer-check", answer=answer).text
    assert "与上一次的答复完全相同" in told
    assert "字" not in re.sub("<[^>]+>", "", told)
    assert "没有写做了什么" in clerk.posts(f"/desk/tickets/{code}/answer-check", answer="收到").text

    other = town.worker.reports().code
    town.department.acts(other, "object", reason_code="function", organisation=DRAINAGE, basis="不归我们")
    town.dispatcher.acts(other, "refuse_objection", reason="三定方案写明归环卫")
    board = visitor("supervisor").sees("/dispatch/overdue").text
    assert re.search(r"区环卫局</th>\s*<td class=\"number\">1</td>", board)
    assert "推诿" not in board
    with town.database.reading() as session:
        assert session.exec(select(Objection)).one().outcome == "refused"


@pytest.mark.acceptance("B2")
def test_an_answer_beside_the_question_goes_back_with_its_reason(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    town.approves(SANITATION)
    code = town.worker.reports().code
    answer = {"solved": "solved", "answer": "收到,谢谢关注", "photos": (town.photo(),)}
    town.department.acts(code, "draft_answer", **answer)
    chief = visitor("chief")
    assert "答非所问" in chief.sees(f"/tickets/{code}").text
    refused = chief.posts(f"/tickets/{code}/actions/return_answer", note="没说清运了没有")
    assert refused.status_code == 422
    chief.posts(f"/tickets/{code}/actions/return_answer", lacks="aside", note="没说清运了没有")
    page = visitor("department").sees(f"/tickets/{code}").text
    assert ("答非所问" in page, "没说清运了没有" in page) == (True, True)
    assert town.ticket(code).state == "in_progress"
