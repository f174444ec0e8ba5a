"""Waitress with a graceful stop: no new connections, then every request in progress is answered."""

import signal
import time
from collections.abc import Callable
from typing import Any

from flask import Flask
from waitress import create_server, wasyncore
from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer

THREADS = 8
# Below the customary limit of 1,024 open files, and far above what 200 slow clients can hold.
CONNECTIONS = 800
DRAIN_SECONDS = 8.0


def serve(app: Flask, *, host: str, port: int, max_body_bytes: int, on_ready: Callable[[], None]) -> None:
    """Serve `app` until SIGTERM or SIGINT, then finish what has begun and return."""
    sockets: dict[int, Any] = {}
    server: Any = create_server(
        app,
        sockets,
        host=host,
        port=port,
        threads=THREADS,
        ident=None,
        connection_limit=CONNECTIONS,
        max_request_body_size=max_body_bytes,
    )
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    on_ready()
    # A signal does not end the wait (PEP 475), so stopping takes up to a quarter second.
    while not stopping:
        wasyncore.loop(timeout=0.25, use_poll=True, map=sockets, count=1)
    for dispatcher in [listener for listener in sockets.values() if isinstance(listener, BaseWSGIServer)]:
        dispatcher.del_channel(sockets)
        dispatcher.socket.close()
    give_up_at = time.monotonic() + DRAIN_SECONDS
    while any(map(_is_busy, sockets.values())) and time.monotonic() < give_up_at:
        wasyncore.loop(timeout=0.05, use_poll=True, map=sockets, count=1)
    server.task_dispatcher.shutdown(timeout=1)


def _is_busy(channel: Any) -> bool:
    """Whether a request is being received, worked on or answered."""
    return isinstance(channel, HTTPChannel) and bool(
        channel.request is not None or channel.requests or channel.total_outbufs_len
    )
