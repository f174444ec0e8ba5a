"""What lists of tickets need besides the tickets."""

from collections.abc import Iterable
from uuid import UUID

from sqlmodel import Session, col, select

from dispatch.record import queries
from dispatch.record.models import Statement, Ticket
from dispatch.record.world import Standing
from dispatch.rules.routing import ASSET_RULE
from web.language.saying import said
from web.shown.labels import _, cursor, masked


def names_of_areas(standing: Standing, codes: Iterable[str | None]) -> dict[str, str]:
    """What these areas are called, those of earlier borders as such; unknown codes are left out."""
    return {code: said(name) for code in codes if code and (name := standing.area_name(code))}


def area_names(standing: Standing, tickets: Iterable[Ticket]) -> dict[str, str]:
    """The names of the grids and streets in a list of tickets."""
    return names_of_areas(standing, (c for one in tickets for c in (one.grid_code, one.street_code)))


def after_of(ticket: Ticket) -> str:
    """Where the page after this ticket begins, for an address."""
    return f"{cursor(ticket.due_at) if ticket.due_at else ''}~{ticket.id}"


def words_of(session: Session, tickets: Iterable[Ticket]) -> dict[UUID, str]:
    """What was reported, masked, for lists that show it."""
    query = select(Statement.ticket_id, Statement.text).where(
        queries.of_tickets(Statement, tickets), Statement.name == "text"
    )
    return {
        ticket_id: masked(text) for ticket_id, text in session.exec(query.order_by(col(Statement.id).desc()))
    }


def why_its(ticket: Ticket, standing: Standing) -> str:
    """In a few words why a ticket is with its unit; rules and codes stand on the ticket's own page."""
    routed = ticket.routed or {}
    by_rule = next((one["main"] for one in routed.get("tried", ()) if one["why_not"] is None), None)
    named = standing.organisations.get(by_rule or "")
    if ticket.main_code is None or not routed:
        return ""
    if named is None:
        return _("由指挥中心指定")
    if routed.get("main") != ticket.main_code:
        return _("按职责分工先到%(unit)s,后来改派", unit=named.name)
    if by_rule == ticket.main_code:
        is_asset = routed.get("rule") == ASSET_RULE
        return _("这件部件登记的权属单位") if is_asset else _("按职责分工归它办")
    if ticket.accused_code:
        return _("被诉的是%(unit)s,交其上级办", unit=named.name)
    return _("按职责分工归%(unit)s,由绑定本网格的队伍办", unit=named.name)
