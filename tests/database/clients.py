"""Clients that report without pause and write down what was acknowledged, over the real application."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from flask import Flask
from sqlmodel import col, func, select

from app import create_app
from dispatch.record.models import ClientKey, Ticket
from grid.database import Database
from grid.models import Account
from grid.settings import Settings
from tests.town import GARBAGE, IN_WEST, PHOTO, open_town
from tests.web.conftest import HASHED, PASSWORD

GIVE_UP_S = 40.0


def open_application(url: str, folder: Path) -> Flask:
    """The application over a town, whose people can sign in."""
    town = open_town(url, folder)
    with town.database.writing() as session:
        for account in session.exec(select(Account).where(col(Account.login).is_not(None))):
            account.password_hash = HASHED
            session.add(account)
    town.photo()
    town.database.dispose()
    return create_app(Settings(instance_path=folder, secret_key="k" * 40, database_url=url))


def sign_in(app: Flask, login: str) -> dict[str, str]:
    answer = app.test_client().post("/api/v1/session", json={"login": login, "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json['token']}"}


def a_report(**more: object) -> dict[str, object]:
    return {
        "client_uuid": str(uuid4()),
        "category_code": GARBAGE,
        "frame": "wgs84",
        "photos": [PHOTO],
        **IN_WEST,
        **more,
    }


@dataclass
class Ledger:
    """What the clients saw: the answer to each report, every status, and refusals without Retry-After."""

    acknowledged: dict[str, str] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    without_retry_after: int = 0
    given_up: int = 0
    longest_gap_s: float = 0.0


class Clients:
    """Some threads; each sends a report again and again, as it was, until it is acknowledged."""

    def __init__(self, app: Flask, *, threads: int = 4) -> None:
        self.ledger = Ledger()
        self._app, self._headers = app, sign_in(app, "worker")
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]

    def __enter__(self) -> "Clients":
        for thread in self._threads:
            thread.start()
        self.wait_for(1)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=GIVE_UP_S + 10)

    def wait_for(self, more: int) -> None:
        """Return when `more` further reports were acknowledged."""
        wanted, give_up_at = len(self.ledger.acknowledged) + more, time.monotonic() + GIVE_UP_S
        while len(self.ledger.acknowledged) < wanted:
            assert time.monotonic() < give_up_at, self.ledger.statuses
            time.sleep(0.02)

    def _run(self) -> None:
        client = self._app.test_client()
        while not self._stop.is_set():
            body = a_report()
            began_s = time.monotonic()
            while time.monotonic() - began_s < GIVE_UP_S:
                answer = client.post("/api/v1/tickets", json=body, headers=self._headers)
                with self._lock:
                    self.ledger.statuses[answer.status_code] += 1
                    missing = answer.status_code == 503 and "Retry-After" not in answer.headers
                    self.ledger.without_retry_after += missing
                if answer.status_code == 201:
                    self._note(str(body["client_uuid"]), answer.json["code"], time.monotonic() - began_s)
                    break
                time.sleep(0.05)
            else:
                self.ledger.given_up += 1

    def _note(self, client_uuid: str, code: str, took_s: float) -> None:
        with self._lock:
            self.ledger.acknowledged[client_uuid] = code
            self.ledger.longest_gap_s = max(self.ledger.longest_gap_s, took_s)


def lost_and_extra(database: Database, ledger: Ledger) -> tuple[set[str], int]:
    """Acknowledged codes that are not there, and tickets beyond one for each report."""
    with database.reading() as session:
        kept = set(session.exec(select(Ticket.code)))
        reports = session.exec(select(func.count()).select_from(ClientKey)).one()
    return set(ledger.acknowledged.values()) - kept, len(kept) - reports


def until(condition: Callable[[], bool], *, seconds: float = 30.0) -> None:
    give_up_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up_at, "it did not come true"
        time.sleep(0.05)
