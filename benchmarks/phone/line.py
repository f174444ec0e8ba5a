"""A line between browser and service that counts its bytes and, where asked, is as slow as a phone's in a dead corner."""

import asyncio
import threading
from dataclasses import dataclass, field


@dataclass
class Line:
    """Listens on a port of its own; `bytes_per_s` and `round_trip_s` may be changed while it runs."""

    target_port: int
    bytes_per_s: float | None = None
    round_trip_s: float = 0.0
    down_bytes: int = 0
    port: int = 0
    _free_at: float = 0.0
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def start(self) -> "Line":
        ready = threading.Event()
        threading.Thread(target=self._run, args=(ready,), daemon=True).start()
        ready.wait(10)
        return self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._carry, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        self._loop.run_forever()

    async def _carry(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        if self.round_trip_s:
            await asyncio.sleep(self.round_trip_s)  # the handshake
        try:
            far, forth = await asyncio.open_connection("127.0.0.1", self.target_port)
        except OSError:
            back.close()
            return
        await asyncio.gather(self._pipe(near, forth, down=False), self._pipe(far, back, down=True))

    async def _pipe(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, down: bool) -> None:
        """Each piece arrives half a round trip later; all connections share the bytes a second downwards."""
        late: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def read() -> None:
            while True:
                try:
                    data = await source.read(4096)
                except OSError:
                    data = b""
                now = self._loop.time()
                at = now
                if down and data:
                    self.down_bytes += len(data)
                    if self.bytes_per_s:
                        self._free_at = max(self._free_at, now) + len(data) / self.bytes_per_s
                        at = self._free_at
                await late.put((at + self.round_trip_s / 2, data))
                if not data:
                    return

        async def write() -> None:
            while True:
                at, data = await late.get()
                await asyncio.sleep(max(0.0, at - self._loop.time()))
                try:
                    if not data:
                        sink.close()
                        return
                    sink.write(data)
                    await sink.drain()
                except OSError:
                    return

        await asyncio.gather(read(), write())
