"""A department's queue: filters in the address, counts, pages that reach every ticket, views, many at once."""

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlmodel import select

from dispatch.record import queries
from dispatch.record.desks import holding
from dispatch.record.desks.models import TicketHolder
from dispatch.record.intake import Mode
from dispatch.record.models import OpenWords, Source, Ticket
from dispatch.record.reading import filtering
from grid.models import Account, DutyClass, Post
from tests.town import COVER, DRAINAGE, GARBAGE, IN_EAST, IN_WEST, SANITATION, WEST, Town
from tests.web.conftest import Visitor

PARK = {"lon": IN_WEST["lon"] + 0.001, "lat": IN_WEST["lat"]}


def codes_in(page: str) -> list[str]:
    return re.findall(r'<a id="([0-9A-Z]{3}-[0-9A-Z]{5}-[0-9A-Z])"', page)


def joins(town: Town, login: str, name: str) -> Account:
    """One more clerk at the sanitation bureau."""
    account = Account(
        id=uuid4(),
        login=login,
        name=name,
        person_key=login,
        duty_class=DutyClass.HANDLING,
        created_at=town.now,
    )
    with town.database.writing() as session:
        session.add(account)
        session.flush()
        session.add(Post(id=uuid4(), account_id=account.id, role="clerk", organisation_code=SANITATION))
    return account


FILTERS = (
    ("q=餐馆", {"west"}),
    ("q=餐馆 油污", {"west"}),
    ("q=垃圾", {"west", "east"}),
    ("q=第二网格", {"east"}),
    (f"area={WEST}", {"west"}),
    ("source=hotline", {"east"}),
    (f"near={IN_WEST['lon']},{IN_WEST['lat']}&within=300", {"west"}),
    (f"near={IN_WEST['lon']},{IN_WEST['lat']}&within=5000", {"west", "east"}),
    ("from_on=2026-03-03", set()),
    ("to_on=2026-03-02", {"west", "east"}),
    ("category=20", {"west", "east"}),
    ("category=10", set()),
    ("overdue=true", set()),
)


def test_what_is_filtered_lives_in_the_address(town: Town, visitor: Callable[[str], Visitor]) -> None:
    east = town.operator.reports(at=IN_EAST, source=Source.HOTLINE, photos=(), text="楼下有人乱倒")
    codes = {"west": town.worker.reports(text="餐馆门口油污和垃圾").code, "east": east.code}
    clerk = visitor("department")
    for address, found in FILTERS:
        page = clerk.sees(f"/department/?{address}").text
        assert set(codes_in(page)) == {codes[name] for name in found}, address
        assert f'<option value="{WEST}">井巷第一网格</option>' in page
        assert f'在办<span class="count{" some" if found else ""}">{len(found)}</span>' in page


def test_words_find_what_is_open_and_find_it_again_when_it_opens_anew(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    other = town.worker.reports(text="餐馆门口油污", at=IN_EAST).code
    code = town.worker.reports(text="餐馆门口垃圾").code
    town.dispatcher.acts(code, "merge", into=other, reason="同一家")
    clerk = visitor("department")
    assert codes_in(clerk.sees("/department/?q=餐馆").text) == [other]
    assert said_of_open(town) == ["餐馆门口油污"]
    town.dispatcher.acts(code, "unmerge", reason="是另一家")
    assert set(codes_in(clerk.sees("/department/?q=餐馆").text)) == {other, code}
    assert said_of_open(town) == ["餐馆门口垃圾", "餐馆门口油污"]
    town.worker.reports(text="餐馆门口扫干净了", mode=Mode.SELF_HANDLED, photos=())
    assert len(said_of_open(town)) == 2, "what was settled on the spot is never searched"


def test_words_that_many_said_find_the_same_as_words_of_few(
    town: Town, visitor: Callable[[str], Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = [
        town.worker.reports(text=f"餐馆门口油污{n}", at=at).code for n, at in ((1, IN_WEST), (2, IN_EAST))
    ]
    clerk = visitor("department")
    pages = [clerk.sees("/department/?q=餐馆 油污").text]
    monkeypatch.setattr(filtering, "FEW", 0)
    pages.append(clerk.sees("/department/?q=餐馆 油污").text)
    for page in pages:
        assert set(codes_in(page)) == set(codes)
        assert '在办<span class="count some">2</span>' in page


def said_of_open(town: Town) -> list[str | None]:
    with town.database.reading() as session:
        return sorted(session.exec(select(OpenWords.text)), key=str)


def test_the_next_one_is_never_one_that_is_being_ruled_on(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    codes = [town.worker.reports(at=place).code for place in (IN_WEST, IN_EAST)]
    town.department.acts(codes[0], "object", reason_code="function", organisation=DRAINAGE, basis="不归我们")
    clerk = visitor("department")
    assert clerk.sees("/department/next").location.startswith(f"/tickets/{codes[1]}")
    assert clerk.sees("/department/next?tab=objected").location.startswith(f"/tickets/{codes[0]}")
    town.department.acts(codes[1], "handle", solved="solved", answer="好", photos=(town.photo(),))
    assert clerk.sees("/department/next").location == "/department/"


def test_a_wrong_filter_is_named(visitor: Callable[[str], Visitor]) -> None:
    answer = visitor("department").sees("/department/?near=北门&within=300")
    assert (answer.status_code, "经度,纬度" in answer.text) == (422, True)


def test_pages_reach_every_ticket_once_also_those_whose_clock_stands(town: Town) -> None:
    codes = {town.worker.reports(at=at).code for at in (IN_WEST, IN_EAST, PARK)}
    standing_still = town.worker.reports().code
    with town.database.writing() as session:
        ticket = session.exec(select(Ticket).where(Ticket.code == standing_still)).one()
        ticket.due_at = None
        session.add(ticket)
    seen: list[str] = []
    after = None
    with town.database.reading() as session:
        while found := queries.page(session, town.department.actor, after=after, size=1):
            seen.append(found[0].code)
            after = (found[0].due_at, found[0].id)
    assert sorted(seen) == sorted(codes | {standing_still})
    assert seen[-1] == standing_still


def test_the_file_holds_the_filtered_list_and_no_formula(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    town.worker.reports()
    code = town.worker.reports(at=IN_EAST).code
    answer = visitor("department").sees("/department/queue.csv?q=第二网格")
    rows = list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))))
    assert [row[0] for row in rows] == ["编号", code]


def test_a_view_is_kept_and_shared_with_the_unit_alone(town: Town, visitor: Callable[[str], Visitor]) -> None:
    joins(town, "second", "第二经办")
    clerk = visitor("department")
    answer = clerk.posts("/desk/views/department", query="tab=late&q=垃圾", name="急的", shared="yes")
    assert answer.status_code == 303
    clerk.posts("/desk/views/department", query="source=hotline", name="自己的")
    own = clerk.sees("/department/").text
    assert ("急的" in own, "自己的" in own) == (True, True)
    assert "tab=late" in own
    with town.database.writing() as session:
        account = session.exec(select(Account).where(Account.login == "second")).one()
        account.password_hash = (
            session.exec(select(Account).where(Account.login == "department")).one().password_hash
        )
        session.add(account)
    second = visitor("second").sees("/department/").text
    assert ("急的" in second, "自己的" in second) == (True, False)
    assert "急的" not in visitor("drainage").sees("/department/").text


def test_one_thing_is_done_to_many_with_a_result_each_and_undone(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    second = joins(town, "second", "第二经办")
    mine, strange = town.worker.reports().code, town.worker.reports(COVER).code
    clerk = visitor("department")
    answer = clerk.posts("/department/bulk", code=[mine, strange], action="hold", holder=str(second.id))
    assert "1 件做到了,1 件没有" in answer.text
    assert holder(town, mine) == second.id
    before = re.search(r'name="before" value="([^"]*)"', answer.text)
    assert before
    clerk.posts("/department/bulk/undo", before=before[1].replace("&#34;", '"'))
    assert holder(town, mine) is None
    started = clerk.posts("/department/bulk", code=[mine], action="start")
    assert "1 件做到了" in started.text
    assert town.ticket(mine).state == "in_progress"


def holder(town: Town, code: str) -> object:
    ticket = town.ticket(code)
    with town.database.reading() as session:
        found = session.exec(select(TicketHolder).where(TicketHolder.ticket_id == ticket.id)).first()
    return found.account_id if found else None


@pytest.mark.acceptance("D14")
def test_whoever_has_too_much_in_hand_is_marked_and_not_proposed(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    full, idle = joins(town, "full", "满手"), joins(town, "idle", "空手")
    today = town.now.date()
    codes = [town_report(town, number) for number in range(25)]
    with town.database.writing() as session:
        for code in codes:
            holding.give(session, code, town.department.actor, full.id, today, town.now)
    with town.database.reading() as session:
        people = holding.colleagues(session, [SANITATION], today, 20)
    by_name = {one.name: one for one in people}
    assert (by_name["满手"].in_hand, by_name["满手"].is_overloaded) == (25, True)
    assert [one.name for one in holding.who_can_share(people)] == ["环卫经办", "空手"]
    panel = visitor("department").sees(f"/desk/tickets/{code}/beside").text
    assert "超载提醒:满手 在办 25 件,可分担的有 环卫一所经办、环卫经办、空手" in panel
    assert panel.index("空手 · 在办 0") < panel.index("满手 · 在办 25,已满")
    assert idle.id


def town_report(town: Town, number: int) -> str:
    town.now += timedelta(seconds=number)
    return town.worker.reports(GARBAGE, at=IN_WEST if number % 2 else IN_EAST).code
