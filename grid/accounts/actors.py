"""From an account to an `Actor`: the posts held today, and whom they answer for and to."""

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, and_, bindparam, literal, null, or_, select, union_all
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from grid.models import Account, Organisation, Post
from grid.permissions import Actor, Tenure


def actor_of(session: Session, account: Account, on: date, *, channel: str = "web") -> Actor:
    """Everything the account may do on that day, over all its posts in organisations that still exist."""
    found: dict[str, list[Any]] = {"post": [], "under": [], "answers_to": []}
    for row in session.connection().execute(STANDING, {"account_id": account.id, "on": on}):
        found[row.what].append(row)
    posts = sorted(found["post"], key=lambda row: row.id)
    return Actor(
        account_id=account.id,
        person_key=account.person_key,
        name=account.name,
        duty_class=account.duty_class,
        tenures=tuple(Tenure(row.role, row.code, row.area_code) for row in posts),
        under=frozenset(row.code for row in found["under"]),
        answers_to=frozenset(row.code for row in found["answers_to"]),
        channel=channel,
    )


def held_on(on: Any) -> ColumnElement[bool]:
    """The posts that are held on that day, a date or what stands for one in a statement."""
    return and_(
        or_(col(Post.from_on).is_(None), col(Post.from_on) <= on),
        or_(col(Post.to_on).is_(None), col(Post.to_on) >= on),
    )


def _standing() -> CompoundSelect[Any]:
    """The posts held, the organisations they are in with all below them, and all that these belong to or are
    supervised by: one statement, for it is asked in every request."""
    on = bindparam("on", type_=Post.__table__.c.from_on.type)  # type: ignore[attr-defined]
    held = (
        select(col(Post.id), col(Post.role), col(Post.organisation_code).label("code"), col(Post.area_code))
        .join(Organisation, col(Organisation.code) == col(Post.organisation_code))
        .where(
            col(Post.account_id) == bindparam("account_id"),
            held_on(on),
            or_(col(Organisation.closed_on).is_(None), col(Organisation.closed_on) > on),
        )
        .cte("held")
    )
    other, here = aliased(Organisation), aliased(Organisation)
    below = select(held.c.code).cte("below", recursive=True)
    below = below.union(select(col(other.code)).join(below, col(other.parent_code) == below.c.code))
    above = select(held.c.code).cte("above", recursive=True)
    belongs = or_(col(other.code) == col(here.parent_code), col(other.code) == col(here.supervised_by))
    step = select(col(other.code)).select_from(above).join(here, col(here.code) == above.c.code)
    above = above.union(step.join(other, belongs))
    return union_all(
        select(literal("post").label("what"), held.c.code, held.c.id, held.c.role, held.c.area_code),
        select(literal("under"), below.c.code, null(), null(), null()),
        select(literal("answers_to"), above.c.code, null(), null(), null()),
    )


STANDING = _standing()
