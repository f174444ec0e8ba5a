"""Server-side sessions: a random token in the browser, its hash here; each can be revoked at once."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row, bindparam
from sqlmodel import Session, col, select

from grid.accounts import lockout, passwords
from grid.accounts.actors import actor_of
from grid.database import Database
from grid.errors import InputError
from grid.models import Account, SignIn
from grid.permissions import Actor
from grid.rows import fresh
from grid.settings import Settings

SEEN_EVERY = timedelta(minutes=1)
VISIT = (
    sa.select(
        col(SignIn.expires_at),
        col(SignIn.seen_at),
        col(SignIn.revoked_at),
        *Account.__table__.c,  # type: ignore[attr-defined]
    )
    .join(Account, col(Account.id) == col(SignIn.account_id))
    .where(col(SignIn.token_hash) == bindparam("key"))
)
WRONG = "登录名或密码不正确,请核对后重试"


@dataclass(frozen=True)
class Visit:
    """A valid session: whose it is and what they may do."""

    account: Account
    actor: Actor


def sign_in(
    database: Database,
    settings: Settings,
    *,
    login: str,
    password: str,
    address: str,
    now: datetime,
    replacing: str | None = None,
) -> tuple[str, Account]:
    """Check the password and open a session; `replacing` is the token the browser had before, which ends.

    Two short transactions: the slow comparison runs between them and holds no lock.

    Raises
    ------
    InputError
        Wrong name or password, in the same words and the same time.
    TooMany
        Too many tries for this name or from this address.
    """
    login = passwords.normal_login(login)
    tried = lockout.Tried.of(login, address)

    def begin(session: Session) -> tuple[Account | None, Exception | None]:
        refused = lockout.count_try(session, tried, now)
        return session.exec(select(Account).where(Account.login == login)).first(), refused

    account, refused = database.write(begin)
    if refused is not None:
        raise refused
    usable = account is not None and account.disabled_at is None
    right = passwords.matches(account.password_hash if account and usable else None, password)
    if account is None or not right:
        raise InputError(WRONG, {"password": WRONG})
    stronger = (
        passwords.hash_password(password) if passwords.is_outdated(account.password_hash or "") else None
    )

    def finish(session: Session) -> tuple[str, Account] | None:
        current = session.get_one(Account, account.id)
        if current.disabled_at is not None or current.password_hash != account.password_hash:
            return None
        if stronger:
            current.password_hash = stronger
        lockout.forgive(session, tried)
        if replacing:
            sign_out(session, replacing, now)
        return open_session(session, current.id, settings, now), current

    opened = database.write(finish)
    if opened is None:
        raise InputError(WRONG, {"password": WRONG})
    return opened


def open_session(session: Session, account_id: UUID, settings: Settings, now: datetime) -> str:
    """A new session of an account; the token is nowhere kept."""
    token = secrets.token_urlsafe(32)
    session.add(
        SignIn(
            token_hash=token_hash(token),
            account_id=account_id,
            created_at=now,
            seen_at=now,
            expires_at=now + timedelta(hours=settings.session_limit_hours),
        )
    )
    return token


def visit_of(database: Database, settings: Settings, token: str, now: datetime) -> Visit | None:
    """Whose valid session this token is, with today's posts; None when it has ended or never was."""
    key = token_hash(token)
    with database.glancing() as session:
        row = session.connection().execute(VISIT, {"key": key}).first()
        if row is None:
            return None
        account = fresh(Account, **{name: getattr(row, name) for name in Account.model_fields})
        if not _is_open(row, settings, now) or account.disabled_at is not None:
            return None
        actor = actor_of(session, account, now.astimezone(settings.zone).date())
    if now - row.seen_at >= SEEN_EVERY:
        database.write(lambda session: _mark_seen(session, key, now))
    return Visit(account, actor)


def _is_open(row: Row[Any], settings: Settings, now: datetime) -> bool:
    idle = timedelta(minutes=settings.session_idle_minutes)
    return row.revoked_at is None and now < row.expires_at and now - row.seen_at < idle


def _mark_seen(session: Session, key: str, now: datetime) -> None:
    row = session.get(SignIn, key, with_for_update=True)
    if row is not None and row.seen_at < now:
        row.seen_at = now
        session.add(row)


def sign_out(session: Session, token: str, now: datetime) -> None:
    """End the session of this token."""
    row = session.get(SignIn, token_hash(token), with_for_update=True)
    if row is not None and row.revoked_at is None:
        row.revoked_at = now
        session.add(row)


def end_sessions(session: Session, account_id: UUID, now: datetime) -> None:
    """End every session of an account."""
    for row in session.exec(
        select(SignIn).where(SignIn.account_id == account_id, col(SignIn.revoked_at).is_(None))
    ):
        row.revoked_at = now
        session.add(row)


def token_hash(token: str) -> str:
    """What is kept of a random token; it is long enough that no salt is needed."""
    return hashlib.sha256(token.encode()).hexdigest()
