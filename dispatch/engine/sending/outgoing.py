"""The messages to reporters as staff see them: what they say, how far they got; without a gateway they pass them on."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from dispatch.engine.sending import notices
from dispatch.record.models import OutboxRow
from dispatch.record.world import World

HIDDEN = "(链接只在短信里)"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to a reporter as staff see it: what it says, and how far it got."""

    id: UUID
    code: str
    to: str
    text: str
    at: datetime
    sent_at: datetime | None
    given_up: bool
    attempts: int
    last_error: str | None


def outgoing(session: Session, world: World, *, limit: int = 50) -> list[Outgoing]:
    """The latest messages to reporters, newest first; telephone numbers are masked."""
    query = select(OutboxRow).where(col(OutboxRow.destination).is_not(None))
    found = []
    for row in session.execute(query.order_by(col(OutboxRow.created_at).desc()).limit(limit)).scalars():
        message = notices.compose(session, row, world)
        if message is not None:
            masked = message.to[:3] + "****" + message.to[-4:]
            state = (row.done_at, row.dead_at is not None, row.attempts, row.last_error)
            # Who holds the link can answer: staff see it only where they have to pass it on themselves.
            text = (
                message.text
                if world.settings.sms_url is None
                else notices.filled(_text(row), {"link": HIDDEN})
            )
            found.append(Outgoing(row.id, message.ticket_code, masked, text, row.created_at, *state))
    return found


def _text(row: OutboxRow) -> str:
    return str((row.payload or {})["text"])
