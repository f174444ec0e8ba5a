"""Migrations: they make the tables that the code speaks of, on both databases."""

from grid import schema
from grid.database import Database


def test_an_empty_database_is_not_current_until_upgraded(database_url: str) -> None:
    database = Database(database_url)
    assert not schema.is_current(database)

    schema.upgrade(database_url)
    schema.upgrade(database_url)

    assert schema.is_current(database)
    database.dispose()


def test_the_migrations_make_what_the_code_has(database_url: str) -> None:
    schema.upgrade(database_url)

    assert schema.differences(database_url) is None, "run `make first-migration`"
