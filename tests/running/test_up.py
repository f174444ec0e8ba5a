"""`flask up` as a person starts it: what it prints, what it refuses, and that it leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grid.settings import load_settings
from tests.services import free_port

ROOT = Path(__file__).parents[2]
STUB = """
import os
from flask import Flask
from web.cli import running

def create_app():
    app = Flask("stub")
    running.register(app)
    app.add_url_rule("/redis", view_func=lambda: os.environ.get("REDIS_URL", "none"))
    running.jobs.work = running.sweeper.run = wait
    return app

def wait(settings, stop):
    stop.wait()
"""


class Started:
    """A running `flask up` with what it printed."""

    def __init__(
        self, folder: Path, port: int, app: str = "stub", options: tuple[str, ...] = (), **more: str
    ) -> None:
        (folder / "stub.py").write_text(STUB)
        self.port = port
        self.output = folder / f"said-{port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", app, "up", *options],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "GRID_PORT": str(port), **more},
            stdout=self.output.open("wb"),
            stderr=subprocess.STDOUT,
        )

    def said(self) -> str:
        return self.output.read_text()

    def wait_until_up(self) -> None:
        give_up_at = time.monotonic() + 30
        while "Ctrl-C" not in self.said():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < give_up_at, self.said()
            time.sleep(0.1)


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Callable[..., Started]]:
    started: list[Started] = []

    def start(
        port: int | None = None, app: str = "stub", options: tuple[str, ...] = (), **more: str
    ) -> Started:
        started.append(Started(tmp_path, port or free_port(), app, options, **more))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.send_signal(signal.SIGTERM)
            one.process.wait(20)


def descendants(pid: int) -> list[int]:
    listing = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, line.split())) for line in listing.splitlines()]
    return [child for child, parent in pairs if parent == pid]


def is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


def test_says_what_is_up_and_stops_without_leaving_a_process(up: Callable[..., Started]) -> None:
    started = up()
    started.wait_until_up()
    assert f"http://127.0.0.1:{started.port}" in started.said()
    assert "redis 运行中 · sweeper 运行中 · worker-1 运行中 · web 运行中" in started.said()
    with urllib.request.urlopen(f"http://127.0.0.1:{started.port}/redis") as reply:
        assert reply.read().startswith(b"unix://")
    children = descendants(started.process.pid)
    assert len(children) == 4
    started.process.send_signal(signal.SIGINT)
    assert started.process.wait(20) == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)


@pytest.mark.slow
def test_every_killed_part_of_the_service_is_back_within_ten_seconds(up: Callable[..., Started]) -> None:
    started = up(app="app")
    started.wait_until_up()
    for victim in descendants(started.process.pid):
        os.kill(victim, signal.SIGKILL)
        give_up_at = time.monotonic() + 10
        while len(set(descendants(started.process.pid)) - {victim}) < 4 or not is_ready(started.port):
            assert time.monotonic() < give_up_at, started.said()
            time.sleep(0.1)
    assert started.said().count("被信号 9 终止") == 4


def test_an_unreadable_redis_file_is_set_aside(up: Callable[..., Started], tmp_path: Path) -> None:
    first = up()
    first.wait_until_up()
    first.process.send_signal(signal.SIGTERM)
    first.process.wait(20)
    for manifest in (tmp_path / "instance" / "redis").rglob("*.manifest"):
        manifest.write_text("not a manifest")
    second = up()
    second.wait_until_up()
    assert "redis 运行中" in second.said()
    assert "从空白开始" in second.said()
    assert len(list((tmp_path / "instance" / "redis").glob("*-unreadable-*"))) == 1


def test_a_redis_that_does_not_answer_is_said_and_keeps_nothing_from_starting(
    up: Callable[..., Started],
) -> None:
    started = up(app="app", REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")
    started.wait_until_up()
    assert "REDIS_URL 指定的 Redis 没有应答" in started.said()
    assert "sweeper 运行中 · worker-1 运行中 · web 运行中" in started.said()
    assert not is_ready(started.port)


def test_a_taken_port_is_one_sentence_with_the_setting(up: Callable[..., Started]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        started = up(port)
        assert started.process.wait(20) == 1
    assert f"GRID_PORT={port + 1}" in started.said()
    assert len(started.said().strip().splitlines()) == 1


def test_a_second_start_on_the_same_data_is_refused(up: Callable[..., Started]) -> None:
    first = up()
    first.wait_until_up()
    second = up()
    assert second.process.wait(20) == 1
    assert f"进程 {first.process.pid}" in second.said()
    assert "GRID_INSTANCE_PATH" in second.said()
    assert first.process.poll() is None


def test_the_address_follows_the_port(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, {"GRID_PORT": "8123"})
    assert settings.base_url == "http://127.0.0.1:8123"
    named = load_settings(tmp_path, {"GRID_PORT": "8123", "GRID_BASE_URL": "https://grid.example"})
    assert named.base_url == "https://grid.example"
