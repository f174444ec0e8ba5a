"""One process that keeps the parts of the service running, and ends them all with itself.

A part that dies is started again; the pause before that doubles while it keeps dying, up to five seconds, and
starts anew once the part has lived for ten. Parts stand in rows: a row is started when the one before is
ready, and the rows are stopped in the opposite order.
"""

import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

from dispatch.engine.parts.children import Forked, kill_session, spawn
from dispatch.engine.parts.sockets import ReadySocket, private_socket

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
STEADY_SECONDS = 10.0
DEATHS_TO_REPORT = 5
ENDS_BEFORE_REMEDY = 2
ROW_SECONDS = 10.0
GRACE_SECONDS = 10.0
LARGEST_LOG_BYTES = 5_000_000
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_Child = subprocess.Popen[bytes] | Forked


@dataclass(frozen=True, slots=True)
class Part:
    """One process to keep running: a program, or a function of ours that is run in a copy of this process.

    Without `ready`, the part calls `announce_ready` itself.
    """

    name: str
    runs: tuple[str, ...] | Callable[[], None]
    ready: Callable[[], bool] | None = None
    # What the kernel sends when the supervisor is killed; nothing that was acknowledged depends on a clean end.
    death_signal: int = signal.SIGKILL
    # Tried once when the part ends by itself again and again before it is ready; says what it has done.
    remedy: Callable[[], str] | None = None


@dataclass(slots=True)
class _Running:
    part: Part
    child: _Child | None = None
    started_at_s: float = 0.0
    is_ready: bool = False
    deaths: int = 0
    start_at_s: float = 0.0
    said_down: bool = False
    unready_ends: int = 0

    def is_settled(self) -> bool:
        return self.is_ready or self.deaths >= DEATHS_TO_REPORT

    def pause_seconds(self) -> float:
        return min(FIRST_PAUSE_SECONDS * 2.0 ** (self.deaths - 1), LONGEST_PAUSE_SECONDS)


class Supervisor:
    """Keeps rows of parts running until a stop signal; `tell` receives each sentence for the operator."""

    def __init__(
        self,
        rows: Sequence[Sequence[Part]],
        *,
        run_folder: Path,
        log_folder: Path,
        environment: Mapping[str, str],
        tell: Callable[[str], None],
    ) -> None:
        self._rows = [[_Running(part) for part in row] for row in rows]
        self._ready_socket = ReadySocket(private_socket(run_folder, "notify.sock"))
        self._log_folder = log_folder
        log_folder.mkdir(parents=True, exist_ok=True)
        self._environment = {**environment, "NOTIFY_SOCKET": os.fspath(self._ready_socket.path)}
        self._tell = tell
        self._stop_signals = 0

    def run(self, on_up: Callable[[dict[str, bool]], None]) -> None:
        """Start everything, call `on_up` once with which parts are ready, and return after a stop signal."""
        with self._woken_by_signals() as wake:
            try:
                for row in self._rows:
                    self._start_row(row, wake)
                if not self._stop_signals:
                    on_up({running.part.name: running.is_ready for running in self._all()})
                while not self._stop_signals:
                    self._look(wake)
            finally:
                self._stop(wake)
                self._ready_socket.close()

    def _all(self) -> Iterator[_Running]:
        for row in self._rows:
            yield from row

    @contextmanager
    def _woken_by_signals(self) -> Iterator[socket.socket]:
        wake, waker = socket.socketpair()
        wake.setblocking(False)
        waker.setblocking(False)
        before = {number: signal.signal(number, self._note_stop) for number in _STOP_SIGNALS}
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        old_descriptor = signal.set_wakeup_fd(waker.fileno())
        try:
            yield wake
        finally:
            signal.set_wakeup_fd(old_descriptor)
            for number, handler in before.items():
                signal.signal(number, handler)
            wake.close()
            waker.close()

    def _note_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stop_signals += 1

    def _start_row(self, row: list[_Running], wake: socket.socket) -> None:
        for running in row:
            self._start(running)
        give_up_at_s = time.monotonic() + ROW_SECONDS
        while not (self._stop_signals or all(running.is_settled() for running in row)):
            if time.monotonic() > give_up_at_s:
                return
            self._look(wake, timeout_seconds=0.02)

    def _start(self, running: _Running) -> None:
        with self._log(running.part).open("ab") as log:
            running.child = self._child(running.part, log)
        running.started_at_s = time.monotonic()

    def _child(self, part: Part, log: IO[bytes]) -> _Child:
        if callable(part.runs):
            return Forked(part.runs, env=self._environment, output=log, death_signal=part.death_signal)
        return spawn(part.runs, env=self._environment, output=log, death_signal=part.death_signal)

    def _log(self, part: Part) -> Path:
        path = self._log_folder / f"{part.name}.log"
        if path.exists() and path.stat().st_size > LARGEST_LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
        return path

    def _look(self, wake: socket.socket, timeout_seconds: float = 0.5) -> None:
        """Wait for news, then note what is ready, bury what died, and start what is due."""
        select.select([wake.fileno(), self._ready_socket.fileno()], [], [], timeout_seconds)
        _empty(wake)
        announced = self._ready_socket.announced()
        now_s = time.monotonic()
        for running in self._all():
            if running.child is None:
                if running.deaths and now_s >= running.start_at_s and not self._stop_signals:
                    self._start(running)
            elif (code := running.child.poll()) is not None:
                self._bury(running, running.child, code, now_s)
            else:
                self._note_ready(running, running.child.pid in announced, now_s)

    def _note_ready(self, running: _Running, announced: bool, now_s: float) -> None:
        if not running.is_ready:
            running.is_ready = announced or (running.part.ready is not None and running.part.ready())
        is_steady = now_s - running.started_at_s > STEADY_SECONDS
        if running.is_ready and running.said_down and (is_steady or running.deaths < DEATHS_TO_REPORT):
            running.said_down = False
            self._tell(f"{running.part.name} 已恢复运行。")

    def _bury(self, running: _Running, child: _Child, code: int, now_s: float) -> None:
        kill_session(child.pid)
        if now_s - running.started_at_s > STEADY_SECONDS:
            running.deaths = 0
        running.unready_ends = running.unready_ends + 1 if code > 0 and not running.is_ready else 0
        running.child, running.is_ready = None, False
        running.deaths += 1
        running.start_at_s = now_s + running.pause_seconds()
        if not self._stop_signals:
            self._report_death(running, code)
            if running.unready_ends == ENDS_BEFORE_REMEDY and running.part.remedy is not None:
                self._tell(running.part.remedy())

    def _report_death(self, running: _Running, code: int) -> None:
        name, how = running.part.name, f"被信号 {-code} 终止" if code < 0 else f"以代码 {code} 退出"
        if running.deaths < DEATHS_TO_REPORT:
            self._tell(f"{name} {how}，正在重新启动。")
        elif running.deaths == DEATHS_TO_REPORT:
            log = self._log(running.part)
            self._tell(
                f"{name} 连续 {running.deaths} 次{how}，此后最多每 {LONGEST_PAUSE_SECONDS:.0f} 秒重试一次，"
                f"恢复之前不再提示。最后的输出：{_last_line(log)}（详见 {log}）"
            )
        running.said_down = True

    def _stop(self, wake: socket.socket) -> None:
        for row in reversed(self._rows):
            children = [running.child for running in row if running.child is not None]
            for child in children:
                if child.poll() is None:
                    child.send_signal(signal.SIGTERM)
            self._wait_for_end(children, wake)
            for child in children:
                kill_session(child.pid)
                child.wait()

    def _wait_for_end(self, children: Sequence[_Child], wake: socket.socket) -> None:
        give_up_at_s = time.monotonic() + GRACE_SECONDS
        while any(child.poll() is None for child in children) and time.monotonic() < give_up_at_s:
            # A second Ctrl-C means: now.
            if self._stop_signals > 1:
                return
            select.select([wake.fileno()], [], [], 0.1)
            _empty(wake)


def _empty(wake: socket.socket) -> None:
    try:
        while wake.recv(1024):
            pass
    except BlockingIOError:
        return


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace")[-4000:].split("\n") if log.exists() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "（无）")
