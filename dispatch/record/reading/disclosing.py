"""Showing a reporter's particulars: needs the permission and a reason, and is written down."""

from datetime import datetime

from sqlmodel import Session
from uuid6 import uuid7

from dispatch.record import queries
from dispatch.record.models import DisclosureLog, Reporter
from grid.errors import InputError, NotAllowed
from grid.permissions import Actor

REVEAL = "reporter:reveal"
SHORTEST_REASON = 2
LONGEST_REASON = 200


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
    session.add(
        DisclosureLog(
            intake_district=ticket.intake_district,
            id=uuid7(),
            ticket_id=ticket.id,
            account_id=actor.account_id,
            at=now,
            reason=reason,
        )
    )
    return reporters
