"""Many writers at once: none is told that the database is locked, and no accepted edit is lost."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import func, select

from dispatch.record.models import Source, Ticket
from grid import database as database_module
from grid.database import Database
from tests.database.crowd import LONG, edit_at_random, events_of, in_processes, report_from_threads
from tests.town import Town, open_town

PROCESSES, TICKETS = 8, 5
EDITS = 500 if LONG else 25


@pytest.fixture
def sqlite_town(founded: Path, tmp_path: Path) -> Iterator[Town]:
    for name in ("town.db", "town.index"):
        shutil.copy(founded / name, tmp_path)
    town = open_town(f"sqlite:///{tmp_path / 'town.db'}", tmp_path)
    yield town
    town.database.dispose()


def url_of(town: Town) -> str:
    return town.database.engine.url.render_as_string(hide_password=False)


def folder_of(town: Town) -> Path:
    return town.world.settings.instance_path


def test_fifty_writers_are_never_told_that_it_is_locked(sqlite_town: Town) -> None:
    processes, threads, reports = 5, 10, (20 if LONG else 2)
    seen = in_processes(
        processes, report_from_threads, url_of(sqlite_town), folder_of(sqlite_town), threads, reports
    )
    assert dict(seen) == {"accepted": processes * threads * reports}
    with sqlite_town.database.reading() as session:
        assert session.execute(select(func.count()).select_from(Ticket)).scalar_one() == seen["accepted"]


def test_no_accepted_edit_is_lost(town: Town) -> None:
    codes = [
        town.worker.reports(
            source=Source.ON_BEHALF, reporter_name="赵大爷", reporter_phone="13800009999", consented=True
        ).code
        for _ in range(TICKETS)
    ]
    for code in codes:
        town.department.acts(code, "contact", outcome="reached")
    before = sum(town.ticket(code).version for code in codes)
    lines = sum(events_of(town, code) for code in codes)
    seen = in_processes(PROCESSES, edit_at_random, url_of(town), folder_of(town), codes, EDITS)
    # On a busy machine PostgreSQL may give up waiting for a row: that is said, and nothing of the edit remains.
    gave_up = sum(count for said, count in seen.items() if "due to lock timeout" in said)
    assert seen["accepted"] + seen["conflict"] + gave_up == PROCESSES * EDITS, seen
    assert gave_up <= PROCESSES * EDITS / 100, seen
    assert sum(town.ticket(code).version for code in codes) - before == seen["accepted"]
    assert sum(events_of(town, code) for code in codes) - lines == seen["accepted"]
    assert seen["conflict"] > 0, "the processes never met"


def test_sqlite_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'kept.db'}")
    with database.reading() as session:
        values = {name: session.execute(text(f"PRAGMA {name}")).scalar_one() for name in PRAGMAS}
    database.dispose()
    assert values == PRAGMAS


PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": 2,
    "foreign_keys": 1,
    "busy_timeout": database_module.BUSY_TIMEOUT_MS,
}


def test_an_sqlite_whose_wal_may_break_uses_a_rollback_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}"
    for version, journal in (("3.53.4", "wal"), ("3.51.2", "delete"), ("3.51.3", "wal")):
        monkeypatch.setattr(database_module.sqlite, "sqlite_version", version)
        database = Database(url)
        with database.reading() as session:
            assert session.execute(text("PRAGMA journal_mode")).scalar_one() == journal
        database.dispose()
