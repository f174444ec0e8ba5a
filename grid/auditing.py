"""The audit of the standing world: every change writes one row, and whoever keeps a copy sees by it when to read anew."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session, SQLModel
from uuid6 import uuid7

from grid.database import canonical_json
from grid.models import StandingChange
from grid.permissions import Actor

NEVER_SHOWN = frozenset({"password_hash", "token_hash", "wkb"})


def record_change(
    session: Session,
    actor: Actor | None,
    thing: str,
    key: str,
    action: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    now: datetime,
) -> None:
    """Append who did what to which thing; `actor` is None for the installation itself."""
    session.add(
        StandingChange(
            id=uuid7(),
            at=now,
            account_id=actor.account_id if actor else None,
            thing=thing,
            key=key,
            action=action,
            before=canonical_json(dict(before)) if before is not None else None,
            after=canonical_json(dict(after)) if after is not None else None,
        )
    )


def values_of(row: SQLModel) -> dict[str, Any]:
    """A row's columns as plain values for the audit, without secrets and bulk."""
    return row.model_dump(mode="json", exclude=set(NEVER_SHOWN))
