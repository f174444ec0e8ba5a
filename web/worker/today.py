"""What there is to do today, over all posts of the account: to verify, to answer, to do again, in my grids."""

from dataclasses import dataclass

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from dispatch.record import queries
from dispatch.record.models import Ticket
from dispatch.record.world import Standing
from dispatch.rules.workflow import State
from grid.models import Area
from grid.permissions import Actor
from web.gate.access import current_actor, permission_required
from web.service.context import database, world
from web.shown.lists import area_names
from web.worker.blueprint import blueprint

SIZE = 50


@dataclass(frozen=True, slots=True)
class Part:
    """One heading of the list with its tickets, the most pressing first."""

    key: str
    title: str
    empty: str
    tickets: tuple[Ticket, ...]


def parts_of(session: Session, actor: Actor) -> list[Part]:
    """The day's list; a ticket stands under the first heading that fits."""
    known: set[object] = set()

    def part(key: str, title: str, empty: str, *conditions: ColumnElement[bool]) -> Part:
        found = [t for t in queries.page(session, actor, *conditions, size=SIZE) if t.id not in known]
        known.update(ticket.id for ticket in found)
        return Part(key, title, empty, tuple(found))

    own = col(Ticket.reported_by) == actor.account_id
    return [
        part("verify", "待核查", "没有等您核查的工单", *_to_verify(actor)),
        part("answer", "等我补充", "", own, queries.is_open(), col(Ticket.state) == State.NEED_INFO),
        part("rework", "返工中", "", queries.is_open(), col(Ticket.state) == State.REWORK),
        part("own", "我上报的", "您上报的都已办结", own, queries.is_open()),
        part("nearby", "我的网格里在办的", "", queries.is_open()),
    ]


def _to_verify(actor: Actor) -> tuple[ColumnElement[bool], ...]:
    return (
        queries.is_open(),
        queries.visible(actor, "ticket:verify"),
        col(Ticket.state).in_((State.HANDLED, State.VERIFYING_PRE)),
    )


def address_of(part: str, ticket: Ticket) -> str:
    """Where a ticket of the list is dealt with."""
    if part == "verify" and ticket.state is State.HANDLED:
        return url_for("worker.verify", code=ticket.code)
    return url_for("ticket.page", code=ticket.code)


def own_grids(session: Session, standing: Standing, actor: Actor) -> list[Area]:
    """The areas of all the person's posts."""
    query = select(Area).where(
        Area.generation_id == standing.generation_id, col(Area.code).in_(actor.area_codes)
    )
    return list(session.exec(query.order_by(Area.code)))


@blueprint.get("/")
@permission_required("ticket:report")
def home() -> ResponseReturnValue:
    """One button, and what there is to do today."""
    actor = current_actor()
    with database().reading() as session:
        standing = world().refresh(session)
        parts = parts_of(session, actor)
        return render_template(
            "worker/home.html",
            bare=False,
            standing=standing,
            parts=parts,
            address_of=address_of,
            names=area_names(standing, [ticket for part in parts for ticket in part.tickets]),
            grids=own_grids(session, standing, actor),
        )


@blueprint.get("/verify")
@permission_required("ticket:verify")
def verifying() -> ResponseReturnValue:
    """Everything that waits for a verification in reach."""
    actor = current_actor()
    with database().reading() as session:
        standing = world().refresh(session)
        tickets = queries.page(session, actor, *_to_verify(actor), size=SIZE)
        names = area_names(standing, tickets)
        return render_template(
            "worker/verifying.html", standing=standing, tickets=tickets, names=names, address_of=address_of
        )
