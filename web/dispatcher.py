"""The command centre: a stream of everything new, and the named queues of what has no unit yet."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from dispatch.record import queries
from dispatch.record.models import Objection, Queue, Ticket
from grid.permissions import Actor
from web.context import database, world
from web.gate.access import current_actor, permission_required
from web.lists import area_names

blueprint = Blueprint("dispatcher", __name__, url_prefix="/dispatch")

NEWEST = 60
IN_QUEUE = 100


@blueprint.get("/")
@permission_required("ticket:dispatch")
def stream() -> ResponseReturnValue:
    """Whatever came in last, from every source; htmx asks again every three seconds."""
    actor = current_actor()
    with database().reading() as session:
        query = select(Ticket).where(queries.visible(actor))
        newest = query.order_by(col(Ticket.reported_at).desc(), col(Ticket.id).desc()).limit(NEWEST)
        return _page(session, actor, list(session.exec(newest)), None)


@blueprint.get("/queues/<name>")
@permission_required("ticket:dispatch", "ticket:rule", "ticket:review")
def queue(name: str) -> ResponseReturnValue:
    """One named queue, the most pressing first."""
    actor, chosen = current_actor(), Queue(name) if name in set(Queue) else Queue.UNROUTED
    with database().reading() as session:
        tickets = queries.page(session, actor, _waits_in(chosen), size=IN_QUEUE)
        return _page(session, actor, tickets, chosen)


def _page(session: Session, actor: Actor, tickets: list[Ticket], chosen: Queue | None) -> ResponseReturnValue:
    standing = world().refresh(session)
    template = "dispatcher/list.html" if "HX-Request" in request.headers else "dispatcher/stream.html"
    return render_template(
        template,
        standing=standing,
        tickets=tickets,
        names=area_names(session, standing, tickets),
        queues=_counts(session, actor),
        chosen=chosen,
        suggested=_suggested(session, tickets) if chosen in (Queue.OBJECTION, Queue.CONSULTATION) else {},
    )


def _waits_in(queue: Queue) -> ColumnElement[bool]:
    return col(Ticket.queue) == queue


def _counts(session: Session, actor: Actor) -> dict[Queue, int]:
    """How many wait in each queue, empty ones included."""
    query = (
        select(Ticket.queue, func.count())
        .where(queries.visible(actor), col(Ticket.queue).is_not(None))
        .group_by(col(Ticket.queue))
    )
    found = {Queue(name): int(number) for name, number in session.exec(query) if name}
    return {queue: found.get(queue, 0) for queue in Queue}


def _suggested(session: Session, tickets: list[Ticket]) -> dict[object, Objection]:
    """The last objection of each ticket: who objects, and whom they suggest."""
    query = (
        select(Objection)
        .where(col(Objection.ticket_id).in_([ticket.id for ticket in tickets]))
        .order_by(col(Objection.raised_at))
    )
    return {objection.ticket_id: objection for objection in session.exec(query)}
