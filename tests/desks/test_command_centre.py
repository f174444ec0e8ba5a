"""The command centre: what is stuck is listed with its reason, supervision convenes, doubles are joined, the wall."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlmodel import col, select

from dispatch.record.models import Source, Ticket
from dispatch.rules.workflow import State
from tests.town import (
    DRAINAGE,
    GARBAGE,
    IN_EAST,
    IN_WEST,
    POLICE,
    SANITATION,
    STREET_OFFICE,
    Town,
)
from tests.web.conftest import Visitor
from tests.web.test_pages import hidden


def marked(town: Town, **values: object) -> str:
    """A ticket that has already gone through what these columns count."""
    code = town.worker.reports(GARBAGE).code
    with town.database.writing() as session:
        ticket = session.exec(select(Ticket).where(col(Ticket.code) == code)).one()
        for name, value in values.items():
            setattr(ticket, name, value)
        session.add(ticket)
    return code


@pytest.mark.acceptance("B7")
def test_seven_kinds_of_stuck_tickets_are_listed_with_reasons_and_supervision_convenes(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    far = town.now + timedelta(days=9)
    kinds = {
        marked(town, objections=2, due_at=far): "反复退单(2 次)",
        marked(town, reworks=2, due_at=far): "多次返工(2 次)",
        marked(town, due_at=town.now + timedelta(hours=3)): "承办 24 小时内到期",
        marked(town, due_at=town.now - timedelta(hours=3)): "承办超时",
        marked(town, urged=3, due_at=far): "多次来电(3 次)",
        marked(
            town,
            source=Source.HOTLINE,
            state=State.IN_PROGRESS,
            dispatched_at=town.now - timedelta(days=3),
            due_at=far,
        ): "派出两天未联系诉求人",
        marked(
            town, correction_drawn=True, state=State.CLOSED, closed_at=town.now, due_at=None
        ): "更正类别、性质改动了时限,抽中待审",
    }
    calm = marked(town, due_at=far)
    supervisor = visitor("supervisor")
    page = supervisor.sees("/dispatch/overdue").text
    for code, reason in kinds.items():
        row = page.split(f'id="{code}"', 1)[1].split("</li>", 1)[0]
        assert reason in row
    assert calm not in page
    for sign, number in {"late": 1, "soon": 1, "no_contact": 1, "to_audit": 1, "urged": 1}.items():
        alone = supervisor.sees(f"/dispatch/overdue?tab={sign}").text
        assert alone.count('<li data-lon="') == number, sign
        assert f'tab={sign}" aria-current="page"' in alone
    assert supervisor.sees("/dispatch/overdue?tab=nonsense").status_code == 422
    stuck = next(iter(kinds))
    ticket_page = supervisor.sees(f"/tickets/{stuck}").text
    assert "督办牵头会商" in ticket_page
    version = hidden(ticket_page, "expected_version")
    supervisor.posts(f"/tickets/{stuck}/actions/convene", basis="两家都说不归自己", expected_version=version)
    assert town.ticket(stuck).state == "consulting"
    answer = supervisor.posts(
        f"/tickets/{stuck}/actions/settle_convened",
        organisation=DRAINAGE,
        assistants=[SANITATION, POLICE],
        reason="管道归排水,现场由环卫和执法配合",
    )
    assert answer.status_code == 303, answer.text
    ticket = town.ticket(stuck)
    assert (ticket.main_code, ticket.state) == (DRAINAGE, "dispatched")
    assert set((ticket.assistant_codes or "").split(",")) == {SANITATION, POLICE}
    assert visitor("dispatcher").posts(f"/tickets/{calm}/actions/convene", basis="x").status_code == 403


def test_a_whistle_names_several_units_and_their_arrival_is_followed(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    code = town.worker.reports().code
    town.department.acts(code, "object", reason_code="function", organisation=STREET_OFFICE, basis="街道牵头")
    town.dispatcher.acts(code, "uphold_objection", organisation=STREET_OFFICE)
    street = visitor("street")
    assert "请哪些单位报到" in street.sees(f"/dispatch/whistles/{code}").text
    street.posts(
        f"/tickets/{code}/actions/whistle", organisations=[SANITATION, DRAINAGE, POLICE], reason="积水连片"
    )
    town.drainage.acts(code, "sign_in_to_help")
    page = street.sees("/dispatch/whistles").text
    assert page.count("未报到") == 2
    assert "排水公司" in page
    assert code in visitor("dispatcher").sees("/dispatch/whistles").text


def test_doubles_stand_side_by_side_and_are_joined(town: Town, visitor: Callable[[str], Visitor]) -> None:
    older = town.worker.reports(text="垃圾堆在路口").code
    town.later(hours=1)
    newer = town.operator.reports(
        source=Source.HOTLINE,
        photos=(),
        text="路口一堆垃圾没人管",
        at={"lon": IN_WEST["lon"] + 0.0002, "lat": IN_WEST["lat"]},
    ).code
    town.operator.reports(source=Source.HOTLINE, photos=(), text="垃圾", at=IN_EAST)
    dispatcher = visitor("dispatcher")
    page = dispatcher.sees("/dispatch/doubles").text
    assert page.count("并入先前的") == 1
    dispatcher.posts(f"/tickets/{newer}/actions/merge", into=older, reason="同一处")
    assert town.ticket(newer).state == "merged"
    assert "没有看起来重复的" in dispatcher.sees("/dispatch/doubles").text


def test_the_wall_shows_figures_and_nobody(town: Town, visitor: Callable[[str], Visitor]) -> None:
    town.operator.reports(
        source=Source.HOTLINE,
        photos=(),
        text="王大妈说垃圾没人清",
        reporter_name="王大妈",
        reporter_phone="13800001111",
    )
    page = visitor("dispatcher").sees("/dispatch/wall").text
    assert "<strong>1</strong><span>今日受理</span>" in page
    for words in ("王大妈", "垃圾没人清", "13800001111", "138****1111"):
        assert words not in page
    assert visitor("department").sees("/dispatch/wall").status_code == 403
