"""A new version without an interruption: the shipped proxy in front of web parts that are restarted in turn."""

import os
import re
import shutil
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dispatch.engine.parts.children import end, spawn
from dispatch.engine.parts.sockets import ReadySocket
from grid import schema
from tests.services import free_port, missing, private_folder

ROOT = Path(__file__).parents[2]
SCAFFOLD = """
daemon off; pid pid; error_log error.log;
events {}
http {
    access_log off;
    client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
    include site.conf;
}
"""


class WebPart:
    """One web part started as its systemd unit does, with the same sign of being ready."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._socket = ReadySocket(folder / f"notify-{environment['GRID_PORT']}")
        self._environment = {**environment, "NOTIFY_SOCKET": str(self._socket.path)}
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "flask", "--app", "app", "web"]
        self._child = spawn(command, env=self._environment, cwd=ROOT, output=subprocess.DEVNULL)
        give_up_at = time.monotonic() + 30
        while self._child.pid not in self._socket.announced():
            assert self._child.poll() is None, "the web part ended"
            assert time.monotonic() < give_up_at, "the web part did not become ready"
            time.sleep(0.05)

    def stop(self) -> None:
        end(self._child)


@contextmanager
def proxy(folder: Path, *, port: int, web_ports: list[int]) -> Iterator[str]:
    """nginx with the shipped configuration; only addresses and paths are changed."""
    program = (
        shutil.which("nginx")
        or shutil.which("nginx", path="/usr/sbin")
        or missing("nginx", "apt-get install nginx-light openssl")
    )
    site = (ROOT / "deploy" / "nginx.conf").read_text()
    site = re.sub(r"^ *listen \[::\].*\n", "", site, flags=re.M)
    site = site.replace("listen 80;", f"listen 127.0.0.1:{free_port()};")
    site = site.replace("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;")
    site = site.replace("/etc/nginx/grid12345-upstream.conf", "upstream.conf")
    site = site.replace("/etc/ssl/grid12345/", f"{folder}/")
    upstream = (ROOT / "deploy" / "nginx-upstream.conf").read_text()
    upstream = upstream.replace("8001", str(web_ports[0])).replace("8002", str(web_ports[1]))
    (folder / "site.conf").write_text(site)
    (folder / "upstream.conf").write_text(upstream)
    (folder / "nginx.conf").write_text(SCAFFOLD)
    key = [
        "-keyout",
        folder / "private.key",
        "-out",
        folder / "fullchain.pem",
        "-subj",
        "/CN=grid.example.gov.cn",
    ]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *key], check=True, capture_output=True
    )
    with (folder / "nginx.log").open("wb") as log:
        child = spawn([program, "-p", folder, "-c", folder / "nginx.conf"], output=log, cwd=folder)
    try:
        yield f"https://127.0.0.1:{port}"
    finally:
        end(child)


@pytest.mark.slow
def test_restarting_web_parts_in_turn_fails_no_request(postgres_url: str, tmp_path: Path) -> None:
    schema.upgrade(postgres_url)
    folder = private_folder("proxy")
    ports = [free_port(), free_port()]
    environment = {**os.environ, "DATABASE_URL": postgres_url, "GRID_INSTANCE_PATH": str(tmp_path)}
    parts = [WebPart(folder, {**environment, "GRID_PORT": str(port)}) for port in ports]
    answered, failed, stop = [0], list[str](), threading.Event()
    trusting = ssl._create_unverified_context()

    def load(address: str) -> None:
        while not stop.is_set():
            try:
                with urllib.request.urlopen(f"{address}/healthz", context=trusting, timeout=10) as reply:
                    reply.read()
                answered[0] += 1
                time.sleep(0.01)
            except OSError as error:
                failed.append(str(error))

    try:
        with proxy(folder, port=free_port(), web_ports=ports) as address:
            time.sleep(0.5)
            clients = [threading.Thread(target=load, args=(address,)) for _ in range(2)]
            for client in clients:
                client.start()
            for part in parts:
                part.stop()
                part.start()
            stop.set()
            for client in clients:
                client.join()
    finally:
        stop.set()
        for part in parts:
            part.stop()
        shutil.rmtree(folder, ignore_errors=True)
    assert failed == []
    assert answered[0] > 100
