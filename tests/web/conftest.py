"""The town behind the real application: everybody signs in with a password and clicks as a browser would."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import col, select
from werkzeug.test import TestResponse

from app import create_app
from grid.accounts import passwords
from grid.models import Account
from grid.settings import Settings
from tests.town import Town
from web.service import context

PASSWORD = "a sentence nobody guesses"
HASHED = passwords.hash_password(PASSWORD)
TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')


@dataclass
class Visitor:
    """A browser of one person."""

    client: FlaskClient

    @property
    def form_token(self) -> str:
        found = TOKEN.search(self.client.get("/no-post").text) or TOKEN.search(
            self.client.get("/sign-in").text
        )
        assert found
        return found[1]

    def sees(self, path: str, **more: Any) -> TestResponse:
        return self.client.get(path, **more)

    def posts(self, path: str, **fields: Any) -> TestResponse:
        """Post a page's form, with the token that the page would carry."""
        return self.client.post(path, data={"csrf_token": self.form_token, **fields})


@dataclass
class Program:
    """A program with a token of one person."""

    client: FlaskClient
    token: str

    def calls(self, method: str, path: str, body: object = None) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.client.open(f"/api/v1{path}", method=method, json=body, headers=headers)


@pytest.fixture
def app(town: Town, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The application over the town's database, with the town's clock."""
    with town.database.writing() as session:
        for account in session.exec(select(Account).where(col(Account.login).is_not(None))):
            account.password_hash = HASHED
            session.add(account)
    url = town.database.engine.url.render_as_string(hide_password=False)
    app = create_app(
        Settings(instance_path=town.world.settings.instance_path, secret_key="k" * 40, database_url=url)
    )
    monkeypatch.setattr(context, "moment", lambda: town.now)
    return app


@pytest.fixture
def visitor(app: Flask) -> Callable[[str], Visitor]:
    """Sign a person in by name, as a browser."""

    def enter(login: str) -> Visitor:
        one = Visitor(app.test_client())
        assert one.posts("/sign-in", login=login, password=PASSWORD).status_code == 303
        return one

    return enter


@pytest.fixture
def program(app: Flask) -> Callable[[str], Program]:
    """Sign a person in by name, as a program."""

    def enter(login: str) -> Program:
        client = app.test_client()
        answer = client.post("/api/v1/session", json={"login": login, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        return Program(app.test_client(), answer.json["token"])

    return enter
