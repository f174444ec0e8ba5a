"""Saved views of a queue: its address under a name, for oneself or shared with the unit."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlmodel import Session, col
from uuid6 import uuid7

from dispatch.record.desks.models import SavedView
from grid.errors import InputError, NotAllowed
from grid.permissions import Actor

MOST = 30
LONGEST_NAME, LONGEST_QUERY = 20, 1000


def save(
    session: Session, actor: Actor, desk: str, name: str, query: str, *, shared: bool, now: datetime
) -> SavedView:
    """Keep a view under a name; the same name is written over.

    Raises
    ------
    InputError, NotAllowed
        Nothing was written.
    """
    name = name.strip()
    if actor.account_id is None or actor.organisation_code is None:
        raise NotAllowed("没有岗位的账号不能保存视图")
    if not 1 <= len(name) <= LONGEST_NAME or len(query) > LONGEST_QUERY:
        raise InputError(f"视图没有保存:名称请写 1—{LONGEST_NAME} 字", {"name": f"请写 1—{LONGEST_NAME} 字"})
    own = and_(col(SavedView.account_id) == actor.account_id, col(SavedView.desk) == desk)
    mine = list(session.execute(select(SavedView).where(own)).scalars())
    found = next((view for view in mine if view.name == name), None)
    if found is None and len(mine) >= MOST:
        raise InputError(f"视图最多 {MOST} 个,请先删去不用的", {"name": f"最多 {MOST} 个"})
    if found is None:
        found = SavedView(id=uuid7(), account_id=actor.account_id, desk=desk, name=name, made_at=now)
    found.query, found.shared_with, found.made_at = query, actor.organisation_code if shared else None, now
    session.add(found)
    return found


def forget(session: Session, actor: Actor, view_id: UUID) -> None:
    """Delete one's own view."""
    found = session.get(SavedView, view_id)
    if found is not None and found.account_id == actor.account_id:
        session.delete(found)


def seen_by(session: Session, actor: Actor, desk: str) -> list[SavedView]:
    """One's own views and those shared with one's units, one's own first."""
    shared = col(SavedView.shared_with).in_(sorted(tenure.organisation_code for tenure in actor.tenures))
    own = col(SavedView.account_id) == actor.account_id
    query = (
        select(SavedView).where(col(SavedView.desk) == desk, or_(own, shared)).order_by(col(SavedView.name))
    )
    found = list(session.execute(query).scalars())
    return sorted(found, key=lambda view: view.account_id != actor.account_id)
