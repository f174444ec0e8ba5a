"""Chinese unless somebody chooses: by an address, by the switch at the foot, by their account, by their browser."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlmodel import select

from app import create_app
from grid import rulesets
from grid.models import Account, Responsibility
from grid.settings import Settings
from tests.town import Town
from tests.web.conftest import Visitor

Enter = Callable[[str], Visitor]


def tag(page: str) -> str:
    found = re.search(r'<html lang="([^"]+)"', page)
    assert found
    return found[1]


def test_pages_are_chinese_until_somebody_chooses(app: Flask) -> None:
    client = app.test_client()
    page = client.get("/sign-in", headers={"Accept-Language": "en"}).text
    assert tag(page) == "zh-CN"
    assert "登录" in page
    asked = client.get("/sign-in?lang=en")
    assert tag(asked.text) == "en"
    assert tag(client.get("/sign-in").text) == "en", "the browser remembers"
    assert tag(client.get("/sign-in?lang=xx").text) == "en"


def test_the_switch_is_kept_for_the_account_in_other_browsers(town: Town, visitor: Enter) -> None:
    first = visitor("department")
    answer = first.posts("/language", lang="en")
    assert answer.status_code == 303
    with town.database.reading() as session:
        assert session.exec(select(Account.language).where(Account.login == "department")).one() == "en"
    assert tag(visitor("department").sees("/department/").text) == "en"
    assert tag(visitor("dispatcher").sees("/dispatch/").text) == "zh-CN"
    assert first.client.post("/language", data={"lang": "zh"}).status_code == 403, "needs the form's token"


def test_what_people_wrote_is_the_same_in_both_languages(town: Town, visitor: Enter) -> None:
    ticket = town.worker.reports(text="退回")
    clerk = visitor("department")
    page = clerk.sees(f"/tickets/{ticket.code}?lang=en").text
    assert '<p class="lead">退回</p>' in page
    assert "Why it is here" in page


def chinese(page: str) -> set[str]:
    """What stands in Chinese on a page, its switch of language aside."""
    return set(re.findall(r"[^<>\"\n]*[\u4e00-\u9fff][^<>\"\n]*", page)) - {"中文"}


def test_choices_that_the_program_offers_are_english(visitor: Enter) -> None:
    borders = visitor("administrator").sees("/borders/?lang=en").text
    assert "central meridian 120°), without zone number, EPSG:4549" in borders
    assert not [text for text in chinese(borders) if "EPSG" in text]
    clerk = visitor("department").sees("/desk/leave?lang=en").text
    assert '<option value="白班">Day shift</option>' in clerk
    lead = visitor("operator").sees("/leads/new?lang=en").text
    assert '<optgroup label="City appearance' in lead


def test_notes_of_rules_are_english_where_the_program_wrote_them(town: Town, visitor: Enter) -> None:
    at, main = town.now, "kind:community"
    with town.database.writing() as session:
        rows = [
            Responsibility(
                ruleset_version=0, id="seed-1", main=main, note="违建:分阶段办理", time_band="night"
            ),
            Responsibility(ruleset_version=0, id="own", main=main, note="违建:分阶段办理"),
        ]
        rulesets.publish(session, rows, author="命令行", note="导入 职责.csv", actor=None, now=at, draft=True)
        rulesets.publish(session, [], author="退回", note="退回", actor=None, now=at, draft=True)
    admin = visitor("administrator")
    listed = admin.sees("/rules/?lang=en").text
    assert "<td>Imported 职责.csv</td><td>Command line</td>" in listed
    assert "<td>退回</td><td>退回</td>" in listed, "somebody typed it"
    one = admin.sees("/rules/2?lang=en").text
    assert "Nights and holidays" in one
    assert one.count("<td>违建:分阶段办理</td>") == 1, "the note of the row that the city made"


def test_the_browsers_own_wish_counts_only_where_it_is_switched_on(town: Town, app: Flask) -> None:
    its = app.extensions["settings"]
    followed = create_app(
        Settings(
            instance_path=its.instance_path,
            secret_key="k" * 40,
            database_url=its.database_url,
            browser_language=True,
        )
    )
    page = followed.test_client().get("/sign-in", headers={"Accept-Language": "en-GB,en;q=0.8"}).text
    assert tag(page) == "en"


@pytest.mark.parametrize("name", ["../app.py", "grid.css", "nothing.js", "..%2f..%2fapp.py"])
def test_only_scripts_are_served_in_english(app: Flask, name: str) -> None:
    assert app.test_client().get(f"/static/en/{name}").status_code == 404


def test_an_english_page_brings_english_scripts(app: Flask) -> None:
    client = app.test_client()
    page = client.get("/sign-in?lang=en").text
    found = re.search(r'src="(/static/en/grid\.js\?[^"]+)"', page)
    assert found
    script = client.get(found[1])
    assert "Please choose one" in script.text
    assert "immutable" in script.headers["Cache-Control"]
    assert "/static/en/" not in client.get("/sign-in?lang=zh").text
