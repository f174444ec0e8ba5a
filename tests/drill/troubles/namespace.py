"""A network of its own for the clients (netns + veth), whose only way out can be dropped or refused by iptables.

Nothing outlives the process that made it, however it ends: the namespace is held by a child that dies with it, and the
pair of devices goes with the namespace. Two runs on one machine take addresses of their own.
"""

import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dispatch.engine.parts.children import end, spawn

SET_UP_WITHIN_S = 10.0


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@dataclass(frozen=True)
class Namespace:
    """The clients' network; `inside` puts a command into it."""

    holder: int
    ours: str
    theirs: str

    def inside(self, *command: str) -> tuple[str, ...]:
        return ("nsenter", f"--net={self._file}", *command)

    @property
    def _file(self) -> Path:
        return Path(f"/proc/{self.holder}/ns/net")

    def is_apart(self) -> bool:
        return self._file.readlink() != Path("/proc/self/ns/net").readlink()

    @contextmanager
    def cut(self, port: int, *how: str) -> Iterator[None]:
        """Nothing reaches this port of ours: silence (`DROP`) or a reset (`REJECT …`)."""
        rule = ("INPUT", "-p", "tcp", "-s", self.theirs, "--dport", str(port), "-j", *how)
        run("iptables", "-w", "-I", *rule)
        try:
            yield
        finally:
            run("iptables", "-w", "-D", *rule)


@contextmanager
def namespace() -> Iterator[Namespace]:
    """A namespace joined to this one by a pair of devices; needs root."""
    holder = spawn(["unshare", "--net", "sleep", "infinity"])
    try:
        found = Namespace(holder.pid, *_two_free_addresses())
        give_up_at = time.monotonic() + SET_UP_WITHIN_S
        while not found.is_apart():
            if holder.poll() is not None or time.monotonic() > give_up_at:
                raise RuntimeError("unshare --net made no network of its own")
            time.sleep(0.01)
        outer, inner = f"d{holder.pid}o", f"d{holder.pid}i"
        run("ip", "link", "add", outer, "type", "veth", "peer", "name", inner, "netns", str(holder.pid))
        run("ip", "addr", "add", f"{found.ours}/30", "dev", outer)
        run("ip", "link", "set", outer, "up")
        run(*found.inside("ip", "addr", "add", f"{found.theirs}/30", "dev", inner))
        run(*found.inside("ip", "link", "set", inner, "up"))
        yield found
    finally:
        end(holder)


def _two_free_addresses() -> tuple[str, str]:
    """Both ends of a /30 that no device of this machine has; two runs at once hardly ever draw the same."""
    taken = run("ip", "-4", "-o", "addr")
    dice = random.SystemRandom()
    while True:
        net, start = f"10.213.{dice.randrange(256)}", 4 * dice.randrange(64)
        if f" {net}.{start + 1}/" not in taken:
            return f"{net}.{start + 1}", f"{net}.{start + 2}"
