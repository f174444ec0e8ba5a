"""The single-use links: the first administrator of a new installation, and setting one's own password."""

from pathlib import Path

import pytest
from flask import Flask
from sqlmodel import select

from app import create_app
from grid import accounts
from grid.models import Account
from grid.settings import Settings
from tests.town import Town
from tests.web.conftest import Visitor
from web.cli.preparing import prepare

PHRASE = "井盖 修好 以后 再走"


@pytest.fixture
def installation(tmp_path: Path, database_url: str) -> Settings:
    """A new installation whose database is empty."""
    return Settings(instance_path=tmp_path, secret_key="k" * 40, database_url=database_url, base_url="")


@pytest.fixture
def fresh(installation: Settings) -> tuple[Flask, str]:
    """The application on it, and the path that its first start printed."""
    (line,) = prepare(installation)
    return create_app(installation), line.split()[1]


def test_the_first_administrator_signs_in_and_the_link_is_used_up(
    fresh: tuple[Flask, str], installation: Settings
) -> None:
    app, link = fresh
    visitor = Visitor(app.test_client())
    assert "建立系统管理员" in visitor.sees(link).text
    assert "建立系统管理员" in visitor.sees(link).text
    made = visitor.posts(link, login="admin", name="张敏", password=PHRASE)
    assert made.status_code == 303, made.text
    assert visitor.posts("/sign-in", login="admin", password=PHRASE).status_code == 303
    assert visitor.sees(link).status_code == 410
    assert visitor.posts(link, login="second", name="李四", password=PHRASE).status_code in {409, 410}
    assert prepare(installation) == []


def test_a_weak_password_keeps_the_link_and_what_was_typed(fresh: tuple[Flask, str]) -> None:
    app, link = fresh
    visitor = Visitor(app.test_client())
    refused = visitor.posts(link, login="admin", name="张敏", password="123")
    assert refused.status_code == 422
    assert 'value="张敏"' in refused.text
    assert 'role="alert"' in refused.text
    assert visitor.posts(link, login="admin", name="张敏", password=PHRASE).status_code == 303


def test_a_password_link_sets_the_password_once(app: Flask, town: Town) -> None:
    with town.database.writing() as session:
        account = session.exec(select(Account).where(Account.login == "dispatcher")).one()
        token = accounts.make_password_link(session, account, None, town.now)
    visitor = Visitor(app.test_client())
    assert visitor.posts(f"/password/{token}", password=PHRASE).status_code == 303
    assert visitor.posts("/sign-in", login="dispatcher", password=PHRASE).status_code == 303
    assert visitor.posts(f"/password/{token}", password=PHRASE).status_code == 410
