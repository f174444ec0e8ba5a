"""Heartbeats on both databases: fresh parts count, silent ones show as none, old ones are forgotten."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import SQLModel, select

from dispatch.engine.parts.heartbeats import FORGET_AFTER, LATELY, alive, beat
from grid.database import Database
from grid.models import Heartbeat

NOON = datetime(2026, 5, 6, 4, tzinfo=UTC)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    SQLModel.metadata.create_all(database.engine, tables=[SQLModel.metadata.tables["heartbeat"]])
    yield database
    database.dispose()


def test_fresh_silent_and_forgotten(database: Database) -> None:
    long_ago = NOON - FORGET_AFTER - timedelta(seconds=1)
    beats = [("web", "a", long_ago), ("worker", "a", NOON - 2 * LATELY), ("sweeper", "a", NOON - LATELY)]
    for part, instance, at in [*beats, ("sweeper", "b", NOON), ("sweeper", "b", NOON)]:
        with database.writing() as session:
            beat(session, part=part, instance=instance, now=at)
    with database.reading() as session:
        assert alive(session, now=NOON) == {"sweeper": 2, "worker": 0}
        assert len(session.exec(select(Heartbeat)).all()) == 3
