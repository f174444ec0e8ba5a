"""Whatever is done to the record behind the application's back is found, and named by its ticket."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from dispatch.upkeep import anchors, verifying
from dispatch.upkeep.verifying import CHAIN, Proof
from grid.models import StandingChange
from grid.settings import Settings
from tests.town import Town


@pytest.fixture
def code(town: Town) -> str:
    """A ticket with a history of several lines and a text."""
    made = town.worker.reports(text="门口堆了垃圾").code
    town.department.acts(made, "start", note="下午去")
    return made


def prove(town: Town) -> Proof:
    return verifying.verify(town.database, town.world.settings, with_photos=False)


def do(town: Town, statement: str, **values: object) -> int:
    with town.database.writing() as session:
        return session.execute(text(statement), values).rowcount  # type: ignore[attr-defined]


def anchor(town: Town) -> int:
    with town.database.reading() as session:
        return anchors.write(session, anchors.folder_of(town.world.settings), town.now)


LAST = "seq = (SELECT max(e.seq) FROM ticket_event e WHERE e.ticket_id = ticket_event.ticket_id)"


def test_an_honest_record_holds(town: Town, code: str) -> None:
    assert anchor(town) == 1
    proof = prove(town)
    assert (proof.tickets, proof.wrong, proof.anchored) == (1, [], 1)
    assert proof.events >= 3


@pytest.mark.parametrize(
    ("harm", "named"),
    [
        ("UPDATE ticket_event SET action = 'open' WHERE seq = 2", "内容与摘要不符"),
        ("UPDATE ticket_event SET at = '2026-01-01 00:00:00+00:00' WHERE seq = 1", "内容与摘要不符"),
        ("DELETE FROM ticket_event WHERE seq = 2", "缺失"),
        ("UPDATE statement SET text = '没有的事' WHERE name = 'note'", "文字"),
        ("DELETE FROM ticket_event", "没有任何历史"),
    ],
)
def test_an_edit_is_found(town: Town, code: str, harm: str, named: str) -> None:
    if harm.startswith("DELETE"):
        do(town, "DELETE FROM statement")
    assert do(town, harm)
    wrong = prove(town).wrong
    assert any(code in line and named in line for line in wrong), wrong


def test_two_lines_exchanged_are_found(town: Town, code: str) -> None:
    for before, after in ((2, 99), (3, 2), (99, 3)):
        do(town, "UPDATE ticket_event SET seq = :after WHERE seq = :before", before=before, after=after)
    assert not prove(town).holds


def test_an_end_cut_off_is_found_by_the_anchor_alone(town: Town, code: str) -> None:
    do(town, "DELETE FROM statement WHERE name = 'note'")
    anchor(town)
    assert do(town, f"DELETE FROM ticket_event WHERE {LAST}") == 1
    (found,) = prove(town).wrong
    assert "已不存在" in found


def test_an_older_database_put_in_place_is_found(town: Town, code: str) -> None:
    town.later(hours=2)
    anchor(town)
    later = town.later(days=1).worker.reports().code
    assert anchor(town) == 1, "only what grew is anchored again"
    for table in (
        "ticket_photo",
        "timer",
        "ticket_clock",
        "assignment",
        "outbox",
        "ticket_event",
        "statement",
    ):
        do(town, f"DELETE FROM {table} WHERE ticket_id = (SELECT id FROM ticket WHERE code = :c)", c=later)
    assert any("已不存在" in line for line in prove(town).wrong)


def test_a_changed_or_missing_anchor_file_is_found(town: Town, code: str, tmp_path: Path) -> None:
    folder = anchors.folder_of(town.world.settings)
    for _ in range(3):
        town.later(hours=3).worker.reports()
        anchor(town)
    assert prove(town).holds
    first, second, _ = sorted(folder.iterdir())
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    second.unlink()
    assert any("前一个文件" in line for line in prove(town).wrong)
    proof = verifying.verify(town.database, town.world.settings, with_photos=False, anchor_folder=copy)
    assert proof.holds
    (copy / first.name).chmod(0o600)
    (copy / first.name).write_text("before -\n")
    assert anchors.breaks(copy)


def test_a_photo_changed_on_disk_is_found(
    town: Town, settings: Settings, take_photo: Callable[[int], str]
) -> None:
    sha256 = take_photo(1)
    assert verifying.verify(town.database, settings).wrong == []
    (path,) = (settings.instance_path / "photos" / "original").rglob(sha256)
    path.write_bytes(path.read_bytes()[:-1])
    (found,) = verifying.verify(town.database, settings).wrong
    assert sha256[:12] in found


def test_the_proof_is_kept_for_the_operator(town: Town, code: str) -> None:
    verifying.record(town.database, prove(town), town.now + timedelta(hours=1))
    with town.database.reading() as session:
        row = session.exec(select(StandingChange).where(col(StandingChange.thing) == CHAIN)).one()
    assert '"wrong":0' in (row.after or "")
