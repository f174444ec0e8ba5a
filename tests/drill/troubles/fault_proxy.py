"""A line between clients and the service that can be made bad: slow, cut in the middle of a request, or deaf after it."""

import random
import select
import socket
import threading
import time
from contextlib import suppress
from enum import StrEnum

CHUNK = 65536


class Line(StrEnum):
    """What the line does to each connection made from now on."""

    GOOD = "good"
    SLOW = "slow"  # 300 ms on every packet, either way
    CUT = "cut"  # reset in the middle of what the client sends
    DEAF = "deaf"  # the service does its work, the answer is lost
    BLACK_HOLE = "black_hole"  # taken, then silence


class FaultProxy:
    """Listens on an address and passes on to another, as well as `line` allows."""

    def __init__(self, listen: tuple[str, int], target: tuple[str, int], *, seed: int) -> None:
        self.line = Line.GOOD
        self.broken = 0
        self._target, self._dice = target, random.Random(seed)
        self._listener = socket.create_server(listen)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client, self.line), daemon=True).start()

    def _serve(self, client: socket.socket, line: Line) -> None:
        self.broken += line is not Line.GOOD
        with client, suppress(OSError):
            if line is Line.BLACK_HOLE:
                time.sleep(3)
                return
            with socket.create_connection(self._target, timeout=10) as service:
                self._pass_on(client, service, line)

    def _pass_on(self, client: socket.socket, service: socket.socket, line: Line) -> None:
        left = self._dice.randrange(50, 400)
        while True:
            ready, _, _ = select.select([client, service], [], [], 30)
            if not ready:
                return
            for side in ready:
                data = side.recv(CHUNK)
                if line is Line.SLOW:
                    time.sleep(0.3)
                if not data or (side is service and line is Line.DEAF):
                    return
                if side is client and line is Line.CUT:
                    service.sendall(data[:left])
                    left -= len(data)
                    if left <= 0:
                        # Closed with a reset, as a dying phone network does.
                        linger = b"\1\0\0\0\0\0\0\0"
                        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                        return
                    continue
                (service if side is client else client).sendall(data)
