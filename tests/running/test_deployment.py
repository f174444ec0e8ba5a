"""What `deploy/` starts exists: commands, settings and unit files, as far as this machine can tell."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from flask import Flask

from app import create_app
from grid.settings import load_settings
from tests.services import missing

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = sorted(DEPLOY.glob("systemd/grid12345*"))
PARTS = {"web", "work", "sweep"}


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return create_app(load_settings(tmp_path, {}))


def test_compose_runs_every_part_by_a_command_that_exists(app: Flask) -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    ours = {name: row["command"][0] for name, row in services.items() if row.get("image") == "grid12345"}
    assert set(ours.values()) - {"migrate"} == PARTS
    assert set(ours.values()) <= set(app.cli.commands)
    assert services["migrate"]["restart"] == "no"
    for name in set(ours) - {"migrate"}:
        assert services[name]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}


def test_the_settings_it_gives_are_accepted(tmp_path: Path) -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    example = (DEPLOY / "systemd" / "environment.example").read_text()
    lines = [line.partition("=") for line in example.splitlines() if line and not line.startswith("#")]
    for given in (services["web"]["environment"], {name: value for name, _, value in lines}):
        filled = {name: re.sub(r"\$\{\w+\}|<[^>]*>", "x" * 40, value) for name, value in given.items()}
        filled["GRID_BASE_URL"] = "https://grid.example.gov.cn"
        settings = load_settings(tmp_path, filled)
        assert settings.database_url.startswith("postgresql")
        assert settings.secure_cookies


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_file_is_understood_and_names_a_command_that_exists(
    unit: Path, app: Flask, tmp_path: Path
) -> None:
    if shutil.which("systemd-analyze") is None:
        missing("systemd-analyze", "systemd")
    for each in UNITS:
        shutil.copy(each, tmp_path / each.name.replace("@.", "@8001."))
    text = unit.read_text()
    for command in re.findall(r"--app app (\w+)", text):
        assert command in app.cli.commands
    # The program itself is installed elsewhere; everything else has to be understood.
    answer = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", tmp_path / unit.name.replace("@.", "@8001.")],
        capture_output=True,
        text=True,
    )
    said = [line for line in answer.stderr.splitlines() if unit.stem.split("@")[0] in line]
    assert [line for line in said if re.search(r"Unknown|Failed to parse|ignoring", line)] == []
