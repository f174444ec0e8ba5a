"""Whatever keeps the service from running is named, all at once, each with its cure."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import redis
from sqlalchemy import text

from dispatch.engine.health import checking
from dispatch.engine.parts.redis_server import RedisServer
from grid import schema
from grid.database import Database
from grid.errors import SettingsError
from grid.settings import Settings, load_settings
from tests.services import free_port, missing


@pytest.fixture
def ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(checking, "LEAST_FREE_BYTES", 0)
    url = f"sqlite:///{tmp_path / 'grid.sqlite3'}"
    schema.upgrade(url)
    return Settings(
        tmp_path, secret_key="k" * 40, database_url=url, photo_url=f"file://{tmp_path / 'photos'}"
    )


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """A small disk of its own, mounted as asked."""
    folders: list[Path] = []

    def mount(*options: str) -> Path:
        folder = tmp_path / f"disk{len(folders)}"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", ",".join(("size=256k", *options)), "tmpfs", folder]
        if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode != 0:
            missing("leave to mount a disk", "run as root where mounting is allowed")
        folders.append(folder)
        return folder

    yield mount
    for folder in folders:
        subprocess.run(["umount", folder], check=True)


def test_when_all_is_well_there_is_nothing_to_say(ready: Settings, redis_url: str) -> None:
    assert checking.troubles(replace(ready, redis_url=redis_url)) == []


def test_a_read_only_disk_and_a_full_one_are_told_apart(
    ready: Settings, mounted: Callable[..., Path]
) -> None:
    full = mounted()
    with pytest.raises(OSError, match="space"), (full / "ballast").open("wb") as file:
        file.write(b"x" * 10**6)
    (only_read,) = checking.troubles(replace(ready, photo_url=f"file://{mounted('ro')}"))
    (no_room,) = checking.troubles(replace(ready, photo_url=f"file://{full}"))
    assert "只读" in only_read
    assert "已满" in no_room
    assert "GRID_PHOTO_URL" in no_room


@pytest.mark.parametrize(("revision", "said"), [("of-next-year", "比程序新"), (None, "还没有表")])
def test_a_database_of_another_version_is_named(ready: Settings, revision: str | None, said: str) -> None:
    database = Database(ready.database_url)
    with database.writing() as session:
        session.execute(text("DELETE FROM alembic_version"))
        if revision:
            session.execute(text("INSERT INTO alembic_version VALUES (:r)"), {"r": revision})
    database.dispose()
    (found,) = checking.troubles(ready)
    assert said in found


def test_a_database_one_migration_behind_is_named(
    ready: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = tmp_path / "newer"
    shutil.copytree(schema.MIGRATIONS, newer)
    head = schema.ScriptDirectory(str(newer)).get_current_head()
    (newer / "versions" / "next.py").write_text(
        f"revision = 'next'\ndown_revision = {head!r}\ndef upgrade():\n    pass\n"
    )
    monkeypatch.setattr(schema, "MIGRATIONS", newer)
    (found,) = checking.troubles(ready)
    assert "flask migrate" in found


def test_a_durability_that_was_switched_off_is_named(ready: Settings, postgres_url: str) -> None:
    schema.upgrade(postgres_url)
    found = "\n".join(checking.troubles(replace(ready, database_url=postgres_url)))
    assert "synchronous_commit" in found
    assert "fsync" in found


def test_a_redis_with_a_password_or_one_that_evicts_is_named(
    ready: Settings, redis_server: RedisServer
) -> None:
    its = replace(ready, redis_url=redis_server.url)
    with redis.Redis.from_url(redis_server.url) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        assert "noeviction" in checking.troubles(its)[0]
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("requirepass", "secret")
        try:
            (found,) = checking.troubles(its)
            assert "REDIS_URL" in found
            assert "密码" in found
        finally:
            client.config_set("requirepass", "")


def test_everything_is_named_at_once(ready: Settings) -> None:
    port = free_port()
    wrong = replace(
        ready,
        database_url=f"postgresql://grid@127.0.0.1:{port}/none",
        redis_url=f"redis://127.0.0.1:{port}/0",
    )
    found = "\n".join(checking.troubles(wrong))
    assert "DATABASE_URL" in found
    assert "REDIS_URL" in found


def test_a_settings_file_that_does_not_parse_is_named(tmp_path: Path) -> None:
    for content in (b"port = = 1", b"city_name = '\xff'"):
        (tmp_path / "settings.toml").write_bytes(content)
        with pytest.raises(SettingsError, match=r"settings\.toml"):
            load_settings(tmp_path, {})
