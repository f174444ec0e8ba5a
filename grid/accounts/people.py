"""Accounts and posts: created, ended and disabled here, each change audited, duty classes never mixed."""

from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session, select
from uuid6 import uuid7

from grid.accounts import passwords, sessions
from grid.auditing import record_change, values_of
from grid.errors import InputError
from grid.models import Account, DutyClass, Organisation, Post
from grid.permissions import ROLES, Actor

DUTY_CLASS_LABELS = {
    DutyClass.PATROL: "巡查",
    DutyClass.HANDLING: "办理",
    DutyClass.INTAKE: "受理",
    DutyClass.OVERSIGHT: "督查",
    DutyClass.ADMINISTRATION: "管理",
}


@dataclass(frozen=True)
class NewPost:
    """A post to be given: a role within an organisation, over an area where the role needs one."""

    role: str
    organisation_code: str
    area_code: str | None = None
    from_on: date | None = None
    to_on: date | None = None


@dataclass(frozen=True)
class NewAccount:
    """An account to be created; `person_key` ties the accounts of one natural person together."""

    login: str
    name: str
    posts: tuple[NewPost, ...] = field(default=())
    phone: str | None = None
    person_key: str | None = None
    password: str | None = None


def create_account(session: Session, new: NewAccount, actor: Actor | None, now: datetime) -> Account:
    """Create an account with its posts; without a password it waits for a link."""
    login = passwords.normal_login(new.login)
    if not login or not new.name.strip():
        raise InputError("登录名和姓名都要填写", {"login": "请填写"})
    if not new.posts:
        raise InputError(f"账号“{login}”没有岗位,请至少给一个岗位", {"posts": "请至少给一个岗位"})
    if session.exec(select(Account).where(Account.login == login)).first() is not None:
        raise InputError(f"登录名“{login}”已被使用,请换一个", {"login": "已被使用"})
    account_id = uuid7()
    account = Account(
        id=account_id,
        login=login,
        name=new.name.strip(),
        phone=new.phone,
        person_key=new.person_key or account_id.hex,
        duty_class=duty_class_of(new.posts[0].role),
        created_at=now,
    )
    if new.password is not None:
        set_password(session, account, new.password, now)
    session.add(account)
    session.flush()
    record_change(session, actor, "account", login, "create", after=values_of(account), now=now)
    for post in new.posts:
        add_post(session, account, post, actor, now)
    return account


def add_post(session: Session, account: Account, new: NewPost, actor: Actor | None, now: datetime) -> Post:
    """Give an account one more post.

    Raises
    ------
    InputError
        The role is unknown, lies outside the account's duty class, or lacks its area or organisation.
    """
    wanted = duty_class_of(new.role)
    if wanted is not account.duty_class:
        raise InputError(
            f"账号“{account.login}”的职责类别是{DUTY_CLASS_LABELS[account.duty_class]},"
            f"不能担任{DUTY_CLASS_LABELS[wanted]}类的“{ROLES[new.role].label}”(巡办分离);请另开账号,登记为同一人",
            {"role": "与账号的职责类别不同"},
        )
    if ROLES[new.role].needs_area and not new.area_code:
        raise InputError(f"岗位“{ROLES[new.role].label}”须指定负责的区域", {"area": "请填写区域编码"})
    if session.get(Organisation, new.organisation_code) is None:
        raise InputError(
            f"没有编码为 {new.organisation_code} 的单位,请先导入单位", {"organisation": "不存在"}
        )
    post = Post(
        id=uuid7(),
        account_id=account.id,
        role=new.role,
        organisation_code=new.organisation_code,
        area_code=new.area_code,
        from_on=new.from_on,
        to_on=new.to_on,
    )
    session.add(post)
    record_change(session, actor, "post", account.login, "create", after=values_of(post), now=now)
    return post


def end_post(session: Session, post_id: UUID, on: date, actor: Actor, now: datetime) -> None:
    """Let a post end with the day before `on`, and end the account's sessions."""
    post = session.get_one(Post, post_id)
    before = values_of(post)
    post.to_on = date.fromordinal(on.toordinal() - 1)
    session.add(post)
    sessions.end_sessions(session, post.account_id, now)
    record_change(session, actor, "post", str(post_id), "end", before=before, after=values_of(post), now=now)


def set_password(session: Session, account: Account, password: str, now: datetime) -> None:
    """Keep a new password and end every session of the account."""
    passwords.check_password(password, login=account.login, name=account.name)
    account.password_hash = passwords.hash_password(password)
    account.password_changed_at = now
    session.add(account)
    sessions.end_sessions(session, account.id, now)


def change_password(
    session: Session, account: Account, actor: Actor, *, old: str, new: str, now: datetime
) -> None:
    """The owner's change; all sessions end, also the one in which it is made."""
    if not passwords.matches(account.password_hash, old):
        raise InputError("原密码不正确,密码没有改动", {"old": "原密码不正确"})
    set_password(session, account, new, now)
    record_change(session, actor, "account", account.login, "change_password", now=now)


def choose_language(session: Session, account_id: UUID, language: str) -> None:
    """The language of this person's pages, in every browser that has not chosen another."""
    account = session.get_one(Account, account_id, with_for_update=True)
    account.language = language
    session.add(account)


def disable_account(session: Session, account: Account, actor: Actor | None, now: datetime) -> None:
    """Shut an account and end its sessions; what it did stays."""
    account.disabled_at = now
    session.add(account)
    sessions.end_sessions(session, account.id, now)
    record_change(session, actor, "account", account.login, "disable", now=now)


def enable_account(session: Session, account: Account, actor: Actor, now: datetime) -> None:
    """Open a disabled account again."""
    account.disabled_at = None
    session.add(account)
    record_change(session, actor, "account", account.login, "enable", now=now)


def duty_class_of(role: str) -> DutyClass:
    """The duty class that a role belongs to."""
    if role not in ROLES:
        known = "、".join(f"{found.label}({key})" for key, found in ROLES.items())
        raise InputError(f"没有岗位“{role}”,可用的有:{known}", {"role": "不认识的岗位"})
    return ROLES[role].duty_class
