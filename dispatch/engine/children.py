"""Child processes that do not outlive the process that started them."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
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


def adopt_orphans() -> None:
    """Become the parent of grandchildren whose own parent dies, so that they can be ended too (Linux)."""
    if _libc is not None:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


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


def end(child: subprocess.Popen[bytes], *, grace_seconds: float = 10.0, signum: int = signal.SIGTERM) -> None:
    """Ask one child to stop, then end its whole process group."""
    if child.poll() is None:
        child.send_signal(signum)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(grace_seconds)
    kill_group(child.pid)
    child.wait()


def kill_group(pid: int) -> None:
    """SIGKILL to every process left in the group that `spawn` opened for `pid`."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
