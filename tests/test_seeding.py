"""The shipped rows come into an empty installation once, and never over what a city has changed."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from sqlmodel import col, func, select

from dispatch import data
from dispatch.seeding import seed
from grid.database import Database
from grid.models import AdmissionRule, CalendarDay, Category, NoticeRule, Responsibility, Ruleset, TimeLimit

NOW = datetime(2026, 11, 2, 1, 30, tzinfo=UTC)


@pytest.fixture
def database(tables_url: str) -> Iterator[Database]:
    found = Database(tables_url)
    yield found
    found.dispose()


def test_everything_shipped_arrives_with_its_version(database: Database) -> None:
    seeded = database.write(lambda session: seed(session, NOW))

    assert seeded.ruleset_version == 1
    assert seeded.calendar_years == (2024, 2025, 2026)
    assert not seeded.newer_rules_offered
    with database.reading() as session:

        def count(table: type[object]) -> int:
            return session.exec(select(func.count()).select_from(table)).one()

        assert count(Category) == len(data.categories().rows) == seeded.categories
        assert count(TimeLimit) == len(data.time_limits().rows)
        assert count(Responsibility) == len(data.responsibilities().rows)
        assert count(AdmissionRule) == len(data.admission().rows)
        assert count(NoticeRule) == len(data.notices().rows)
        assert session.get_one(Ruleset, 1).seed_checksum == data.checksum()
        assert session.get_one(CalendarDay, date(2026, 2, 14)).kind == "work"


def test_a_second_seeding_changes_nothing_and_keeps_edits(database: Database) -> None:
    database.write(lambda session: seed(session, NOW))
    with database.writing() as session:
        session.get_one(Category, "200102").name = "生活垃圾"
        session.get_one(CalendarDay, date(2026, 5, 20)).kind = "rest"
        session.get_one(Ruleset, 1).seed_checksum = "of an older release"

    again = database.write(lambda session: seed(session, NOW))

    assert (again.categories, again.ruleset_version, again.calendar_years) == (0, None, ())
    assert again.newer_rules_offered
    with database.reading() as session:
        assert session.get_one(Category, "200102").name == "生活垃圾"
        assert session.get_one(CalendarDay, date(2026, 5, 20)).kind == "rest"
        assert session.exec(select(func.count(col(Ruleset.version)))).one() == 1
