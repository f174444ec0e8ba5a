"""Leave with a deputy (请假顶岗): for its days the deputy holds the same posts, and then they end by themselves."""

from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import or_
from sqlmodel import Session, col, select
from uuid6 import uuid7

from grid.accounts.people import NewPost, add_post
from grid.auditing import record_change, values_of
from grid.errors import InputError, NotAllowed
from grid.models import Account, Leave, Post
from grid.permissions import Actor

LONGEST = timedelta(days=180)


def take(
    session: Session, actor: Actor, deputy_id: UUID, from_on: date, to_on: date, reason: str, now: datetime
) -> Leave:
    """Go on leave; the deputy must be of the same duty class (巡办分离) and of one's own unit.

    Raises
    ------
    NotAllowed, InputError
        Nothing was written.
    """
    if actor.account_id is None:
        raise NotAllowed("只有本人能请假")
    deputy = session.get(Account, deputy_id)
    if (
        deputy is None
        or deputy.disabled_at
        or deputy.id == actor.account_id
        or deputy.id not in _candidates(session, actor)
    ):
        raise InputError("请选择本单位同一职责类别的人顶岗", {"deputy": "请重新选择"})
    if not from_on <= to_on <= from_on + LONGEST:
        raise InputError(f"结束日期须在开始日期之后,最长 {LONGEST.days} 天", {"to_on": "请检查日期"})
    leave = Leave(
        id=uuid7(),
        account_id=actor.account_id,
        deputy_id=deputy.id,
        from_on=from_on,
        to_on=to_on,
        reason=reason.strip()[:200] or None,
        made_by=actor.account_id,
        made_at=now,
    )
    session.add(leave)
    session.flush()
    for post in _posts(session, actor.account_id, from_on):
        ends = min(to_on, post.to_on) if post.to_on else to_on
        new = NewPost(
            post.role, post.organisation_code, post.area_code, max(from_on, post.from_on or from_on), ends
        )
        add_post(session, deputy, new, actor, now).leave_id = leave.id
    record_change(session, actor, "leave", str(leave.id), "create", after=values_of(leave), now=now)
    return leave


def end_early(session: Session, actor: Actor, leave_id: UUID, on: date, now: datetime) -> None:
    """Come back before the end: the deputy's posts end the day before."""
    leave = session.get(Leave, leave_id)
    if leave is None or leave.account_id != actor.account_id or leave.ended_at is not None:
        raise InputError("没有这次请假,或它已经结束")
    leave.ended_at = now
    session.add(leave)
    for post in session.exec(select(Post).where(Post.leave_id == leave_id)):
        post.to_on = min(on - timedelta(days=1), post.to_on or on)
        session.add(post)
    record_change(session, actor, "leave", str(leave.id), "end", after=values_of(leave), now=now)


def of(session: Session, actor: Actor) -> list[tuple[Leave, str, str]]:
    """One's own leaves and those in which one stands in, with both names, the latest first."""
    query = (
        select(Leave)
        .where(or_(col(Leave.account_id) == actor.account_id, col(Leave.deputy_id) == actor.account_id))
        .order_by(col(Leave.from_on).desc())
        .limit(20)
    )
    found = list(session.exec(query))
    wanted = {one.account_id for one in found} | {one.deputy_id for one in found}
    names = dict(session.exec(select(Account.id, Account.name).where(col(Account.id).in_(wanted))).all())
    return [(one, names.get(one.account_id, ""), names.get(one.deputy_id, "")) for one in found]


def deputies(session: Session, actor: Actor) -> list[Account]:
    """Who can stand in, by name."""
    query = select(Account).where(
        col(Account.id).in_(_candidates(session, actor)), col(Account.disabled_at).is_(None)
    )
    return list(session.exec(query.order_by(Account.name)))


def _candidates(session: Session, actor: Actor) -> set[UUID]:
    units = {tenure.organisation_code for tenure in actor.tenures}
    query = (
        select(Account.id)
        .join(Post, col(Post.account_id) == col(Account.id))
        .where(col(Post.organisation_code).in_(units), Account.duty_class == actor.duty_class)
    )
    return set(session.exec(query)) - {actor.account_id}


def _posts(session: Session, account_id: UUID, on: date) -> list[Post]:
    query = select(Post).where(
        Post.account_id == account_id,
        col(Post.leave_id).is_(None),
        or_(col(Post.to_on).is_(None), col(Post.to_on) >= on),
    )
    return list(session.exec(query))
