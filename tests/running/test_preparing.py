"""A start that cannot succeed says in a sentence what is wrong and what to do, and shows no traceback."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import click
import pytest
from sqlalchemy import text

from grid.database import Database
from grid.settings import Settings
from tests.services import free_port
from web.cli.preparing import prepare, read_settings

ROOT = Path(__file__).parents[2]


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return Settings(instance_path=tmp_path, secret_key="k" * 40, database_url=database_url)


def test_every_wrong_setting_is_named_at_once(tmp_path: Path) -> None:
    wrong = {"GRID_INSTANCE_PATH": str(tmp_path), "GRID_PORT": "many", "GRID_TIMEZONE": "Mars"}
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "app", "up"],
        cwd=ROOT,
        env={**os.environ, **wrong},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert {"GRID_PORT", "GRID_TIMEZONE"} <= set(re.findall(r"^[A-Z_]+", done.stderr, flags=re.M))
    assert "Traceback" not in done.stderr


def test_an_unusable_instance_folder_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRID_INSTANCE_PATH", "/proc/nowhere")
    with pytest.raises(click.ClickException, match=r"/proc/nowhere.*GRID_INSTANCE_PATH"):
        read_settings()


def test_a_database_newer_than_the_program_is_refused(settings: Settings) -> None:
    prepare(settings)
    database = Database(settings.database_url)
    with database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = 'of-next-year'"))
    database.dispose()
    with pytest.raises(click.ClickException, match=r"of-next-year.*恢复升级前的备份"):
        prepare(settings)


def test_a_database_from_before_the_first_release_is_refused(settings: Settings) -> None:
    prepare(settings)
    database = Database(settings.database_url)
    with database.writing() as session:
        session.execute(text("ALTER TABLE heartbeat DROP COLUMN seen_at"))
    database.dispose()
    with pytest.raises(click.ClickException, match=r"heartbeat\.seen_at 等 1 处.*删除数据库"):
        prepare(settings)


@pytest.mark.parametrize("url", ["postgresql://grid@127.0.0.1:{port}/grid", "sqlite:////proc/grid.sqlite3"])
def test_a_database_that_cannot_be_opened_is_named(tmp_path: Path, url: str) -> None:
    settings = Settings(tmp_path, secret_key="k" * 40, database_url=url.format(port=free_port()))
    with pytest.raises(click.ClickException, match="DATABASE_URL"):
        prepare(settings)


def test_a_second_start_prints_a_new_link_and_voids_the_first(settings: Settings) -> None:
    first, second = prepare(settings), prepare(replace(settings, base_url="https://grid.example"))
    assert first != second
    assert "https://grid.example/first/" in second[0]
