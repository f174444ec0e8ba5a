"""The operator's screen: answers that hold, theme desks, refusals, who rings, the city platform's tables."""

import io
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import xlsxwriter
from sqlmodel import col, select

from dispatch.record.lines.models import KnowledgeEntry, TicketTheme
from dispatch.record.models import Source, Ticket
from grid.importing.sheets import parse_sheet
from grid.models import Account
from tests.town import CONSULT, DRAINAGE, GARBAGE, IN_WEST, WEST, Town
from tests.web.conftest import Program, Visitor
from tests.web.test_hotline import a_call


def knows(clerk: Visitor, question: str, **more: str) -> None:
    answer = clerk.posts(
        "/hotline/knowledge", question=question, answer="办证带身份证,工作日九点到五点", **more
    )
    assert answer.status_code == 303, answer.text


@pytest.mark.acceptance("B5")
def test_a_known_question_is_answered_at_once_and_an_expired_answer_never_proposed(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    clerk, operator = visitor("drainage"), visitor("operator")
    knows(clerk, "井盖归哪个部门管", valid_to="2026-12-31")
    knows(clerk, "井盖坏了找谁修理", valid_to="2026-03-01")
    proposed = operator.posts("/hotline/while-typing", text="我想问井盖归哪个部门管,坏了找谁修理").text
    assert "井盖归哪个部门管" in proposed
    assert "排水公司" in proposed
    assert "井盖坏了找谁修理" not in proposed
    with town.database.reading() as session:
        entries = {row.question: row for row in session.exec(select(KnowledgeEntry))}
    call = a_call(
        category_code=CONSULT, nature="consult", ending="answer", answer=entries["井盖归哪个部门管"].answer
    )
    answer = operator.posts("/hotline/register", **call, entry=str(entries["井盖归哪个部门管"].id))
    assert answer.status_code == 303, answer.text
    ticket = town.ticket(answer.location.rsplit("/", 1)[-1])
    assert (ticket.state, ticket.main_code, ticket.dispatched_at) == ("instant", None, None)
    late = operator.posts(
        "/hotline/register",
        **a_call(category_code=CONSULT, ending="answer", answer="旧答复"),
        entry=str(entries["井盖坏了找谁修理"].id),
    )
    assert (late.status_code, "已失效" in late.text, "旧答复" in late.text) == (422, True, True)
    with town.database.reading() as session:
        assert len(session.exec(select(Ticket)).all()) == 1


@pytest.mark.acceptance("B4")
def test_a_theme_stays_with_its_desk_from_the_call_to_the_call_back(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    with town.database.reading() as session:
        seat = session.exec(select(Account).where(col(Account.login) == "operator")).one()
    dispatcher, operator = visitor("dispatcher"), visitor("operator")
    dispatcher.posts("/hotline/themes", key="one-thing", name="高效办成一件事", accounts=[str(seat.id)])
    answer = operator.posts("/hotline/register", **a_call(category_code=CONSULT, theme="one-thing"))
    code = answer.location.rsplit("/", 1)[-1]
    assert code in operator.sees("/hotline/themes/one-thing").text
    assert visitor("operator2").sees("/hotline/themes/one-thing").status_code == 404
    waits = town.ticket(code).queue
    assert code not in dispatcher.sees(f"/dispatch/queues/{waits}").text
    town.dispatcher.acts(code, "dispatch", organisation=DRAINAGE)
    town.drainage.acts(code, "contact", outcome="reached")
    town.drainage.acts(code, "handle", solved="solved", answer="已于今日答复")
    town.later(days=1)
    assert code in visitor("operator").sees("/hotline/callbacks").text
    for other in ("operator2", "agent"):
        assert code not in visitor(other).sees("/hotline/callbacks").text
    with town.database.reading() as session:
        assert session.exec(select(TicketTheme)).one().account_id == seat.id


def test_a_refusal_says_its_standard_sentence_and_some_wait_for_a_second_person(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    operator = visitor("operator")

    def refuses(**more: str) -> str:
        answer = operator.posts("/hotline/register", **a_call(ending="refuse", **more))
        assert answer.status_code == 303, answer.text
        return answer.location.rsplit("/", 1)[-1]

    by_one = refuses(reason_code="R1", new_danger="no")
    assert town.ticket(by_one).state == "rejected"
    assert "诉讼、仲裁、行政复议" in operator.sees(f"/tickets/{by_one}").text
    by_two = refuses(reason_code="R5", new_danger="no")
    assert town.ticket(by_two).state == "reject_pending"
    operator_page = operator.posts(f"/tickets/{by_two}/actions/confirm_rejection")
    assert operator_page.status_code == 403
    assert visitor("operator2").posts(f"/tickets/{by_two}/actions/confirm_rejection").status_code == 303
    danger = operator.posts(
        "/hotline/register", **a_call(ending="refuse", reason_code="R4", new_danger="yes")
    )
    assert danger.status_code == 422
    assert "楼下垃圾没人清" in danger.text


def test_a_call_that_rings_opens_the_form_with_its_number_at_that_seat_alone(
    town: Town, visitor: Callable[[str], Visitor], program: Callable[[str], Program]
) -> None:
    assert program("operator").calls("POST", "/calls", {"phone": "13911112222"}).status_code == 204
    operator = visitor("operator")
    shown = operator.sees("/hotline/ringing").text
    assert "139****2222" in shown
    link = re.search(r'href="([^"]+call=[^"]+)"', shown)
    assert link
    assert 'value="13911112222"' in operator.sees(link[1]).text
    other = visitor("operator2")
    assert "139" not in other.sees("/hotline/ringing").text
    assert "13911112222" not in other.sees(link[1]).text
    town.later(minutes=3)
    assert operator.sees("/hotline/ringing").text.strip() == ""


def test_a_caller_who_asks_again_urges_the_ticket_that_there_is(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    operator = visitor("operator")
    code = operator.posts("/hotline/register", **a_call()).location.rsplit("/", 1)[-1]
    assert f"/hotline/urge/{code}" in operator.posts("/hotline/earlier", reporter_phone="13911112222").text
    operator.posts(f"/hotline/urge/{code}", text="怎么还没来")
    assert town.ticket(code).urged == 1


def test_the_platforms_table_comes_in_once_and_its_answers_go_out_once(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    operator = visitor("operator")
    due = (town.now + timedelta(days=5)).strftime("%Y-%m-%d 17:00")
    pasted = (
        "工单编号\t诉求内容\t类别\t地址\t办理时限\n"
        f"SZ-1\t垃圾没人清\t暴露垃圾\t{WEST}\t{due}\n"
        f"SZ-2\tqqq\tzzz\t{WEST}\t\n"
        f"SZ-3\t垃圾\t暴露垃圾\t月球\t\n"
    )
    page = operator.posts("/hotline/platform", pasted=pasted).text
    assert page.count("已登记<") == 1
    assert "看不出类别(zzz)" in page
    assert "找不到地点“月球”" in page
    assert "已经登记过" in operator.posts("/hotline/platform", pasted=pasted).text
    with town.database.reading() as session:
        ticket = session.exec(select(Ticket)).one()
    assert (ticket.source, ticket.upper_code, ticket.category_code) == (Source.UPPER, "SZ-1", GARBAGE)
    assert ticket.upper_due_at is not None
    town.department.acts(
        ticket.code, "handle", solved="solved", answer="=已于今日清运", photos=(town.photo(),)
    )
    batch = operator.posts("/hotline/platform/answers")
    table = parse_sheet("answers.xlsx", operator.sees(batch.location).data)
    assert [(row.get("工单编号"), row.get("公开答复")) for row in table] == [("SZ-1", "'=已于今日清运")]
    assert operator.posts("/hotline/platform/answers").location == "/hotline/platform"
    assert len(operator.sees(batch.location).data) > 0


def test_a_workbook_comes_in_like_a_paste(town: Town, visitor: Callable[[str], Visitor]) -> None:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ("编号", "内容", "类别", "地点", "联系电话"))
    sheet.write_row(1, 0, ("SZ-9", "暴露垃圾", GARBAGE, f"{IN_WEST['lon']},{IN_WEST['lat']}", "13800001111"))
    book.close()
    operator = visitor("operator")
    answer = operator.posts("/hotline/platform", file=(io.BytesIO(out.getvalue()), "市平台.xlsx"))
    assert "已登记" in answer.text
    wrong = operator.posts("/hotline/platform", pasted="甲\t乙\n1\t2\n")
    assert (wrong.status_code, "工单编号" in wrong.text) == (422, True)


def test_a_call_is_put_through_with_a_third_on_the_line_and_the_ticket_goes_on(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    operator = visitor("operator")
    code = operator.posts("/hotline/register", **a_call()).location.rsplit("/", 1)[-1]
    assert "驻点专席" in operator.sees(f"/tickets/{code}").text
    operator.posts(
        f"/tickets/{code}/actions/transfer_call",
        line="expert",
        received_by="环卫专席小李",
        received_at=town.now.isoformat(),
    )
    page = operator.sees(f"/tickets/{code}").text
    assert ("环卫专席小李" in page, str(town.ticket(code).state)) == (True, "dispatched")
