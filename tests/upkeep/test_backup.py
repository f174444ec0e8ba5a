"""A backup taken while people work comes back whole, proves itself, and refuses what is damaged."""

import io
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import inspect
from sqlmodel import select

from app import create_app
from dispatch.record.evidence import photos
from dispatch.record.models import StoredPhoto, Ticket
from dispatch.record.world import World
from dispatch.upkeep import backup, dumps, verifying
from grid.database import Database
from grid.errors import Conflict, InputError, Unavailable
from grid.settings import Settings
from tests.town import Town
from tests.upkeep.conftest import as_stream

Elsewhere = tuple[Database, Settings]


def backed_up(town: Town, settings: Settings) -> bytes:
    stream = io.BytesIO()
    backup.write(town.database, settings, stream, town.now)
    return stream.getvalue()


def codes(database: Database) -> set[str]:
    with database.reading() as session:
        return set(session.exec(select(Ticket.code)))


def test_what_was_acknowledged_before_a_backup_under_load_comes_back(
    town: Town, settings: Settings, take_photo: Callable[[int], str], elsewhere: Elsewhere
) -> None:
    before = {town.worker.reports(photos=(take_photo(number),)).code for number in range(5)}
    stop, during = threading.Event(), list[str]()

    def load() -> None:
        while not stop.is_set():
            during.append(town.worker.reports(photos=(take_photo(1),)).code)

    thread = threading.Thread(target=load)
    thread.start()
    while not during:
        pass
    archive = backed_up(town, settings)
    stop.set()
    thread.join()
    restored = backup.restore(*elsewhere, as_stream(archive))
    assert restored.proof.wrong == []
    kept = codes(elsewhere[0])
    assert before <= kept <= before | set(during)
    assert restored.manifest.counts["ticket"] == len(kept) == restored.proof.tickets
    assert restored.proof.photos == 5
    with elsewhere[0].reading() as session:
        for photo in session.exec(select(StoredPhoto)):
            assert photos.read_original(elsewhere[1], photo) == photos.read_original(settings, photo)
    assert list(elsewhere[1].instance_path.rglob("*.index")), "the borders' index was not made anew"


def test_a_restored_town_goes_on(
    town: Town, settings: Settings, take_photo: Callable[[int], str], elsewhere: Elsewhere
) -> None:
    code = town.worker.reports(photos=(take_photo(1),)).code
    backup.restore(*elsewhere, as_stream(backed_up(town, settings)))
    town.database, town.world = elsewhere[0], World(elsewhere[1])
    town.department.acts(code, "start")
    assert town.worker.reports(photos=(take_photo(2),)).code != code
    assert verifying.verify(*elsewhere).wrong == []


def test_a_database_that_holds_something_is_not_overwritten(town: Town, settings: Settings) -> None:
    code = town.worker.reports().code
    archive = backed_up(town, settings)
    with pytest.raises(Conflict, match="不是空的"):
        backup.restore(town.database, settings, as_stream(archive))
    assert code in codes(town.database)


def test_a_damaged_archive_is_refused_and_nothing_is_installed(
    town: Town, settings: Settings, elsewhere: Elsewhere
) -> None:
    town.worker.reports()
    whole = backed_up(town, settings)
    for harm in ("cut off", "one byte", "no manifest", "not ours", "stranger"):
        archive = harmed(whole, harm)
        with pytest.raises(InputError, match="备份"):
            backup.check(as_stream(archive))
        with pytest.raises(InputError, match="备份"):
            backup.restore(*elsewhere, as_stream(archive))
        assert inspect(elsewhere[0].engine).get_table_names() == []


def harmed(archive: bytes, harm: str) -> bytes:
    if harm == "cut off":
        return archive[: len(archive) // 2]
    if harm == "not ours":
        return b"GIF89a" + archive[6:600]
    if harm == "one byte":
        at = len(archive) // 3
        return archive[:at] + bytes([archive[at] ^ 1]) + archive[at + 1 :]
    out = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(archive)) as source, tarfile.open(fileobj=out, mode="w") as tar:
        for member in source:
            if harm == "no manifest" and member.name == "manifest.json":
                continue
            if harm == "stranger" and member.name == "manifest.json":
                member.name = "../../etc/cron.d/evil"
            tar.addfile(member, source.extractfile(member))
    return out.getvalue()


def test_a_photo_that_is_missing_is_named_and_the_rest_is_backed_up(
    town: Town, settings: Settings, take_photo: Callable[[int], str]
) -> None:
    kept, lost = take_photo(1), take_photo(2)
    for path in (settings.instance_path / "photos").rglob(lost):
        path.unlink()
    stream = io.BytesIO()
    manifest = backup.write(town.database, settings, stream, town.now)
    assert manifest.missing_photos == [lost]
    assert any(kept in name for name in backup.check(as_stream(stream.getvalue())).files)


def test_without_pg_dump_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "glob", lambda *_: iter(()))
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Unavailable, match="postgresql-client"):
        dumps.find_program("pg_dump")


def test_the_commands(
    town: Town, settings: Settings, tmp_path: Path, take_photo: Callable[[int], str], elsewhere: Elsewhere
) -> None:
    def run(its: Settings, *words: str) -> tuple[int, str]:
        app = create_app(its)
        done = app.test_cli_runner().invoke(args=["ops", *words])
        app.extensions["database"].dispose()
        return done.exit_code, done.output

    town.worker.reports(photos=(take_photo(1),))
    here = str(tmp_path / "one.backup")
    assert run(settings, "backup", here)[0] == 0
    assert run(settings, "backup", here) == (1, f"Error: {here} 已存在,不覆盖:请换一个名字\n")
    assert "备份完整" in run(settings, "verify", here)[1]
    for command in (("backup", str(tmp_path / "none")), ("verify",), ("anchor",)):
        code, said = run(elsewhere[1], *command)
        assert (code, "还没有表" in said) == (1, True), said
    code, said = run(elsewhere[1], "restore", here)
    assert (code, "全部相符" in said) == (0, True), said
    assert run(elsewhere[1], "verify")[0] == 0
    assert run(elsewhere[1], "anchor")[0] == 0
    assert "1 条" in run(elsewhere[1], "verify")[1]
