"""One grid, one code: what the sheet on a grid's wall carries, signed so that nobody else can print one.

A new code takes the place of the old one; old prints go on working until the day they were given.
"""

import hashlib
import hmac
from base64 import b32encode
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlmodel import Field, Session, SQLModel, col, func, select

from grid.auditing import record_change
from grid.errors import Gone, NotFound
from grid.permissions import Actor
from grid.settings import Settings

GRACE = timedelta(days=90)
SIGNATURE_BYTES = 10


class GridCode(SQLModel, table=True):
    """A code that was printed for a grid; without an end it is the present one."""

    __tablename__ = "grid_code"
    area_code: str = Field(primary_key=True)
    serial: int = Field(primary_key=True)
    issued_at: datetime
    valid_until: datetime | None = None


def token(settings: Settings, area_code: str, serial: int) -> str:
    """What the address on the sheet ends with."""
    return f"{area_code}-{serial}-{_signature(settings, area_code, serial)}"


def present(session: Session, area_code: str, now: datetime) -> GridCode:
    """The code to print now, made when the grid has none yet."""
    query = select(GridCode).where(GridCode.area_code == area_code, col(GridCode.valid_until).is_(None))
    found = session.exec(query.order_by(col(GridCode.serial).desc())).first()
    return found or _issue(session, area_code, now)


def rotate(
    session: Session, area_codes: Iterable[str], actor: Actor | None, now: datetime, grace: timedelta = GRACE
) -> int:
    """Give each grid a new code; prints of the old one work for `grace` longer. The answer is how many."""
    count = 0
    for area_code in area_codes:
        former = present(session, area_code, now)
        former.valid_until = now + grace
        session.add(former)
        _issue(session, area_code, now)
        count += 1
    record_change(session, actor, "grid_code", "*", "rotate", after={"grids": count}, now=now)
    return count


def read(session: Session, settings: Settings, given: str, now: datetime) -> GridCode:
    """The code that this token was printed from.

    Raises
    ------
    NotFound
        It was not signed here.
    Gone
        The sheet was replaced long enough ago.
    """
    area_code, _, rest = given.rpartition("-")[0].rpartition("-")
    serial = int(rest) if rest.isascii() and rest.isdecimal() and len(rest) < 9 else 0
    genuine = f"{area_code}-{serial}-{_signature(settings, area_code, serial)}"
    if not serial or not hmac.compare_digest(genuine.encode(), given.encode("utf-8", "replace")):
        raise NotFound("这个二维码不是本系统印发的,请勿在此填写信息;请扫本网格公示牌上的码,或拨打 12345")
    found = session.get(GridCode, (area_code, serial))
    if found is None:
        raise NotFound("这个二维码已作废,请扫本网格公示牌上的新码,或拨打 12345")
    if found.valid_until is not None and found.valid_until <= now:
        raise Gone("这张公示牌已经换新,请扫新的二维码,或拨打 12345")
    return found


def _issue(session: Session, area_code: str, now: datetime) -> GridCode:
    last = session.exec(select(func.max(GridCode.serial)).where(GridCode.area_code == area_code)).one()
    row = GridCode(area_code=area_code, serial=(last or 0) + 1, issued_at=now)
    session.add(row)
    session.flush()
    return row


def _signature(settings: Settings, area_code: str, serial: int) -> str:
    key = hmac.new(settings.secret_key.encode(), b"grid code", hashlib.sha256).digest()
    digest = hmac.new(key, f"{area_code}:{serial}".encode(), hashlib.sha256).digest()
    return b32encode(digest[:SIGNATURE_BYTES]).decode()
