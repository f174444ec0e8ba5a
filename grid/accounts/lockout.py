"""Guessing is slow: five tries for one account from one address, twenty for one account, a hundred from one address.

A try is counted before the password is looked at, so parallel tries cannot slip through together; counts are
kept for names that do not exist just as for those that do, so a lock tells nobody which is which.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from grid.errors import TooMany
from grid.models import SignInFailure

WINDOW = timedelta(minutes=15)
TRIES_PER_PAIR = 5
TRIES_PER_LOGIN = 20
TRIES_PER_ADDRESS = 100


@dataclass(frozen=True)
class Tried:
    """What a try is counted under: keys (hashed) and how many tries each allows."""

    limits: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, login: str, address: str) -> "Tried":
        return cls(
            (
                (_key("pair", login, address), TRIES_PER_PAIR),
                (_key("login", login), TRIES_PER_LOGIN),
                (_key("address", address), TRIES_PER_ADDRESS),
            )
        )


def count_try(session: Session, tried: Tried, now: datetime) -> TooMany | None:
    """Count one try; the refusal when there were too many, which the caller raises after the commit."""
    until: datetime | None = None
    rows = []
    for key, limit in tried.limits:
        row = session.get(SignInFailure, key, with_for_update=True)
        if row is None or now - row.first_at >= WINDOW:
            row = row or SignInFailure(key_hash=key, count=0, first_at=now, last_at=now)
            row.count, row.first_at = 0, now
        if row.count >= limit:
            until = max(until or row.first_at, row.first_at + WINDOW)
        rows.append(row)
    if until is not None:
        minutes = max(1, -int((now - until).total_seconds() // 60))
        return TooMany(
            f"尝试次数过多,为防止他人猜测密码已暂停登录;请约 {minutes} 分钟后再试,忘记密码请联系管理员重置",
            retry_after_s=int((until - now).total_seconds()) + 1,
        )
    for row in rows:
        row.count, row.last_at = row.count + 1, now
        session.add(row)
    return None


def forgive(session: Session, tried: Tried) -> None:
    """Take back the try that succeeded; the pair's earlier slips are forgotten with it."""
    for number, (key, _limit) in enumerate(tried.limits):
        row = session.get(SignInFailure, key, with_for_update=True)
        if row is not None:
            row.count = 0 if number == 0 else max(0, row.count - 1)
            session.add(row)


def _key(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
