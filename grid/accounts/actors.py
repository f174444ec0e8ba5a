"""From an account to an `Actor`: the posts held today, and whom they answer for and to."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from grid.models import Account, Organisation, Post
from grid.permissions import Actor, Tenure


def actor_of(session: Session, account: Account, on: date, *, channel: str = "web") -> Actor:
    """Everything the account may do on that day, over all its posts in organisations that still exist."""
    posts = session.execute(
        select(Post)
        .join(Organisation, col(Organisation.code) == col(Post.organisation_code))
        .where(
            col(Post.account_id) == account.id,
            or_(col(Post.from_on).is_(None), col(Post.from_on) <= on),
            or_(col(Post.to_on).is_(None), col(Post.to_on) >= on),
            or_(col(Organisation.closed_on).is_(None), col(Organisation.closed_on) > on),
        )
        .order_by(col(Post.id))
    ).scalars()
    tenures = tuple(Tenure(post.role, post.organisation_code, post.area_code) for post in posts)
    own = {tenure.organisation_code for tenure in tenures}
    return Actor(
        account_id=account.id,
        person_key=account.person_key,
        name=account.name,
        duty_class=account.duty_class,
        tenures=tenures,
        under=_walk(session, own, downwards=True),
        answers_to=_walk(session, own, downwards=False),
        channel=channel,
    )


def _walk(session: Session, own: Iterable[str], *, downwards: bool) -> frozenset[str]:
    """The organisations themselves and all below them, or all they belong to or are supervised by."""
    if not (start := sorted(own)):
        return frozenset()
    here: Any = aliased(Organisation)
    other: Any = aliased(Organisation)
    found = select(col(Organisation.code)).where(col(Organisation.code).in_(start)).cte(recursive=True)
    if downwards:
        step = select(other.code).join(found, other.parent_code == found.c.code)
    else:
        above = or_(other.code == here.parent_code, other.code == here.supervised_by)
        step = select(other.code).select_from(found).join(here, here.code == found.c.code).join(other, above)
    return frozenset(session.execute(select(found.union(step).c.code)).scalars())
