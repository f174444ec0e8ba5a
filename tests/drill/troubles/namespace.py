"""A network of its own for the clients (netns + veth), whose only way out can be dropped or refused by iptables."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

OURS, THEIRS = "10.213.77.1", "10.213.77.2"


def run(*command: str, check: bool = True) -> None:
    subprocess.run(command, check=check, capture_output=True)


@dataclass(frozen=True)
class Namespace:
    """The clients' network; `inside` puts a command into it."""

    name: str

    def inside(self, *command: str) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self.name, *command)

    @contextmanager
    def cut(self, port: int, *how: str) -> Iterator[None]:
        """Nothing reaches this port of ours: silence (`DROP`) or a reset (`REJECT …`)."""
        rule = ("INPUT", "-p", "tcp", "-s", THEIRS, "--dport", str(port), "-j", *how)
        run("iptables", "-w", "-I", *rule)
        try:
            yield
        finally:
            run("iptables", "-w", "-D", *rule)


@contextmanager
def namespace() -> Iterator[Namespace]:
    """A namespace joined to this one by a pair of devices; needs root."""
    name = f"drill{os.getpid()}"
    outer, inner = f"d{os.getpid()}o"[-15:], f"d{os.getpid()}i"[-15:]
    run("ip", "netns", "add", name)
    try:
        run("ip", "link", "add", outer, "type", "veth", "peer", "name", inner, "netns", name)
        run("ip", "addr", "add", f"{OURS}/30", "dev", outer)
        run("ip", "link", "set", outer, "up")
        found = Namespace(name)
        run(*found.inside("ip", "addr", "add", f"{THEIRS}/30", "dev", inner))
        run(*found.inside("ip", "link", "set", inner, "up"))
        yield found
    finally:
        run("ip", "link", "del", outer, check=False)
        run("ip", "netns", "del", name, check=False)
