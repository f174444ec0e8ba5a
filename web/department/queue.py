"""The queue: what burns first, in tabs and filters that live in the address; its CSV; the next one by itself."""

from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement
from sqlmodel import Session

from dispatch.record import queries
from dispatch.record.desks import holding, views
from dispatch.record.models import Ticket
from dispatch.record.reading import filtering
from web.department import tabs
from web.department.blueprint import blueprint
from web.department.tabs import HELD, HELP, TABS
from web.desk.exporting import tickets_csv
from web.desk.filters import COLUMNS, QueueQuery, areas_to_filter, read_query
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, settings, world
from web.shown.labels import SOURCES
from web.shown.lists import after_of, area_names, words_of
from web.shown.polling import fresh, is_poll

PAGE = 50
MOST_EXPORTED = 10_000
DESK = "department"


@blueprint.get("/")
@permission_required(*HELD, HELP)
def queue() -> ResponseReturnValue:
    """The tickets of one's units; htmx asks for the list alone every few seconds."""
    query = read_query()
    with database().reading() as session:
        values = _list(session, query)
        if is_poll():
            return fresh("department/list.html", **values)
        return render_template("department/queue.html", **values, **_choices(session))


@blueprint.get("/next")
@permission_required(*HELD, HELP)
def following() -> ResponseReturnValue:
    """The ticket after the one that was done, under the same filters; when none is left, the queue says so."""
    query = read_query()
    with database().reading() as session:
        tab = tabs.tab_of(query.tab)
        narrowed = [*_narrowed(session, query), tab.goes_on(now())]
        found = queries.page(
            session, current_actor(), *narrowed, after=query.after_key(), size=1, verbs=tab.verbs
        )
        if not found and query.after:
            found = queries.page(session, current_actor(), *narrowed, size=1, verbs=tab.verbs)
    if not found:
        return redirect(url_for("department.queue", **query.address()))
    return redirect(address_of(found[0], query))


@blueprint.get("/queue.csv")
@permission_required(*HELD, HELP)
def exported() -> ResponseReturnValue:
    """The whole filtered list as a file."""
    query = read_query()
    with database().reading() as session:
        standing = world().refresh(session)
        tab = tabs.tab_of(query.tab)
        found = queries.page(
            session,
            current_actor(),
            *_narrowed(session, query),
            tab.holds(now()),
            size=MOST_EXPORTED,
            verbs=tab.verbs,
        )
        return tickets_csv(found, standing, "queue")


def address_of(ticket: Ticket, query: QueueQuery) -> str:
    """A ticket's page, which knows how to go on to the next of the same list."""
    then = url_for("department.following", **query.address(after=after_of(ticket)))
    return url_for("ticket.page", code=ticket.code, then=then)


def _list(session: Session, query: QueueQuery) -> dict[str, Any]:
    actor, tab = current_actor(), tabs.tab_of(query.tab)
    standing = world().refresh(session)
    narrowed = _narrowed(session, query)
    tickets = queries.page(
        session, actor, *narrowed, tab.holds(now()), after=query.after_key(), size=PAGE, verbs=tab.verbs
    )
    columns = query.shown_columns
    return {
        "standing": standing,
        "tickets": tickets,
        "names": area_names(standing, tickets),
        "holders": holding.holders(session, tickets) if "holder" in columns else {},
        "words": words_of(session, tickets) if "text" in columns else {},
        "tabs": TABS,
        "counts": tabs.counts(session, actor, now(), narrowed),
        "tab": tab,
        "query": query,
        "columns": columns,
        "following": after_of(tickets[-1]) if len(tickets) == PAGE else None,
        "address_of": address_of,
    }


def _choices(session: Session) -> dict[str, Any]:
    """What the filters and the buttons offer."""
    actor, today = current_actor(), now().astimezone(settings().zone).date()
    standing = world().standing
    people = holding.colleagues(session, actor.under, today, settings().most_in_hand)
    return {
        "views": views.seen_by(session, actor, DESK),
        "all_columns": COLUMNS,
        "areas": areas_to_filter(standing),
        "sources": SOURCES,
        "classes": [c for c in standing.categories.values() if c.retired_on is None],
        "colleagues": people,
        "proposed": holding.who_can_share(people),
        "may_hold": actor.may(holding.HANDLE),
        "address": request.query_string.decode(),
        "desk_name": DESK,
    }


def _narrowed(session: Session, query: QueueQuery) -> list[ColumnElement[bool]]:
    standing = world().refresh(session)
    return filtering.conditions(session, query.wanted(current_actor()), standing, now())
