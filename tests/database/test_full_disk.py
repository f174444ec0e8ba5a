"""A database whose disk is full refuses in words, loses nothing, and goes on when there is room."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from grid.errors import Unavailable
from tests.town import Town, found_town, open_town


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", tmp_path], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("cannot mount a tmpfs; to run this test: run it as root")
    yield tmp_path
    subprocess.run(["umount", "-l", tmp_path], check=True)


def report_until_refused(town: Town) -> list[str]:
    codes: list[str] = []
    with suppress(Unavailable):
        for _ in range(2000):
            codes.append(town.worker.reports().code)
    return codes


def test_nothing_acknowledged_is_lost_on_a_full_disk(small_disk: Path) -> None:
    found_town(f"sqlite:///{small_disk / 'town.sqlite3'}", small_disk)
    town = open_town(f"sqlite:///{small_disk / 'town.sqlite3'}", small_disk)
    filler = small_disk / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(os.urandom(65536))
    acknowledged = report_until_refused(town)
    assert len(acknowledged) < 2000
    with pytest.raises(Unavailable):
        town.worker.reports()
    filler.unlink()
    acknowledged.append(town.worker.reports().code)
    for code in acknowledged:
        assert town.ticket(code).code == code
    with town.database.reading() as session:
        assert session.connection().exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    town.database.dispose()
