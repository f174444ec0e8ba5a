"""The ways out of the house: each destination is a function that takes a message or says that it could not.

A message may be sent more than once after a crash; its id stays the same, so that the other side can tell.
"""

import http.client
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import UUID

from grid.settings import Settings

TIMEOUT_S = 4.0
SHELF = "sms"


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one person; `repr` and logs never show to whom or what."""

    id: UUID
    ticket_code: str
    to: str = field(repr=False)
    text: str = field(repr=False)


class SendError(Exception):
    """The destination did not take the message; `final` when it never will."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


Sender = Callable[[Message], None]


def senders(settings: Settings) -> Mapping[str, Sender]:
    """The sender of each destination."""
    return {SHELF: gateway(settings.sms_url) if settings.sms_url else shelf}


def shelf(message: Message) -> None:
    """Without a gateway nothing leaves: staff read the message on the page of outgoing messages and pass it on."""


def gateway(url: str) -> Sender:
    """Post each message as JSON to an SMS gateway, `Idempotency-Key` being the message's id."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    target = parts.path + (f"?{parts.query}" if parts.query else "") or "/"

    def send(message: Message) -> None:
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
        body = json.dumps({"id": str(message.id), "to": message.to, "text": message.text})
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(message.id)}
        try:
            connection.request("POST", target, body.encode(), headers)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            raise SendError(f"网关没有应答({type(error).__name__})") from error
        finally:
            connection.close()
        if status >= 300:
            refused = 300 <= status < 500 and status not in (408, 425, 429)
            raise SendError(f"网关答复 {status}", final=refused)

    return send
