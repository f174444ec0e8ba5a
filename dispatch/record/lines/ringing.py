"""The calls that ring at a seat just now; a minute or two later they are gone."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlmodel import Session, col
from uuid6 import uuid7

from dispatch.record.lines.models import IncomingCall
from grid.errors import InputError
from grid.permissions import Actor

RINGS_FOR = timedelta(minutes=2)


def ring(session: Session, actor: Actor, phone: str, now: datetime) -> None:
    """Note a call for the seat whose token the telephone system holds; older ones are forgotten."""
    if actor.account_id is None:
        raise InputError("这个令牌不属于任何坐席")
    session.execute(delete(IncomingCall).where(col(IncomingCall.rang_at) < now - RINGS_FOR))
    session.add(IncomingCall(id=uuid7(), account_id=actor.account_id, phone=phone, rang_at=now))


def ringing(session: Session, actor: Actor, now: datetime) -> list[IncomingCall]:
    """What rings at one's own seat, the latest first."""
    query = select(IncomingCall).where(
        col(IncomingCall.account_id) == actor.account_id, col(IncomingCall.rang_at) >= now - RINGS_FOR
    )
    return list(session.execute(query.order_by(col(IncomingCall.rang_at).desc())).scalars())


def number_of(session: Session, actor: Actor, key: UUID, now: datetime) -> str:
    """The number of a call at one's own seat; nothing when it is gone."""
    return next((call.phone for call in ringing(session, actor, now) if call.id == key), "")
