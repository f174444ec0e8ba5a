"""HTTPS in front of the demo for phones of the local network, and plain HTTP that hands out the certificate.

Only for trying: a phone keeps pages and reports its place to secure pages alone. In production a proxy does this.
"""

import asyncio
import signal
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from web.cli.lan import certificates

PIECE = 64 * 1024
# Beside the port of the service itself: 8000, 8443, 8080.
SECURE_AHEAD, PLAIN_AHEAD = 443, 80
PAGE = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>在手机上试用</title><body style="font:18px/1.7 system-ui;max-width:32em;margin:1em auto;padding:0 1em">
<h1>在手机上试用</h1>
<ol><li><a href="/ca.crt">下载证书</a>(只对内网地址有效)</li>
<li>安卓:设置 → 安全 → 加密与凭据 → 安装证书 → CA 证书。<br>苹果:设置 → 已下载描述文件 → 安装;
再到 设置 → 通用 → 关于本机 → 证书信任设置,打开它。</li>
<li><a href="{url}">打开 {url}</a></li></ol>
<p>试完请在同一处删除证书。</p></body></html>"""


@dataclass(frozen=True, slots=True)
class Front:
    """Where phones come in, and what stands behind."""

    address: str
    port: int
    folder: Path

    @property
    def secure_port(self) -> int:
        return self.port + SECURE_AHEAD

    @property
    def plain_port(self) -> int:
        return self.port + PLAIN_AHEAD

    @property
    def url(self) -> str:
        return f"https://{self.address}:{self.secure_port}"

    @property
    def plain_url(self) -> str:
        return f"http://{self.address}:{self.plain_port}"

    def serve(self, on_ready: Callable[[], None]) -> None:
        """Serve until a stop signal."""
        asyncio.run(self._serve(on_ready))

    async def _serve(self, on_ready: Callable[[], None]) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*certificates.issue(self.folder, self.address))
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        secure = await asyncio.start_server(self._carry, "0.0.0.0", self.secure_port, ssl=context)  # noqa: S104
        plain = await asyncio.start_server(self._explain, "0.0.0.0", self.plain_port)  # noqa: S104
        on_ready()
        await stop.wait()
        secure.close()
        plain.close()

    async def _carry(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """Byte for byte to the service and back."""
        try:
            far, forth = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            back.close()
            return
        await asyncio.gather(_pipe(near, forth), _pipe(far, back))

    async def _explain(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """The certificate, or the page that says what to do with it."""
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            asked = await asyncio.wait_for(near.readuntil(b"\r\n\r\n"), 10)
            kind, body = "text/html; charset=utf-8", PAGE.format(url=self.url).encode()
            if asked.startswith(b"GET /ca.crt "):
                kind, body = "application/x-x509-ca-cert", (self.folder / "ca.crt").read_bytes()
            head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            back.write(head.encode() + body)
            await back.drain()
        back.close()


async def _pipe(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError, ssl.SSLError):
        while piece := await source.read(PIECE):
            sink.write(piece)
            await sink.drain()
    with suppress(OSError, ssl.SSLError):
        sink.close()


def own_address() -> str:
    """This machine's address in the local network: the one that packets to elsewhere would leave from."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"
