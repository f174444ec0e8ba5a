"""`make demo-lan`: phones of the local network come in by HTTPS, with a certificate that is good for nothing else."""

import http.cookiejar
import re
import socket
import ssl
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlmodel import select

from grid import schema
from grid.accounts import passwords
from grid.database import Database
from grid.models import Account
from grid.settings import load_settings
from tests.running.test_up import Started
from tests.running.test_up import up as up
from tests.services import free_port
from tests.town import found_town
from web.cli.lan.certificates import authority, issue
from web.cli.lan.front import PLAIN_AHEAD, SECURE_AHEAD, Front

PASSWORD = "a sentence nobody guesses"


def port_with_neighbours() -> int:
    """One whose two further ports are free as well."""
    while (port := free_port()) > 65_000 or not all(_is_free(port + n) for n in (SECURE_AHEAD, PLAIN_AHEAD)):
        pass
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True


def read(url: str, context: ssl.SSLContext | None = None) -> bytes:
    with urllib.request.urlopen(url, timeout=10, context=context) as answer:
        return bytes(answer.read())


def test_a_phone_gets_the_certificate_and_signs_in_by_https(
    tmp_path: Path, up: Callable[..., Started]
) -> None:
    settings = load_settings(tmp_path / "instance", {})
    schema.upgrade(settings.database_url)
    found_town(settings.database_url, settings.instance_path)
    database = Database(settings.database_url)
    with database.writing() as session:
        worker = session.exec(select(Account).where(Account.login == "worker")).one()
        worker.password_hash = passwords.hash_password(PASSWORD)
        session.add(worker)
    database.dispose()
    started = up(
        port=port_with_neighbours(),
        app="app",
        options=("--lan", "--address", "127.0.0.1"),
        GRID_INSTANCE_PATH=str(settings.instance_path),
    )
    started.wait_until_up()
    front = Front("127.0.0.1", started.port, settings.instance_path / "lan")
    assert front.url in started.said()
    assert front.plain_url in started.said()
    assert front.url in read(front.plain_url).decode()
    certificate = read(f"{front.plain_url}/ca.crt").decode()
    assert certificate == (front.folder / "ca.crt").read_text()
    trusting = ssl.create_default_context(cadata=certificate)
    assert b"alive" in read(f"{front.url}/healthz", trusting)
    with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
        read(f"{front.url}/healthz", ssl.create_default_context())
    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(
        urllib.request.HTTPSHandler(context=trusting), urllib.request.HTTPCookieProcessor(jar)
    )
    page = browser.open(f"{front.url}/sign-in").read().decode()
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    fields = {"login": "worker", "password": PASSWORD, "csrf_token": token[1]}
    home = browser.open(f"{front.url}/sign-in", urllib.parse.urlencode(fields).encode())
    assert home.url == f"{front.url}/worker/"
    assert [cookie.secure for cookie in jar if cookie.name == "grid_session"] == [True]


def test_the_authority_is_good_for_private_addresses_alone(tmp_path: Path) -> None:
    def accepted(address: str) -> bool:
        certificate, _ = issue(tmp_path, address)
        command = ["openssl", "verify", "-CAfile", str(authority(tmp_path)), str(certificate)]
        return subprocess.run(command, capture_output=True).returncode == 0

    made_at = authority(tmp_path).stat().st_mtime_ns
    assert accepted("192.168.1.7")
    assert accepted("10.9.8.7")
    assert not accepted("93.184.216.34")
    assert authority(tmp_path).stat().st_mtime_ns == made_at
    assert (tmp_path / "ca.key").stat().st_mode & 0o077 == 0
