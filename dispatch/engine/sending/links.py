"""Links for reporters: one for each round of asking, and one that stays with the matter, by which they follow it,
supplement, urge or withdraw it themselves.

The same token is made for the same round however often, and only its hash is kept. The token is an
HMAC over ticket and round, so a crash between writing the link and sending it loses nothing: the next attempt makes the
same link again. Without the key nobody can make one, with the database alone neither.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col
from uuid6 import uuid7

from dispatch.engine.sending.telling import Told
from dispatch.record.models import CallbackLink, Ticket
from grid.errors import Gone, NotFound
from grid.permissions import Actor
from grid.settings import Settings

VALID_FOR, FOLLOWED_FOR = timedelta(days=14), timedelta(days=60)
PATH = "/callback/"
VERBS = frozenset(
    {
        "ticket:read",
        "ticket:call_back",
        "ticket:supplement",
        "ticket:urge",
        "ticket:withdraw",
        "ticket:reopen",
    }
)
# The round of the link that is not used up by an answer.
FOLLOWING = 0


def key_id(settings: Settings) -> str:
    """Which key signs, without telling the key."""
    return hashlib.sha256(_key(settings)).hexdigest()[:12]


def token(settings: Settings, ticket_id: UUID, round_: int) -> str:
    """The 256-bit token of one round of asking on one ticket."""
    digest = hmac.new(_key(settings), f"{ticket_id}:{round_}".encode(), hashlib.sha256).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def address(settings: Settings, ticket_id: UUID, round_: int) -> str:
    """The whole link, as the reporter receives it."""
    return settings.base_url.rstrip("/") + PATH + token(settings, ticket_id, round_)


def issue(session: Session, settings: Settings, ticket: Ticket, round_: int, now: datetime) -> None:
    """Make the link of this round valid, once per signing key; the one to follow by is good anew each time."""
    issue_all(session, settings, [(ticket, round_)], now)


def issue_all(
    session: Session, settings: Settings, asked: Iterable[tuple[Ticket | Told, int]], now: datetime
) -> None:
    """Make many links valid at once."""
    wanted = {_hash(token(settings, ticket.id, round_)): (ticket, round_) for ticket, round_ in asked}
    if not wanted:
        return
    query = select(CallbackLink).where(col(CallbackLink.token_hash).in_(wanted))
    for known in session.execute(query).scalars():
        _, round_ = wanted.pop(known.token_hash)
        if round_ == FOLLOWING:
            known.expires_at = now + FOLLOWED_FOR
    session.add_all(
        CallbackLink(
            intake_district=ticket.intake_district,
            id=uuid7(),
            ticket_id=ticket.id,
            round=round_,
            token_hash=digest,
            key_id=key_id(settings),
            expires_at=now + (VALID_FOR if round_ != FOLLOWING else FOLLOWED_FOR),
        )
        for digest, (ticket, round_) in wanted.items()
    )
    session.flush()


def find(session: Session, given: str, now: datetime, *, lock: bool = False) -> CallbackLink:
    """The link that this token opens; with `lock`, no other transaction can use it meanwhile.

    Raises
    ------
    NotFound
        Nobody was sent this link.
    Gone
        It was used, or it has expired.
    """
    query = select(CallbackLink).where(col(CallbackLink.token_hash) == _hash(given))
    link: CallbackLink | None = session.execute(
        query.with_for_update() if lock else query
    ).scalar_one_or_none()
    if link is None:
        raise NotFound("没有这个评价链接,请从短信中完整打开,不要手工改动地址")
    if link.used_at is not None:
        raise Gone("这个链接已经用过,您的评价已记录;如需再反映,请重新提交")
    if link.expires_at <= now:
        raise Gone("这个链接已过期;如仍未解决,请重新反映")
    return link


def use_up(link: CallbackLink, now: datetime) -> None:
    """An answer was given by it; the link to follow by stays good."""
    if link.round != FOLLOWING:
        link.used_at = now


def holder(link: CallbackLink) -> Actor:
    """Whoever holds the link: nobody by name, and able to answer for this one ticket."""
    return Actor(
        account_id=None,
        person_key=f"link:{link.id}",
        name="诉求人",
        duty_class=None,
        channel="link",
        linked_ticket=link.ticket_id,
        linked_verbs=VERBS,
    )


def _key(settings: Settings) -> bytes:
    return hmac.new(settings.secret_key.encode(), b"callback link", hashlib.sha256).digest()


def _hash(given: str) -> str:
    return hashlib.sha256(given.encode("utf-8", "replace")).hexdigest()
