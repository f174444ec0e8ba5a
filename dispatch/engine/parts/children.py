"""Child processes that do not outlive the process that started them."""

import contextlib
import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1
_HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(signum: int = signal.SIGKILL, *, parent_pid: int | None = None) -> None:
    """Ask the kernel to send this process `signum` when its parent ends (Linux; elsewhere nothing).

    `parent_pid` closes the gap in which the parent died before the request was made.
    """
    if _libc is None:
        return
    _libc.prctl(_PR_SET_PDEATHSIG, int(signum), 0, 0, 0)
    if parent_pid is not None and os.getppid() != parent_pid:
        os.kill(os.getpid(), signal.SIGKILL)


def spawn(
    argv: Sequence[str | os.PathLike[str]],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    output: IO[bytes] | int | None = None,
    user: str | None = None,
    death_signal: int = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own that gets `death_signal` when this one ends."""
    return subprocess.Popen(
        [os.fspath(word) for word in argv],
        env=None if env is None else dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=None if output is None else subprocess.STDOUT,
        start_new_session=True,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
        preexec_fn=_bind_to(os.getpid(), death_signal),
    )


def _bind_to(parent_pid: int, death_signal: int) -> Callable[[], None]:
    return lambda: die_with_parent(death_signal, parent_pid=parent_pid)


class Forked:
    """A function at work in a copy of this process, which has its modules loaded already.

    Starts in milliseconds where a new interpreter needs seconds. It must build its own database engine and
    application: connections do not survive being shared.
    """

    def __init__(
        self,
        work: Callable[[], None],
        *,
        env: Mapping[str, str],
        output: IO[bytes],
        death_signal: int = signal.SIGKILL,
    ) -> None:
        parent_pid = os.getpid()

        def enter() -> None:
            die_with_parent(death_signal, parent_pid=parent_pid)
            os.setsid()
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
            os.environ.clear()
            os.environ.update(env)
            signal.set_wakeup_fd(-1)
            for number in _HANDLED:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _HANDLED)
            work()

        self._process = multiprocessing.get_context("fork").Process(target=enter)
        # A stop signal that came before the copy has its own handlers would be lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _HANDLED)
        assert self._process.pid is not None
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        """Exit code, negative for a signal, None while at work."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """Like `Popen.poll`."""
        return self._process.exitcode

    def wait(self) -> None:
        """Wait for the end."""
        self._process.join()

    def send_signal(self, number: int) -> None:
        """Like `Popen.send_signal`: nothing happens once the process has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)


def end(child: subprocess.Popen[bytes], *, grace_seconds: float = 10.0, signum: int = signal.SIGTERM) -> None:
    """Ask one child to stop, then end whatever is left of its session."""
    if child.poll() is None:
        child.send_signal(signum)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(grace_seconds)
    if child.poll() is None:
        child.kill()
        child.wait()
    kill_session(child.pid)


def kill_session(session_id: int) -> None:
    """SIGKILL to every process left in the session that `spawn` opened, in whatever group it put itself."""
    if _libc is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(session_id, signal.SIGKILL)
        return
    while members := list(_session_members(session_id)):
        for pid in members:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _session_members(session_id: int) -> Iterator[int]:
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name in brackets may hold spaces; what follows it: state, ppid, pgrp, session.
            state, _, _, session = entry.read_text().rpartition(")")[2].split()[:4]
            if int(session) == session_id and state != "Z":
                yield int(entry.parent.name)
