"""The chain of events: each line carries the hash of the one before, so that any edited byte shows.

Free text may hold names, so a line carries only a salted commitment of it; erasing the text leaves the chain whole.
"""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from dispatch.record.models import Statement, TicketEvent
from grid.database import canonical_json

SALT_BYTES = 16


def commitment(salt: str, text: str) -> str:
    """What the chain keeps of a text: enough to prove it later, nothing to read it by."""
    return hashlib.sha256(f"{salt}\n{text}".encode()).hexdigest()


def new_salt() -> str:
    return secrets.token_hex(SALT_BYTES)


def plain(event: TicketEvent) -> dict[str, Any]:
    """Every stored value of the line and the hash before it, as they are hashed."""
    return {
        "intake_district": event.intake_district,
        "id": str(event.id),
        "ticket_id": str(event.ticket_id),
        "seq": event.seq,
        "at": event.at.astimezone(UTC).isoformat(),
        "account_id": str(event.account_id) if event.account_id else None,
        "organisation_code": event.organisation_code,
        "channel": event.channel,
        "action": event.action,
        "state_from": event.state_from,
        "state_to": event.state_to,
        "given": event.given,
        "reasons": event.reasons,
        "request_key": str(event.request_key) if event.request_key else None,
        "previous_hash": event.previous_hash,
    }


def event_hash(event: TicketEvent) -> str:
    """SHA-256 over every stored value of the line and the hash before it."""
    return hashlib.sha256(canonical_json(plain(event)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Break:
    """Where a chain does not hold, and how it shows."""

    ticket_id: str
    seq: int
    what: str


def breaks(events: Iterable[TicketEvent], statements: Iterable[Statement] = ()) -> list[Break]:
    """Every place where one ticket's chain (in order of `seq`) or its texts do not hold."""
    found: list[Break] = []
    previous: str | None = None
    promised: dict[tuple[str, str], str] = {}
    for expected, event in enumerate(events, start=1):
        ticket = str(event.ticket_id)
        if event.seq != expected:
            found.append(Break(ticket, expected, f"第 {expected} 条记录缺失"))
        if event.previous_hash != previous:
            found.append(Break(ticket, event.seq, "与前一条记录的摘要不符"))
        if event.hash != event_hash(event):
            found.append(Break(ticket, event.seq, "内容与摘要不符"))
        for name, kept in ((event.given or {}).get("statements") or {}).items():
            promised[(str(event.id), name)] = kept
        previous = event.hash
    for statement in statements:
        kept = promised.get((str(statement.event_id), statement.name))
        erased = statement.erased_at is not None and statement.text is None
        if kept is None or (not erased and commitment(statement.salt, statement.text or "") != kept):
            found.append(Break(str(statement.ticket_id), 0, f"文字“{statement.name}”与记录不符"))
    return found
