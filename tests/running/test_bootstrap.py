"""The bootstrap says in one sentence what stops it, and does nothing where nothing is to be done."""

import ast
import hashlib
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

SOURCE = Path(__file__).parents[2] / "deploy" / "bootstrap.py"


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("bootstrap", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, path in (("ROOT", ""), ("VENV", ".venv"), ("VENV_PYTHON", ".venv/bin/python")):
        monkeypatch.setattr(module, name, str(tmp_path / path))
    monkeypatch.setattr(module, "STAMP", str(tmp_path / ".venv" / "installed-locks.json"))
    (tmp_path / "some.lock").write_text("")
    return module


def test_an_old_python_can_read_it() -> None:
    ast.parse(SOURCE.read_text(encoding="utf-8"), feature_version=(3, 4))


def test_an_old_python_is_refused_in_one_sentence(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 1))
    with pytest.raises(SystemExit, match=r"需要 Python 3\.11 或更高版本，当前是 3\.10"):
        bootstrap.main("some.lock")


def test_a_missing_venv_module_names_the_package(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    package = f"apt-get install python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    with pytest.raises(SystemExit, match=package):
        bootstrap.main("some.lock")


def test_installs_once_and_again_only_when_the_lock_changes(bootstrap: ModuleType, tmp_path: Path) -> None:
    stamp = tmp_path / ".venv" / "installed-locks.json"
    bootstrap.main("some.lock")
    assert json.loads(stamp.read_text())["some.lock"] == hashlib.sha256(b"").hexdigest()
    made_at = stamp.stat().st_mtime_ns
    bootstrap.main("some.lock")
    assert stamp.stat().st_mtime_ns == made_at
    (tmp_path / "some.lock").write_text("# changed\n")
    bootstrap.main("some.lock")
    assert stamp.stat().st_mtime_ns > made_at


def test_a_failed_install_is_not_taken_for_done(bootstrap: ModuleType, tmp_path: Path) -> None:
    bootstrap.main("some.lock")
    (tmp_path / "some.lock").write_text("no-such-package==1 --hash=sha256:" + "0" * 64 + "\n")
    with pytest.raises(SystemExit, match="依赖安装失败"):
        bootstrap.main("some.lock")
    stamp = json.loads((tmp_path / ".venv" / "installed-locks.json").read_text())
    assert stamp["some.lock"] == hashlib.sha256(b"").hexdigest()


def test_an_environment_behind_a_link_is_never_cleared(bootstrap: ModuleType, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").touch()
    (tmp_path / ".venv").symlink_to(elsewhere)
    with pytest.raises(SystemExit, match="链接"):
        bootstrap.main("some.lock")
    assert (elsewhere / "precious").exists()
