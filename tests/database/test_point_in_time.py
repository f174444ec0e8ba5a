"""Back to an instant: a base backup and the archived log bring back what was there then, and not what came after."""

import os
import shutil
from pathlib import Path

import psycopg
import pytest

from dispatch.upkeep import verifying
from grid.database import Database
from grid.settings import Settings
from tests.database.clients import until
from tests.database.standby import Standby, ask
from tests.services import PostgresCluster, private_folder
from tests.town import found_town, open_town

SHIPPED = Path(__file__).parents[2] / "deploy" / "postgresql" / "archiving.conf"


def archiving(folder: Path) -> list[str]:
    """The options of the shipped file, with the folder of this test."""
    lines = [line.strip() for line in SHIPPED.read_text().splitlines()]
    options = [line for line in lines if line and not line.startswith("#")]
    assert any(line.startswith("archive_command") for line in options)
    return [_option(line).replace("/var/lib/postgresql/archive", str(folder)) for line in options]


def _option(line: str) -> str:
    name, _, value = line.partition("=")
    return f"{name.strip()}={value.strip().strip(chr(39))}"


@pytest.mark.slow
def test_a_mistake_is_undone_by_going_back_before_it(tmp_path: Path) -> None:
    archive = private_folder("archive")
    primary = PostgresCluster(durable=True)
    recovered = None
    try:
        primary.create()
        if os.geteuid() == 0:
            shutil.chown(archive, "postgres", "postgres")
        primary.start(*archiving(archive))
        found_town(primary.url(), tmp_path)
        recovered = Standby(primary)
        recovered.create()
        town = open_town(primary.url(), tmp_path)
        before = {town.worker.reports().code for _ in range(5)}
        instant = ask(primary, "SELECT now()")
        later = town.worker.reports().code
        primary.execute("DELETE FROM statement")
        primary.execute("TRUNCATE notice, timer, ticket_photo")
        primary.execute("SELECT pg_switch_wal()")
        until(lambda: ask(primary, "SELECT count(*) FROM pg_stat_archiver WHERE failed_count > 0") == 0)
        until(
            lambda: bool(
                ask(
                    primary,
                    "SELECT last_archived_wal >= pg_walfile_name(pg_current_wal_lsn() - 1) FROM pg_stat_archiver",
                )
            )
        )
        town.database.dispose()
        primary.stop()
        assert "synchronous_standby_names" in (recovered.data / "postgresql.auto.conf").read_text()
        recovered.prepare_recovery(archive, str(instant))
        recovered.start()
        until(lambda: ask(recovered, "SELECT NOT pg_is_in_recovery()") is True)
        with psycopg.connect(recovered.url().replace("+psycopg", "")) as connection:
            kept = {row[0] for row in connection.execute("SELECT code FROM ticket")}
        assert kept == before
        assert later not in kept
        database = Database(recovered.url())
        settings = Settings(tmp_path, secret_key="k" * 40, database_url=recovered.url())
        assert verifying.verify(database, settings, with_photos=False).wrong == []
        database.dispose()
        town = open_town(recovered.url(), tmp_path)
        town.department.acts(min(before), "start")
        town.database.dispose()
    finally:
        primary.remove()
        if recovered is not None:
            recovered.remove()
        shutil.rmtree(archive, ignore_errors=True)
