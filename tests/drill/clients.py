"""Clients that report and handle over HTTP, keep asking with the same key, and write down what was promised them."""

import http.client
import io
import json
import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from PIL import Image

from tests.drill.service import PASSWORD
from tests.town import COVER, GARBAGE, IN_EAST, IN_WEST

REQUEST_S = 10.0
RETRY_S = 0.2
RETRY_FOR_S = 90.0
PACE_S = 0.15
# What says "try the same again": no answer, an answer from a part that is down, too many at once.
UNKNOWN = frozenset({429, 500, 502, 503, 504})


@dataclass
class Ledger:
    """What the service acknowledged, as its clients remember it."""

    tickets: dict[UUID, str] = field(default_factory=dict)
    photos: list[str] = field(default_factory=list)
    actions: dict[UUID, tuple[str, str]] = field(default_factory=dict)
    answers: dict[int, int] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    acknowledged_at_s: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def complain(self, what: str) -> None:
        with self.lock:
            self.complaints.append(what)

    def longest_gap_s(self) -> float:
        """The longest time without any report acknowledged."""
        at = sorted(self.acknowledged_at_s)
        return max((b - a for a, b in pairwise(at)), default=0.0)


class Client:
    """One signed-in program that repeats a request until it knows what became of it."""

    def __init__(self, url: str, login: str, ledger: Ledger, stop: threading.Event) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port
        self._login, self.ledger, self.stop = login, ledger, stop
        self._token = ""
        self.sign_in()

    def sign_in(self) -> None:
        status, body = self.until_known("POST", "/session", {"login": self._login, "password": PASSWORD})
        assert status == 201, body
        self._token = str(body["token"])

    def until_known(self, method: str, path: str, body: object) -> tuple[int, Mapping[str, object]]:
        """Send the same request again until its outcome is known; (0, …) when that never came."""
        give_up_at = time.monotonic() + RETRY_FOR_S
        while time.monotonic() < give_up_at:
            status, answer = self.once(method, path, body)
            with self.ledger.lock:
                self.ledger.answers[status] = self.ledger.answers.get(status, 0) + 1
            if status and status not in UNKNOWN:
                return status, answer
            time.sleep(RETRY_S)
        return 0, {}

    def once(self, method: str, path: str, body: object) -> tuple[int, Mapping[str, object]]:
        """Send it once; (0, …) when no answer came."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {
            "Content-Type": "image/jpeg" if isinstance(body, bytes) else "application/json",
            **({"Authorization": f"Bearer {self._token}"} if self._token else {}),
        }
        connection = http.client.HTTPConnection(self._host, self._port, timeout=REQUEST_S)
        try:
            connection.request(method, f"/api/v1{path}", raw, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"{}")
        except (OSError, http.client.HTTPException, json.JSONDecodeError):
            return 0, {}
        finally:
            connection.close()


def a_photo(dice: random.Random) -> bytes:
    """One that nobody took before."""
    out = io.BytesIO()
    Image.frombytes("RGB", (16, 12), dice.randbytes(16 * 12 * 3)).resize((160, 120)).save(out, "JPEG")
    return out.getvalue()


def a_report(key: UUID, photo: str, dice: random.Random) -> dict[str, object]:
    return {
        "client_uuid": str(key),
        "category_code": dice.choice((GARBAGE, GARBAGE, COVER)),
        "frame": "wgs84",
        "accuracy_m": 8.0,
        "photos": [photo],
        **dice.choice((IN_WEST, IN_WEST, IN_EAST)),
    }


class Reporter(threading.Thread):
    """Uploads photos and reports; now and then says the same again, and must hear the same."""

    def __init__(self, client: Client, seed: int) -> None:
        super().__init__(daemon=True, name=f"reporter-{seed}")
        self._client, self._dice = client, random.Random(seed)

    def run(self) -> None:
        while not self._client.stop.wait(PACE_S):
            self._report()

    def _report(self) -> None:
        ledger, dice = self._client.ledger, self._dice
        photo = self._photo()
        if photo is None:
            return
        key = uuid4()
        body = a_report(key, photo, dice)
        status, answer = self._client.until_known("POST", "/tickets", body)
        if status != 201:
            ledger.complain(f"report {key}: {status} {answer}")
            return
        with ledger.lock:
            ledger.tickets[key] = str(answer["code"])
            ledger.acknowledged_at_s.append(time.monotonic())
        if dice.random() < 0.1:
            again = self._client.until_known("POST", "/tickets", body)
            if again != (201, answer):
                ledger.complain(f"report {key} again: {again} instead of {answer}")

    def _photo(self) -> str | None:
        ledger, dice = self._client.ledger, self._dice
        if ledger.photos and dice.random() < 0.7:
            return dice.choice(ledger.photos)
        status, answer = self._client.until_known("POST", "/photos", a_photo(dice))
        if status != 201:
            ledger.complain(f"photo: {status} {answer}")
            return None
        with ledger.lock:
            ledger.photos.append(str(answer["sha256"]))
        return str(answer["sha256"])


class Handler(threading.Thread):
    """A unit's clerk who opens and settles what the reporters were promised, in a race with the timers."""

    def __init__(self, client: Client, seed: int) -> None:
        super().__init__(daemon=True, name="handler")
        self._client, self._dice = client, random.Random(seed)

    def run(self) -> None:
        while not self._client.stop.wait(0.3):
            with self._client.ledger.lock:
                codes = list(self._client.ledger.tickets.values())
                photos = list(self._client.ledger.photos)
            if codes and photos:
                self._settle(self._dice.choice(codes[-200:]), self._dice.choice(photos))

    def _settle(self, code: str, photo: str) -> None:
        self._act(code, "open", {})
        given = {"solved": "solved", "answer": "已清运", "photos": [photo]}
        self._act(code, "handle", given)

    def _act(self, code: str, action: str, given: Mapping[str, object]) -> None:
        ledger, key = self._client.ledger, uuid4()
        body = {"request_key": str(key), "given": given}
        status, answer = self._client.until_known("POST", f"/tickets/{code}/actions/{action}", body)
        if status == 200:
            with ledger.lock:
                ledger.actions[key] = (code, action)
        elif status not in (403, 404, 409):
            ledger.complain(f"{action} {code}: {status} {answer}")
