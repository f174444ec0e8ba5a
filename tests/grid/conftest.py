"""A fresh database with the tables in it, a small town's organisations, and people by role."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from grid import accounts
from grid.database import Database
from grid.models import Account, Organisation
from grid.settings import Settings

NOW = datetime(2026, 11, 2, 1, 30, tzinfo=UTC)
PASSWORD = "梧桐树下三只猫-2026"


@pytest.fixture
def settings(tables_url: str, tmp_path: Path) -> Settings:
    return Settings(instance_path=tmp_path, secret_key="k" * 48, database_url=tables_url)


@pytest.fixture
def database(tables_url: str) -> Iterator[Database]:
    found = Database(tables_url)
    yield found
    found.dispose()


@pytest.fixture
def organised(database: Database) -> Database:
    """Centre; a bureau with a team below it and a contractor it supervises; a street with a community."""
    with database.writing() as session:
        for code, name, kind, parent, supervised_by in (
            ("centre", "指挥中心", "centre", None, None),
            ("bureau", "城市管理局", "department", None, None),
            ("team", "城管执法一中队", "team", "bureau", None),
            ("contractor", "保洁公司", "contractor", None, "bureau"),
            ("street", "春和街道", "street", None, None),
            ("community", "春和里社区", "community", "street", None),
        ):
            session.add(
                Organisation(code=code, name=name, kind=kind, parent_code=parent, supervised_by=supervised_by)
            )
            session.flush()
    return database


def make_account(
    database: Database, login: str, role: str, organisation: str, area: str | None = None
) -> Account:
    post = accounts.NewPost(role, organisation, area)
    new = accounts.NewAccount(login=login, name=f"{login}先生", posts=(post,), password=PASSWORD)
    return database.write(lambda session: accounts.create_account(session, new, None, NOW))
