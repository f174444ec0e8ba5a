"""Reverse rating (反向评价): those at the base rate the dispatch, a unit's work and the software; only sums are kept."""

import hashlib
from datetime import date
from uuid import uuid4

from sqlalchemy import func, select
from sqlmodel import Session, col

from dispatch.record import queries
from dispatch.record.desks.models import Opinion, OpinionAsked
from grid.errors import Conflict, InputError, NotAllowed
from grid.permissions import Actor

DISPATCH, UNIT, SOFTWARE = "dispatch", "unit", "software"
ABOUT = {DISPATCH: "这单派得对不对", UNIT: "承办单位办得怎样", SOFTWARE: "系统好不好用"}
SAMPLED_PERCENT = 30
LEAST_SHOWN = 5


def is_offered(session: Session, actor: Actor, key: str) -> bool:
    """Whether to ask this person about this: a sample, and nobody twice."""
    if actor.account_id is None or session.get(OpinionAsked, (actor.account_id, key)) is not None:
        return False
    drawn = hashlib.sha256(f"{actor.account_id}:{key}".encode()).digest()
    return int.from_bytes(drawn[:4], "big") % 100 < SAMPLED_PERCENT


def give(session: Session, actor: Actor, about: str, code: str | None, score: int, on: date) -> None:
    """Keep one tap. The row of the answer holds neither the person nor the ticket nor the day.

    Raises
    ------
    NotFound, NotAllowed, Conflict, InputError
        Nothing was written.
    """
    if about not in ABOUT or not 1 <= score <= 5:
        raise InputError("请选择 1—5", {"score": "请重新选择"})
    if actor.account_id is None or actor.duty_class is None:
        raise NotAllowed("登录后才能评价")
    unit, key = None, f"{about}:{on:%Y-%m}"
    if about != SOFTWARE:
        ticket = queries.find(session, code or "", actor)
        unit, key = ticket.main_code, f"{about}:{ticket.code}"
        if unit is None:
            raise InputError("这件工单还没有承办单位,不能评价")
    if session.get(OpinionAsked, (actor.account_id, key)) is not None:
        raise Conflict("已经评价过了,谢谢")
    session.add(OpinionAsked(account_id=actor.account_id, key=key, on=on))
    session.add(
        Opinion(
            id=uuid4(),
            about=about,
            organisation_code=unit,
            voice=str(actor.duty_class),
            score=score,
            month=f"{on:%Y-%m}",
        )
    )


def sums(session: Session) -> dict[tuple[str, str | None], tuple[int, float | None]]:
    """How many taps about what and whom, and their mean where there are enough not to point at anybody."""
    query = select(
        col(Opinion.about), col(Opinion.organisation_code), func.count(), func.avg(Opinion.score)
    ).group_by(col(Opinion.about), col(Opinion.organisation_code))
    return {
        (row[0], row[1]): (row[2], round(float(row[3]), 1) if row[2] >= LEAST_SHOWN else None)
        for row in session.execute(query)
    }
