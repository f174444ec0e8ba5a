"""Single-use links: the first administrator of a new installation, and a first or forgotten password."""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from grid.accounts.people import NewAccount, NewPost, create_account, set_password
from grid.accounts.sessions import token_hash
from grid.auditing import record_change, values_of
from grid.errors import Conflict, Gone
from grid.models import Account, DutyClass, OneTimeLink, Organisation
from grid.permissions import Actor

FIRST_ADMINISTRATOR = "first_administrator"
PASSWORD = "password"  # noqa: S105 - a purpose, not a secret
FIRST_VALID_FOR = timedelta(days=7)
PASSWORD_VALID_FOR = timedelta(hours=24)
CENTRE_CODE = CENTRE_KIND = "centre"
CENTRE_NAME = "城市运行管理中心"


def make_first_administrator_link(session: Session, now: datetime) -> str | None:
    """The token of a new link, earlier ones being void; None when there is an administrator already."""
    if _has_administrator(session):
        return None
    for link in session.exec(
        select(OneTimeLink).where(
            OneTimeLink.purpose == FIRST_ADMINISTRATOR, col(OneTimeLink.used_at).is_(None)
        )
    ):
        link.used_at = now
        session.add(link)
    return _make(session, FIRST_ADMINISTRATOR, None, now + FIRST_VALID_FOR)


def create_first_administrator(
    session: Session, token: str, *, login: str, name: str, password: str, now: datetime
) -> Account:
    """Use the link: the administrator, in the dispatch centre, which is created where there is none."""
    if _has_administrator(session):
        raise Conflict("已经有系统管理员,请用管理员账号登录")
    _use(session, token, FIRST_ADMINISTRATOR, now)
    post = NewPost("administrator", _centre_code(session, now))
    return create_account(
        session, NewAccount(login=login, name=name, posts=(post,), password=password), None, now
    )


def _centre_code(session: Session, now: datetime) -> str:
    """The dispatch centre, which a new installation has not got yet."""
    query = select(Organisation.code).where(Organisation.kind == CENTRE_KIND).order_by(Organisation.code)
    code = session.exec(query).first()
    if code is None:
        centre = Organisation(code=CENTRE_CODE, name=CENTRE_NAME, kind=CENTRE_KIND)
        session.add(centre)
        session.flush()
        record_change(session, None, "organisation", centre.code, "create", after=values_of(centre), now=now)
        code = centre.code
    return code


def make_password_link(session: Session, account: Account, actor: Actor | None, now: datetime) -> str:
    """The token of a link with which the owner sets a password; the old password holds until then."""
    record_change(session, actor, "account", account.login, "offer_password_link", now=now)
    return _make(session, PASSWORD, account.id, now + PASSWORD_VALID_FOR)


def use_password_link(session: Session, token: str, password: str, now: datetime) -> Account:
    """Set the password that the link was made for; the link is used up only when the password is accepted."""
    link = _use(session, token, PASSWORD, now)
    account = session.get_one(Account, link.account_id)
    set_password(session, account, password, now)
    record_change(session, None, "account", account.login, "set_password", now=now)
    return account


def read_link(session: Session, token: str, purpose: str, now: datetime) -> OneTimeLink:
    """The link if it may still be used; reading it changes nothing.

    Raises
    ------
    Gone
        It has expired, was used or never was.
    """
    link = session.get(OneTimeLink, token_hash(token))
    if link is None or link.purpose != purpose or link.used_at is not None or now >= link.expires_at:
        raise Gone("这个链接已失效(用过一次或已过期),请联系管理员重新发一个")
    return link


def _use(session: Session, token: str, purpose: str, now: datetime) -> OneTimeLink:
    link = session.get(OneTimeLink, token_hash(token), with_for_update=True)
    if link is not None:
        session.refresh(link)
    link = read_link(session, token, purpose, now)
    link.used_at = now
    session.add(link)
    return link


def _make(session: Session, purpose: str, account_id: UUID | None, expires_at: datetime) -> str:
    token = secrets.token_urlsafe(32)
    session.add(
        OneTimeLink(
            token_hash=token_hash(token), purpose=purpose, account_id=account_id, expires_at=expires_at
        )
    )
    return token


def _has_administrator(session: Session) -> bool:
    query = select(Account).where(
        Account.duty_class == DutyClass.ADMINISTRATION, col(Account.disabled_at).is_(None)
    )
    return session.exec(query).first() is not None
