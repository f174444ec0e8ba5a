"""The board of what is stuck: overdue, soon overdue, returned, reworked, urged, each with its reason."""

from datetime import timedelta

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from dispatch.record.desks import views
from dispatch.record.reading import filtering, stuck
from web.desk.exporting import tickets_csv
from web.desk.filters import COLUMNS, QueueQuery, areas_to_filter, read_query
from web.dispatcher.blueprint import blueprint
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, world
from web.shown.labels import SOURCES
from web.shown.lists import area_names
from web.shown.polling import fresh, is_poll

READERS = ("ticket:dispatch", "ticket:convene")
LOOKED_BACK = timedelta(days=30)
DESK = "dispatcher"


@blueprint.get("/overdue")
@permission_required(*READERS)
def overdue() -> ResponseReturnValue:
    """Every stuck ticket with why it is one; htmx asks again every five seconds."""
    query = read_query()
    with database().reading() as session:
        found = _found(session, query)
        standing = world().standing
        values = {
            "standing": standing,
            "found": found,
            "query": query,
            "signs": stuck.signs(now()),
            "counts": stuck.counts(session, current_actor(), now()),
            "names": area_names(standing, [one.ticket for one in found]),
        }
        if is_poll():
            return fresh("dispatcher/stuck.html", **values)
        return render_template(
            "dispatcher/overdue.html",
            **values,
            refused=stuck.refused_objections(session, now() - LOOKED_BACK),
            views=views.seen_by(session, current_actor(), DESK),
            desk_name=DESK,
            address=request.query_string.decode(),
            all_columns=COLUMNS,
            areas=areas_to_filter(standing),
            columns=query.shown_columns,
            sources=SOURCES,
            classes=[c for c in standing.categories.values() if c.retired_on is None],
        )


@blueprint.get("/overdue.csv")
@permission_required(*READERS)
def exported() -> ResponseReturnValue:
    """The board as a file."""
    with database().reading() as session:
        found = _found(session, read_query())
        return tickets_csv([one.ticket for one in found], world().standing, "stuck")


def _found(session: Session, query: QueueQuery) -> list[stuck.Stuck]:
    actor, standing = current_actor(), world().refresh(session)
    narrowed = filtering.conditions(session, query.wanted(actor), standing, now())
    return stuck.stuck(session, actor, now(), *narrowed, only=query.tab)
