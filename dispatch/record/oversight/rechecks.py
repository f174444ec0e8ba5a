"""Random re-checks after closing (四不两直): drawn under a registered plan, unseen by the handling unit."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, select
from sqlmodel import Session, col
from uuid6 import uuid7

from dispatch.record.models import Ticket
from dispatch.record.oversight import plans
from dispatch.record.oversight.models import PlanKind, Recheck
from dispatch.record.world import World
from dispatch.rules.workflow import State
from grid.errors import InputError, NotAllowed
from grid.permissions import Actor

CAN_BE_DRAWN = (State.CLOSED,)


def draw(
    session: Session,
    plan_number: str,
    *,
    percent: float,
    seed: str,
    closed_since: datetime,
    actor: Actor,
    world: World,
    now: datetime,
) -> list[Ticket]:
    """Draw that share of what was closed since; the same seed draws the same tickets again."""
    if not actor.may("ticket:recheck"):
        raise NotAllowed("您的岗位不能抽查")
    if not 0 < percent <= 100:
        raise InputError("抽查比例须在 0 与 100 之间", {"percent": "须在 0 与 100 之间"})
    problem = plans.valid(session, plan_number, PlanKind.RECHECK, now.astimezone(world.settings.zone).date())
    if problem:
        raise InputError(problem, {"plan": problem})
    query = (
        select(Ticket)
        .where(col(Ticket.state).in_(CAN_BE_DRAWN), col(Ticket.closed_at) >= closed_since)
        .where(col(Ticket.main_code).is_not(None))
    )
    found = sorted(session.execute(query).scalars(), key=lambda ticket: _lot(seed, ticket))
    drawn = found[: max(1, round(len(found) * percent / 100))] if found else []
    known = {row.ticket_id for row in _of_plan(session, plan_number)}
    for ticket in drawn:
        if ticket.id not in known:
            session.add(
                Recheck(
                    id=uuid7(),
                    plan_number=plan_number,
                    intake_district=ticket.intake_district,
                    ticket_id=ticket.id,
                    drawn_at=now,
                )
            )
    return drawn


def waiting(session: Session, actor: Actor) -> Sequence[tuple[Recheck, Ticket]]:
    """What was drawn, for those who look again, and for nobody else."""
    if not actor.may("ticket:recheck"):
        return []
    query = (
        select(Recheck, Ticket)
        .join(
            Ticket,
            and_(
                col(Ticket.intake_district) == col(Recheck.intake_district),
                col(Ticket.id) == col(Recheck.ticket_id),
            ),
        )
        .where(col(Recheck.checked_at).is_(None))
        .order_by(col(Recheck.drawn_at), col(Recheck.id))
    )
    return [(row, ticket) for row, ticket in session.execute(query)]


def is_drawn(session: Session, plan_number: str, ticket: Ticket) -> bool:
    """Whether this plan drew this ticket and nobody has looked yet."""
    return _drawn(session, plan_number, ticket) is not None


def settle(session: Session, plan_number: str, ticket: Ticket, outcome: str, now: datetime) -> None:
    """Somebody has looked."""
    row = _drawn(session, plan_number, ticket)
    if row is not None:
        row.checked_at, row.outcome = now, outcome


def _drawn(session: Session, plan_number: str, ticket: Ticket) -> Recheck | None:
    query = select(Recheck).where(
        col(Recheck.plan_number) == plan_number,
        col(Recheck.intake_district) == ticket.intake_district,
        col(Recheck.ticket_id) == ticket.id,
        col(Recheck.checked_at).is_(None),
    )
    found: Recheck | None = session.execute(query).scalar_one_or_none()
    return found


def _of_plan(session: Session, plan_number: str) -> Sequence[Recheck]:
    return session.execute(select(Recheck).where(col(Recheck.plan_number) == plan_number)).scalars().all()


def _lot(seed: str, ticket: Ticket) -> bytes:
    return hashlib.sha256(f"{seed}:{ticket.code}".encode()).digest()
