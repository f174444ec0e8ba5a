"""The supervising process on real processes: what dies comes back, and nothing is left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SUPERVISE = """
import json, os, sys
from pathlib import Path
from dispatch.engine.parts.supervising import Part, Supervisor
folder = Path(sys.argv[1])
def runs(code):
    return (lambda: exec(code, {})) if sys.argv[3] == "forked" else (sys.executable, "-c", code)
rows = [[Part(name, runs(code)) for name, code in row] for row in json.loads(sys.argv[2])]
def tell(sentence):
    print(sentence, flush=True)
Supervisor(rows, run_folder=folder / "run", log_folder=folder / "log", environment=os.environ, tell=tell).run(
    lambda ready: tell("up " + json.dumps(ready))
)
tell("stopped")
"""
WORKS = """
import os, signal, sys, time
from dispatch.engine.parts.sockets import announce_ready
def leave(*_):
    open("stopped", "a").write(NAME + " ")
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
open(f"pid-{NAME}", "w").write(str(os.getpid()))
announce_ready()
while True:
    time.sleep(0.05)
"""
FORKS = """
import os, time
from dispatch.engine.parts.sockets import announce_ready
if os.fork() == 0:
    os.setpgrp()
    open("pid-horse", "w").write(str(os.getpid()))
    time.sleep(60)
open("pid-parent", "w").write(str(os.getpid()))
announce_ready()
time.sleep(60)
"""
FAILS = "open('starts', 'a').write('x'); raise SystemExit('no such table: ticket')"
STUBBORN = """
import os, signal, time
from dispatch.engine.parts.sockets import announce_ready
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open("pid-stubborn", "w").write(str(os.getpid()))
announce_ready()
time.sleep(60)
"""


def works(name: str) -> tuple[str, str]:
    return name, f"NAME = {name!r}\n{WORKS}"


class Supervised:
    """A supervisor in a process of its own, with what it said."""

    def __init__(self, folder: Path, kind: str, *rows: list[tuple[str, str]]) -> None:
        self.folder = folder
        root = Path(__file__).parents[2]
        self.process = subprocess.Popen(
            [sys.executable, "-c", SUPERVISE, folder, json.dumps(rows), kind],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(root)},
            stdout=(folder / "said").open("wb"),
        )

    def said(self) -> str:
        return (self.folder / "said").read_text()

    def pid_of(self, name: str) -> int:
        """What the part wrote, which may be a moment after it began."""
        written = self.folder / f"pid-{name}"
        eventually(lambda: written.exists() and written.read_text().isdigit())
        return int(written.read_text() or 0)

    def ends(self, *signals: int) -> None:
        for number in signals:
            self.process.send_signal(number)
            time.sleep(0.3)
        self.process.wait(15)


@pytest.fixture(params=["program", "forked"])
def supervise(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., Supervised]]:
    started: list[Supervised] = []

    def start(*rows: list[tuple[str, str]]) -> Supervised:
        started.append(Supervised(tmp_path, request.param, *rows))
        eventually(lambda: "up " in started[-1].said(), seconds=20)
        return started[-1]

    yield start
    for supervised in started:
        if supervised.process.poll() is None:
            supervised.ends(signal.SIGTERM)


def eventually(is_so: Callable[[], bool], *, seconds: float = 20) -> None:
    give_up_at = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < give_up_at, "did not happen in time"
        time.sleep(0.03)


def is_gone(pid: int) -> bool:
    """Ended; where nobody fetches what an orphan left, its entry may stay."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_a_killed_part_comes_back(supervise: Callable[..., Supervised]) -> None:
    supervised = supervise([works("sweeper")], [works("web")])
    eventually(lambda: '{"sweeper": true, "web": true}' in supervised.said())
    first = supervised.pid_of("sweeper")
    os.kill(first, signal.SIGKILL)
    eventually(lambda: supervised.pid_of("sweeper") != first)
    eventually(lambda: "sweeper 已恢复运行" in supervised.said())
    assert "sweeper 被信号 9 终止" in supervised.said()
    assert "web 被" not in supervised.said()


def test_the_work_horse_of_a_killed_part_is_ended_too(supervise: Callable[..., Supervised]) -> None:
    supervised = supervise([("worker", FORKS)])
    horse = supervised.pid_of("horse")
    os.kill(supervised.pid_of("parent"), signal.SIGKILL)
    eventually(lambda: is_gone(horse))


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_signal_ends_the_rows_in_reverse_order(
    supervise: Callable[..., Supervised], tmp_path: Path, stop: signal.Signals
) -> None:
    supervised = supervise([works("redis")], [works("worker")], [works("web")])
    supervised.ends(stop)
    assert supervised.process.returncode == 0
    assert (tmp_path / "stopped").read_text() == "web worker redis "
    assert all(is_gone(supervised.pid_of(name)) for name in ("web", "worker", "redis"))
    assert "重新启动" not in supervised.said()


def test_a_second_interrupt_does_not_wait(supervise: Callable[..., Supervised]) -> None:
    supervised = supervise([("stubborn", STUBBORN)])
    began = time.monotonic()
    supervised.ends(signal.SIGINT, signal.SIGINT)
    assert is_gone(supervised.pid_of("stubborn"))
    assert time.monotonic() - began < 5


def test_no_part_outlives_a_killed_supervisor(supervise: Callable[..., Supervised]) -> None:
    supervised = supervise([works("redis"), ("stubborn", STUBBORN)], [works("web")])
    supervised.ends(signal.SIGKILL)
    eventually(lambda: all(is_gone(supervised.pid_of(name)) for name in ("redis", "stubborn", "web")))


@pytest.mark.slow
def test_a_part_that_keeps_dying_is_reported_once_and_retried_calmly(
    supervise: Callable[..., Supervised], tmp_path: Path
) -> None:
    supervised = supervise([("worker", FAILS)], [works("web")])
    eventually(lambda: "连续" in supervised.said(), seconds=20)
    time.sleep(7)
    assert supervised.said().count("连续") == 1
    assert supervised.said().count("正在重新启动") == 4
    assert "no such table: ticket" in supervised.said()
    assert len((tmp_path / "starts").read_text()) < 12
    assert '"worker": false, "web": true' in supervised.said()
