"""Showing a reporter's particulars: needs the permission and a reason, and is written down."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, select
from sqlmodel import Session, col
from uuid6 import uuid7

from dispatch.record import queries
from dispatch.record.effects import asking
from dispatch.record.models import DisclosureLog, Reporter, Ticket
from grid.errors import InputError, NotAllowed
from grid.permissions import Actor
from grid.settings import Settings

REVEAL = "reporter:reveal"
SHORTEST_REASON = 2
LONGEST_REASON = 200
AT_REGISTRATION = "来电登记时带出称呼"


def reveal(session: Session, code: str, actor: Actor, reason: str, now: datetime) -> list[Reporter]:
    """The reporters of a ticket in full.

    Raises
    ------
    NotFound, NotAllowed, InputError
        The ticket is out of reach, the particulars are, or there is no reason; nothing was shown.
    """
    ticket = queries.find(session, code, actor)
    if actor.account_id is None or not queries.reaches(session, ticket, actor, REVEAL):
        raise NotAllowed("您的岗位不能查看诉求人的联系方式;需要联系时请由热线代为联系")
    reporters = queries.reporters(session, ticket)
    if any(reporter.confidential for reporter in reporters) and not actor.may("ticket:call_back"):
        raise NotAllowed("诉求人要求保密,联系方式不向承办单位显示;请由热线代为联系")
    reason = reason.strip()
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise InputError("请写明查看的原因(将记入日志)", {"reason": "请写明原因,例如:联系核实地点"})
    session.add(_shown(ticket, actor.account_id, reason, now))
    return reporters


def name_of_caller(
    session: Session, actor: Actor, settings: Settings, phone: str, now: datetime
) -> str | None:
    """What the person at this telephone was called last time, so that nobody is asked twice; written down as well.

    Whoever asked for confidence gives their name anew.
    """
    key = asking.person_key(settings, phone)
    if key is None or actor.account_id is None:
        return None
    belongs = and_(
        col(Reporter.intake_district) == col(Ticket.intake_district),
        col(Reporter.ticket_id) == col(Ticket.id),
    )
    query = (
        select(Reporter, Ticket)
        .join(Ticket, belongs)
        .where(col(Reporter.person_key) == key, queries.visible(actor))
        .order_by(col(Ticket.reported_at).desc(), col(Ticket.id).desc())
        .limit(1)
    )
    found = session.execute(query).first()
    if found is None or found[0].confidential or not found[0].name:
        return None
    session.add(_shown(found[1], actor.account_id, AT_REGISTRATION, now))
    return str(found[0].name)


def _shown(ticket: Ticket, account_id: UUID, reason: str, now: datetime) -> DisclosureLog:
    return DisclosureLog(
        intake_district=ticket.intake_district,
        id=uuid7(),
        ticket_id=ticket.id,
        account_id=account_id,
        at=now,
        reason=reason,
    )
