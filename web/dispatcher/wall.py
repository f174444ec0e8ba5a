"""The wall: today's figures and a map in large type on dark ground; nothing personal, nobody ranked."""

from datetime import datetime, time

from flask import render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, Select, func, select
from sqlmodel import Session, col

from dispatch.record import queries
from dispatch.record.models import Ticket
from dispatch.record.world import Standing
from dispatch.rules.workflow import STATES
from grid.permissions import Actor
from web.dispatcher.blueprint import blueprint
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, settings, world
from web.shown.polling import fresh, is_poll

POINTS = 300
DRAWN = ("street", "community", "grid")


@blueprint.get("/wall")
@permission_required("ticket:dispatch", "ticket:convene")
def wall() -> ResponseReturnValue:
    """The day's figures, where the open tickets lie, and what came in last, without a word anybody said."""
    with database().reading() as session:
        actor = current_actor()
        standing = world().refresh(session)
        urgent = queries.page(session, actor, queries.is_open(), size=POINTS)
        values = {
            "standing": standing,
            "figures": _figures(session, actor),
            "tickets": urgent,
            "states": _states(session, actor),
            "level": _level(standing),
        }
    return (
        fresh("dispatcher/wall_figures.html", **values)
        if is_poll()
        else render_template("dispatcher/wall.html", **values)
    )


def _level(standing: Standing) -> str:
    """Whose borders are drawn: streets, or where a city has none the next finer areas."""
    present = {area.level for area in standing.areas.values()}
    return next((level for level in DRAWN if level in present), DRAWN[0])


def _figures(session: Session, actor: Actor) -> list[tuple[str, int]]:
    zone = settings().zone
    midnight = datetime.combine(now().astimezone(zone).date(), time(), zone)
    late, urgent = col(Ticket.due_at) <= now(), col(Ticket.urgent)
    seen = select(func.count(), func.count().filter(late), func.count().filter(urgent))
    # Apart, for each has an index of its own.
    [today] = session.execute(_seen(actor, col(Ticket.reported_at) >= midnight)).one()
    [done] = session.execute(_seen(actor, col(Ticket.closed_at) >= midnight)).one()
    still = session.execute(seen.where(queries.visible(actor), queries.is_open())).one()
    return [
        ("今日受理", today),
        ("今日办结", done),
        *zip(("在办", "超时", "紧急在办"), still, strict=True),
    ]


def _seen(actor: Actor, condition: ColumnElement[bool]) -> Select[int]:
    return select(func.count()).where(queries.visible(actor), condition)


def _states(session: Session, actor: Actor) -> list[tuple[str, int]]:
    query = (
        select(col(Ticket.state), func.count())
        .where(queries.visible(actor), queries.is_open())
        .group_by(col(Ticket.state))
    )
    found = {row[0]: row[1] for row in session.execute(query)}
    return [(row.label, found[state]) for state, row in STATES.items() if state in found]
