"""Whether the same action came before: the same request is answered again, another one under its key is refused."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session

from dispatch.record.models import ActionKey, Ticket
from grid.database import canonical_json
from grid.errors import InputError
from grid.permissions import Actor
from grid.rows import fresh, put_in

# What an answer shows of a ticket and a later action may change.
SHOWN = (
    "version",
    "state",
    "category_code",
    "urgent",
    "queue",
    "main_code",
    "street_code",
    "community_code",
    "grid_code",
    "due_at",
    "overdue",
)


def fingerprint(action: str, given: Mapping[str, Any], actor: Actor, expected_version: int | None) -> str:
    """One text for one request, whatever order of the payload."""
    plain = {
        "action": action,
        "given": {name: str(value) for name, value in given.items()},
        "account": str(actor.account_id),
        "version": expected_version,
    }
    return hashlib.sha256(canonical_json(plain).encode()).hexdigest()


def earlier(session: Session, ticket: Ticket, request_key: UUID, of: str) -> Ticket | None:
    """The ticket as it was answered with when this request first came, if it came before.

    Raises
    ------
    InputError
        The same `request_key` came with another action, other content or from somebody else.
    """
    known = session.get(ActionKey, (ticket.intake_district, ticket.id, request_key))
    if known is None:
        return None
    if known.fingerprint != of:
        raise InputError(
            "这个编号(request_key)已经用于另一次操作;请核对工单现在的情况,再提交一次",
            {"request_key": "已用于另一次操作"},
        )
    answer = known.answer or {}
    due_at = datetime.fromisoformat(answer["due_at"]) if answer.get("due_at") else None
    return fresh(Ticket, **{**ticket.model_dump(), **answer, "due_at": due_at})


def remember(session: Session, ticket: Ticket, request_key: UUID, of: str, now: datetime) -> None:
    """Keep the answer with the ticket, for as long as it lives."""
    answer = {name: getattr(ticket, name) for name in SHOWN}
    answer["due_at"] = ticket.due_at.isoformat() if ticket.due_at else None
    put_in(
        session,
        [
            fresh(
                ActionKey,
                intake_district=ticket.intake_district,
                ticket_id=ticket.id,
                request_key=request_key,
                fingerprint=of,
                answer=answer,
                created_at=now,
            )
        ],
    )
