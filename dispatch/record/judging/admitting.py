"""The list of what villages and communities may not be given, as it meets a deed: refused, counted, let through once.

A refused attempt is counted outside the transaction that it undid. What it was, wrong or not, is for people to find.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, select
from uuid6 import uuid7

from dispatch.record import queries
from dispatch.record.judging.routes import forbidden
from dispatch.record.models import Admittance, HandedDown, Ticket
from dispatch.record.world import Standing, World
from dispatch.rules.admission import Part
from grid.database import Database
from grid.errors import Conflict, InputError, NotAllowed, NotFound
from grid.permissions import Actor

Result = TypeVar("Result")
APPROVED, REFUSED = "approved", "refused"
ASK = ("ticket:dispatch", "ticket:handle", "ticket:rule")
DECIDE = "admission:decide"


class Barred(InputError):
    """The list forbids giving this matter to this unit; `attempt` is what is to be counted."""

    def __init__(
        self,
        clause: str,
        field: str,
        to_code: str,
        category_code: str,
        path: str,
        ticket_code: str | None = None,
    ) -> None:
        sentence = f"{clause}。确需由其承担的,请先提交准入申请,经区里批准后放行一次"
        super().__init__(sentence, {field: sentence})
        self.clause, self.to_code, self.path = clause, to_code, path
        self.category_code, self.ticket_code = category_code, ticket_code


def barred_from(
    ticket: Ticket, clause: str, to_code: str, action: str, field: str = "organisation"
) -> Barred:
    """The refusal of an action on a ticket."""
    return Barred(clause, field, to_code, ticket.category_code, action, ticket.code)


def counted(database: Database, actor: Actor, now: datetime, work: Callable[[Session], Result]) -> Result:
    """Carry the work out; an attempt against the list is counted to the actor's unit, and refused."""
    try:
        return database.write(work)
    except Barred as barred:
        attempt = barred
        database.write(lambda session: _count(session, attempt, actor, now))
        raise


def _count(session: Session, barred: Barred, actor: Actor, now: datetime) -> None:
    session.add(
        HandedDown(
            id=uuid7(),
            at=now,
            by_code=actor.organisation_code,
            account_id=actor.account_id,
            to_code=barred.to_code,
            category_code=barred.category_code,
            ticket_code=barred.ticket_code,
            path=barred.path,
            channel=actor.channel,
            clause=barred.clause,
        )
    )


def attempts_by_unit(session: Session) -> list[tuple[str | None, int]]:
    """How often each unit tried, the most first."""
    number = func.count()
    query = select(HandedDown.by_code, number).group_by(col(HandedDown.by_code)).order_by(number.desc())
    return [(code, count) for code, count in session.exec(query).all()]


def approved(session: Session, ticket: Ticket, to_code: object) -> Admittance | None:
    """The admission that lets this ticket through to this unit and was not used yet."""
    query = select(Admittance).where(
        Admittance.ticket_code == ticket.code,
        Admittance.to_code == str(to_code),
        Admittance.outcome == APPROVED,
        col(Admittance.used_at).is_(None),
    )
    return session.exec(query.limit(1)).first()


def ask(
    session: Session, code: str, to_code: str, reason: str, actor: Actor, world: World, now: datetime
) -> Admittance:
    """Ask the district to let one matter through to one unit, once.

    Raises
    ------
    NotAllowed, NotFound, InputError, Conflict
        No post for it; nothing stands in the way; already asked.
    """
    if not any(actor.may(verb) for verb in ASK):
        raise NotAllowed("您的岗位不能提交准入申请")
    standing = world.refresh(session)
    ticket = queries.find(session, code, actor)
    clause = _clause(standing, ticket, to_code)
    if clause is None:
        raise Conflict("清单没有禁止派给这个单位,不用申请,直接派遣即可")
    if not reason.strip():
        raise InputError("请写明为什么须由社区承担", {"reason": "请填写理由"})
    waiting = select(Admittance.id).where(
        Admittance.ticket_code == ticket.code,
        Admittance.to_code == to_code,
        col(Admittance.used_at).is_(None),
        (col(Admittance.outcome).is_(None)) | (col(Admittance.outcome) == APPROVED),
    )
    if session.exec(waiting).first() is not None:
        raise Conflict("这件工单已有准入申请在等待审批或尚未使用")
    made = Admittance(
        id=uuid7(),
        ticket_code=ticket.code,
        to_code=to_code,
        clause=clause,
        reason=reason.strip(),
        asked_by=actor.account_id,
        asked_for=actor.organisation_code,
        asked_at=now,
    )
    session.add(made)
    return made


def decide(session: Session, key: UUID, outcome: str, actor: Actor, now: datetime) -> Admittance:
    """The district lets it through once, or not; never the person who asked."""
    if not actor.may(DECIDE):
        raise NotAllowed("准入申请由区里审批")
    found = session.get(Admittance, key, with_for_update=True)
    if found is None:
        raise NotFound("没有这项准入申请,请刷新页面")
    if found.outcome is not None:
        raise Conflict("这项准入申请已经审批")
    if found.asked_by == actor.account_id:
        raise NotAllowed("准入申请须由申请人以外的人审批")
    if outcome not in (APPROVED, REFUSED):
        raise InputError("请选择 批准 或 不批准", {"outcome": "请选择"})
    found.outcome, found.decided_by, found.decided_at = outcome, actor.account_id, now
    session.add(found)
    return found


def _clause(standing: Standing, ticket: Ticket, to_code: str) -> str | None:
    unit = standing.organisation(to_code)
    return forbidden(standing, ticket, unit) or forbidden(standing, ticket, unit, Part.ASSISTANT)
