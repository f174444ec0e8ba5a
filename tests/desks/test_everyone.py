"""What everybody has: one inbox over all posts, bundled notices, leave with a deputy, ratings nobody is named in."""

import re
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import inspect
from sqlmodel import col, select

from dispatch.record.desks import inbox
from dispatch.record.desks.models import Arrival, Opinion, OpinionAsked
from dispatch.record.models import Notice
from grid.accounts import actor_of
from grid.auditing import record_change
from grid.errors import Conflict
from grid.models import Account, Organisation, Post
from tests.desks.test_queue import joins
from tests.town import COVER, DISTRICT, DRAINAGE, GARBAGE, PARKING, POLICE, SANITATION, Town
from tests.web.conftest import Visitor


def account_of(town: Town, login: str) -> Account:
    with town.database.reading() as session:
        return session.exec(select(Account).where(col(Account.login) == login)).one()


@pytest.mark.acceptance("D23")
def test_somebody_with_two_posts_has_one_inbox(town: Town, visitor: Callable[[str], Visitor]) -> None:
    clerk = account_of(town, "department")
    with town.database.writing() as session:
        session.add(Post(id=uuid4(), account_id=clerk.id, role="clerk", organisation_code=DRAINAGE))
    codes = [town.worker.reports(GARBAGE).code, town.worker.reports(COVER).code]
    page = visitor("department").sees("/desk/inbox").text
    assert all(code in page for code in codes)
    assert page.index(codes[1]) < page.index(codes[0])  # the urgent cover is due first
    alone = visitor("drainage").sees("/desk/inbox").text
    assert (codes[0] in alone, codes[1] in alone) == (False, True)


@pytest.mark.acceptance("D6")
def test_notices_that_are_not_urgent_come_as_one_every_half_hour(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    start = town.now.replace(minute=2)

    def tells(minutes: int, text: str, *, urgent: bool = False) -> None:
        with town.database.writing() as session:
            session.add(
                Notice(
                    intake_district=DISTRICT,
                    id=uuid4(),
                    outbox_id=uuid4(),
                    organisation_code=SANITATION,
                    text=text,
                    urgent=urgent,
                    created_at=start + timedelta(minutes=minutes),
                )
            )

    for number in range(4):
        tells(number, f"普通消息{number}")
    tells(4, "紧急消息", urgent=True)
    town.now = start + timedelta(minutes=5)
    clerk = visitor("department")
    page = clerk.sees("/desk/inbox").text
    assert ("紧急消息" in page, "普通消息" in page) == (True, False)
    town.now = start + timedelta(minutes=29)
    with town.database.reading() as session:
        found = inbox.bundles(session, town.department.actor, town.now)
    assert [(one.urgent, len(one.notices)) for one in found] == [(False, 4), (True, 1)]
    page = clerk.sees("/desk/inbox").text
    assert "合并 4 条" in page
    assert "收到" not in page
    assert clerk.posts("/desk/inbox/shown").status_code == 204
    assert '<span class="state">新</span>' not in clerk.sees("/desk/inbox").text


@pytest.mark.acceptance("D13")
def test_ratings_are_anonymous_and_shown_as_sums_alone(town: Town, visitor: Callable[[str], Visitor]) -> None:
    code = town.worker.reports().code
    worker = visitor("worker")
    assert worker.posts("/desk/opinions/dispatch", code=code, score="4").status_code == 303
    assert worker.posts("/desk/opinions/unit", code=code, score="2").status_code == 303
    assert worker.posts("/desk/opinions/software", score="5").status_code == 303
    assert worker.posts("/desk/opinions/unit", code=code, score="5").status_code == 409
    with town.database.reading() as session:
        rows = session.exec(select(Opinion)).all()
        assert len(session.exec(select(OpinionAsked)).all()) == 3
    assert {(row.about, row.organisation_code, row.score) for row in rows} == {
        ("dispatch", SANITATION, 4),
        ("unit", SANITATION, 2),
        ("software", None, 5),
    }
    assert not {"account_id", "ticket_id", "at", "on"} & {c.key for c in inspect(Opinion).columns}
    page = visitor("supervisor").sees("/desk/opinions").text
    assert "样本不足" in page
    assert ("王小网" in page, code in page) == (False, False)
    assert worker.sees("/desk/opinions").status_code == 403


@pytest.mark.acceptance("A5")
def test_a_community_says_whether_the_team_came_and_never_where_it_is(
    app: Flask, town: Town, visitor: Callable[[str], Visitor]
) -> None:
    code = town.worker.reports(PARKING).code
    assert town.ticket(code).main_code == POLICE
    community = visitor("community")
    page = community.sees("/community/").text
    assert code in page
    assert "已到场" in page
    address = f"/community/tickets/{code}/arrival"
    assert community.posts(address, organisation=POLICE, came="4").status_code == 303
    assert "区综合执法局:已到场 · 4" in community.sees("/community/").text
    swept = town.worker.reports(GARBAGE).code
    not_a_team = community.posts(f"/community/tickets/{swept}/arrival", organisation=SANITATION, came="yes")
    assert (not_a_team.status_code, "执法队伍" in not_a_team.text) == (422, True)
    for stranger in ("officer", "department", "worker"):
        assert visitor(stranger).posts(address, organisation=POLICE, came="yes").status_code == 403
    with town.database.writing() as session:
        elsewhere = session.get_one(Organisation, "community-office")
        elsewhere.area_code = "990101001002"
        for post in session.exec(select(Post).where(col(Post.role) == "community_clerk")):
            post.area_code = "990101001002"
        session.add(elsewhere)
        record_change(session, None, "organisation", "community-office", "change", now=town.now)
    with town.database.reading() as session:
        app.extensions["world"].refresh(session, at_once=True)
        kept = session.exec(select(Arrival)).one()
    assert (kept.came, kept.score) == (True, 4)
    fields = {column.key for column in inspect(Arrival).columns}
    assert not [
        name for name in fields if any(w in name for w in ("lon", "lat", "place", "track", "position"))
    ]
    assert visitor("community").posts(address, organisation=POLICE, came="no").status_code == 403


def test_the_areas_file_has_its_total_and_nobody_in_it(town: Town, visitor: Callable[[str], Visitor]) -> None:
    town.worker.reports(text="王大妈门口")
    text = visitor("community").sees("/community/tickets.csv").text
    assert text.rstrip().endswith("合计,1")
    assert "王大妈" not in text


def test_every_tile_of_an_area_opens_to_exactly_its_list(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    for category in (GARBAGE, COVER, PARKING):
        town.worker.reports(category)
    code = town.worker.reports(GARBAGE).code
    town.department.acts(code, "handle", solved="solved", answer="已清运", photos=(town.photo("b" * 64),))
    town.worker.acts(code, "verify_pass", photos=(town.photo("c" * 64),))
    town.later(hours=9)
    community = visitor("community")
    page = community.sees("/community/").text
    tiles = re.findall(r'<li><a href="(/community/[^"]*)"[^>]*><strong>(\d+)', page)
    assert len(tiles) == 5
    for address, number in tiles:
        assert community.sees(address).text.count('<section class="card" id="t-') == int(number), address
    assert [int(number) for _, number in tiles] == [3, 1, 0, 3, 1]
    assert "职责规则" not in page
    assert "按职责分工归它办" in page
    rows = community.sees("/community/tickets.csv?tab=units").text.splitlines()[1:-1]
    late = [row.split(",")[0] for row in rows if row.split(",")[-2] == "是"]
    assert len(rows) == 3
    assert len(late) == 1
    assert f'id="t-{late[0]}"' in community.sees("/community/?tab=late").text
    assert community.sees("/community/?tab=nothing").status_code == 422


def test_a_deputy_holds_the_posts_for_the_days_and_not_after(
    town: Town, visitor: Callable[[str], Visitor]
) -> None:
    joins(town, "second", "第二经办")
    chief = visitor("chief")
    second = account_of(town, "second")
    today = town.now.date()
    answer = chief.posts(
        "/desk/leave", deputy=str(second.id), from_on=str(today), to_on=str(today + timedelta(days=2))
    )
    assert answer.status_code == 303, answer.text
    with town.database.reading() as session:
        account = session.get_one(Account, second.id)
        during = actor_of(session, account, today + timedelta(days=1))
        after = actor_of(session, account, today + timedelta(days=3))
    assert (during.may("ticket:approve"), after.may("ticket:approve")) == (True, False)
    worker = account_of(town, "worker")
    refused = chief.posts("/desk/leave", deputy=str(worker.id), from_on=str(today), to_on=str(today))
    assert (refused.status_code, "同一职责类别" in refused.text) == (422, True)


def test_a_leader_switches_the_approval_of_answers_on_and_off(
    app: Flask, town: Town, visitor: Callable[[str], Visitor]
) -> None:
    code = town.worker.reports().code
    answer = {"solved": "solved", "answer": "已清运", "photos": (town.photo(),)}
    chief = visitor("chief")
    assert "由经办人直接反馈" in chief.sees("/desk/leave").text
    assert visitor("department").posts("/desk/approval", on="yes").status_code == 403
    for on, told in (("yes", "先经分管领导审核"), ("no", "由经办人直接反馈"), ("yes", "先经分管领导审核")):
        chief.posts("/desk/approval", on=on)
        assert told in chief.sees("/desk/leave").text
    with town.database.reading() as session:
        town.world.refresh(session, at_once=True)
    with pytest.raises(Conflict):
        town.department.acts(code, "handle", **answer)
    town.department.acts(code, "draft_answer", **answer)
    assert code in chief.sees("/department/?tab=approval").text
    town.chief.acts(code, "approve_answer")
    assert town.ticket(code).state == "handled"
