"""From an account to an `Actor`: the posts held today, and whom they answer for and to."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import BindParameter, Select, bindparam, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from grid.models import Account, Organisation, Post
from grid.permissions import Actor, Tenure

# Asked in every request, so they are built once.
_ON: BindParameter[date] = bindparam("on")
POSTS = (
    select(col(Post.role), col(Post.organisation_code), col(Post.area_code))
    .join(Organisation, col(Organisation.code) == col(Post.organisation_code))
    .where(
        col(Post.account_id) == bindparam("account_id"),
        or_(col(Post.from_on).is_(None), col(Post.from_on) <= _ON),
        or_(col(Post.to_on).is_(None), col(Post.to_on) >= _ON),
        or_(col(Organisation.closed_on).is_(None), col(Organisation.closed_on) > _ON),
    )
    .order_by(col(Post.id))
)


def actor_of(session: Session, account: Account, on: date, *, channel: str = "web") -> Actor:
    """Everything the account may do on that day, over all its posts in organisations that still exist."""
    rows = session.execute(POSTS, {"account_id": account.id, "on": on})
    tenures = tuple(Tenure(role, organisation, area) for role, organisation, area in rows)
    own = {tenure.organisation_code for tenure in tenures}
    return Actor(
        account_id=account.id,
        person_key=account.person_key,
        name=account.name,
        duty_class=account.duty_class,
        tenures=tenures,
        under=_walk(session, BELOW, own),
        answers_to=_walk(session, ABOVE, own),
        channel=channel,
    )


def _walk(session: Session, path: Select[Any], own: Iterable[str]) -> frozenset[str]:
    start = sorted(own)
    return frozenset(session.execute(path, {"start": start}).scalars()) if start else frozenset()


def _start() -> Any:
    own = col(Organisation.code).in_(bindparam("start", expanding=True))
    return select(col(Organisation.code)).where(own).cte(recursive=True)


def _below() -> Select[Any]:
    """The organisations themselves and everything below them."""
    found, other = _start(), aliased(Organisation)
    step = select(col(other.code)).join(found, col(other.parent_code) == found.c.code)
    return select(found.union(step).c.code)


def _above() -> Select[Any]:
    """The organisations themselves and all they belong to or are supervised by."""
    found, here, other = _start(), aliased(Organisation), aliased(Organisation)
    belongs = or_(col(other.code) == col(here.parent_code), col(other.code) == col(here.supervised_by))
    step = select(col(other.code)).select_from(found).join(here, col(here.code) == found.c.code)
    return select(found.union(step.join(other, belongs)).c.code)


BELOW, ABOVE = _below(), _above()
