"""The administrator's pages: people, the audit, and how the service runs."""

import re
from collections.abc import Callable

import pytest
from sqlmodel import select
from uuid6 import uuid7

from dispatch.record.models import OutboxRow
from grid.models import Generation, GenerationState, Organisation
from tests.town import MONDAY, Town
from tests.web.conftest import Visitor

Enter = Callable[[str], Visitor]


def test_an_account_is_made_with_a_link_and_a_second_login_of_the_name_is_refused(visitor: Enter) -> None:
    admin = visitor("administrator")
    fields = {
        "login": "newclerk",
        "name": "新经办",
        "role": "clerk",
        "organisation_code": "sanitation-bureau",
    }
    page = admin.posts("/admin/accounts", **fields)
    assert page.status_code == 200
    link = re.search(r"/password/[\w-]+", page.text)
    assert link
    assert "设置密码" in page.text
    again = admin.posts("/admin/accounts", **fields)
    assert again.status_code == 422
    assert "已被使用" in again.text
    assert 'value="newclerk"' in again.text


def test_units_of_one_name_are_told_apart(visitor: Enter, town: Town) -> None:
    with town.database.writing() as session:
        first = session.exec(select(Organisation).where(Organisation.code == "sanitation-bureau")).one()
        session.add(Organisation(code="sanitation-two", name=first.name, kind=first.kind, area_code="990102"))
    page = visitor("administrator").sees("/admin/accounts").text
    assert f"{first.name} · 990102</option>" in page
    with town.database.reading() as session:
        other = session.exec(select(Organisation).where(Organisation.name != first.name)).first()
    assert other is not None
    assert f">{other.name}</option>" in page


def test_nobody_shuts_the_own_account(visitor: Enter, town: Town) -> None:
    own = town.administrator.actor.account_id
    page = visitor("administrator").posts(f"/admin/accounts/{own}/switch")
    assert page.status_code == 422
    assert "不能停用自己的账号" in page.text


def test_given_up_work_can_be_run_again(visitor: Enter, town: Town) -> None:
    key = uuid7()
    with town.database.writing() as session:
        session.add(
            OutboxRow(
                intake_district="990101",
                id=key,
                topic="notify",
                created_at=MONDAY,
                available_at=MONDAY,
                dead_at=MONDAY,
                attempts=8,
                last_error="短信网关拒绝",
            )
        )
    admin = visitor("administrator")
    assert "短信网关拒绝" in admin.sees("/admin/operations").text
    admin.posts(f"/admin/operations/again/outbox/990101/{key}")
    with town.database.reading() as session:
        row = session.get(OutboxRow, ("990101", key))
    assert row is not None
    assert (row.dead_at, row.attempts) == (None, 0)


def test_redis_down_is_a_yellow_line_for_administrators(visitor: Enter) -> None:
    assert "Redis 没有应答" in visitor("administrator").sees("/admin/operations").text


@pytest.mark.parametrize("path", ["/admin/", "/admin/accounts", "/admin/changes"])
def test_only_administrators_come_in(visitor: Enter, path: str) -> None:
    assert visitor("administrator").sees(path).status_code == 200
    assert visitor("supervisor").sees(path).status_code == 403


def test_the_active_borders_are_shown(visitor: Enter, town: Town) -> None:
    with town.database.reading() as session:
        active = session.exec(select(Generation)).one()
    assert active.state is GenerationState.ACTIVE
    assert active.label in visitor("administrator").sees("/admin/").text


def test_accounts_are_found_by_login_name_or_unit_and_paged(
    town: Town, visitor: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = visitor("administrator")
    for words, found, hidden in (
        ("neighb", "李邻格", "王小网"),
        ("王小", "王小网", "李邻格"),
        ("排水", "排水经办", "李邻格"),
    ):
        page = admin.sees("/admin/accounts", query_string={"q": words}).text
        table = page[page.index("<tbody>") : page.index("</tbody>")]
        assert found in table
        assert hidden not in table
    assert "没有找到" in admin.sees("/admin/accounts?q=%25").text
    monkeypatch.setattr("web.admin.PEOPLE", 4)
    path, seen = "/admin/accounts", []
    while path:
        page = admin.sees(path).text
        seen += re.findall(r'<th scope="row">(\w+)', page)
        following = re.search(r'href="(/admin/accounts\?after=[^"]+)"', page)
        path = following[1] if following else ""
    assert seen == sorted(town.people)
