"""A community confirms, per ticket, that the enforcement team bound to its grids came, and how it was; never where it is."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlmodel import Session, col
from uuid6 import uuid7

from dispatch.record import queries
from dispatch.record.desks.models import Arrival
from dispatch.record.models import Assignment, Reporter, Ticket, TicketCode
from dispatch.record.world import Standing
from dispatch.rules.workflow import TICKET
from grid.errors import InputError, NotAllowed, NotFound
from grid.permissions import Actor

CONFIRM, LOOK = "team:confirm", "area:look"
SCORES = range(1, 6)
NO_TEAM = ("community", "street", "centre")


def own_areas(standing: Standing, actor: Actor) -> set[str]:
    """The areas of one's posts: where the community or street itself answers."""
    units = (standing.organisations.get(tenure.organisation_code) for tenure in actor.tenures)
    return set(actor.area_codes) | {unit.area_code for unit in units if unit and unit.area_code}


def in_own_area(standing: Standing, actor: Actor) -> ColumnElement[bool]:
    """Every ticket in one's own area whoever handles it; what is confidential stays with those who handle it."""
    codes = own_areas(standing, actor)
    levels = (Ticket.grid_code, Ticket.community_code, Ticket.street_code)
    hidden = exists().where(
        and_(
            col(Reporter.intake_district) == col(Ticket.intake_district),
            col(Reporter.ticket_id) == col(Ticket.id),
            col(Reporter.confidential).is_(True),
        )
    )
    return and_(col(Ticket.workflow) == TICKET, or_(*(col(level).in_(codes) for level in levels)), ~hidden)


def teams(session: Session, standing: Standing, tickets: Iterable[Ticket]) -> dict[UUID, list[str]]:
    """The enforcement teams that were sent to each ticket: who can have come."""
    enforced = [one for one in tickets if standing.categories[one.category_code].enforcement]
    query = (
        select(col(Assignment.ticket_id), col(Assignment.organisation_code))
        .where(queries.of_tickets(Assignment, enforced))
        .order_by(col(Assignment.id))
    )
    found: dict[UUID, list[str]] = {}
    for ticket_id, unit in session.execute(query):
        kind = standing.organisations[unit].kind if unit in standing.organisations else None
        if kind not in (None, *NO_TEAM) and unit not in found.setdefault(ticket_id, []):
            found[ticket_id].append(unit)
    return found


def confirm(
    session: Session,
    code: str,
    actor: Actor,
    standing: Standing,
    organisation_code: str,
    *,
    came: bool,
    score: int | None,
    now: datetime,
) -> Arrival:
    """Say that a unit came or did not come, and how its work was; a later word replaces the earlier one.

    Raises
    ------
    NotFound, NotAllowed, InputError
        Nothing was written.
    """
    query = (
        select(Ticket)
        .join(TicketCode, col(TicketCode.ticket_id) == col(Ticket.id))
        .where(col(TicketCode.code) == code)
    )
    ticket: Ticket | None = session.execute(query).scalar_one_or_none()
    if ticket is None:
        raise NotFound(f"没有找到工单 {code},请核对编号")
    inside = session.execute(
        select(col(Ticket.id)).where(queries.of_ticket(Ticket, ticket), in_own_area(standing, actor))
    ).first()
    if inside is None or not actor.may(CONFIRM) or actor.account_id is None:
        raise NotAllowed("只能评价到本社区(街道)来的队伍")
    if organisation_code not in teams(session, standing, [ticket]).get(ticket.id, []):
        raise InputError("这个单位不是派到这件工单的执法队伍,请重新选择", {"organisation": "请重新选择"})
    if score is not None and score not in SCORES:
        raise InputError("评价请从 1—5 中选", {"score": "请重新选择"})
    mine = and_(queries.of_ticket(Arrival, ticket), col(Arrival.organisation_code) == organisation_code)
    row = session.execute(select(Arrival).where(mine)).scalar_one_or_none()
    if row is None:
        row = Arrival(
            intake_district=ticket.intake_district,
            id=uuid7(),
            ticket_id=ticket.id,
            organisation_code=organisation_code,
            came=came,
            said_by=actor.account_id,
            said_for=actor.organisation_code or "",
            said_at=now,
        )
    row.came, row.score, row.said_at, row.said_by = came, score if came else None, now, actor.account_id
    session.add(row)
    return row
