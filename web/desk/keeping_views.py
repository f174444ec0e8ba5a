"""Saved views: kept, shared and forgotten from the queue itself."""

from urllib.parse import parse_qsl
from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from dispatch.record.desks import views
from grid.errors import NotFound
from web.desk.blueprint import blueprint
from web.desk.filters import read_query
from web.gate.access import current_actor, permission_required
from web.service.context import database, now

DESKS = {
    "department": "department.queue",
    "dispatcher": "dispatcher.overdue",
    "community": "community.overview",
}


@blueprint.post("/views/<desk>")
@permission_required("ticket:read")
def save_view(desk: str) -> ResponseReturnValue:
    """Keep the address of a queue under a name."""
    endpoint = _endpoint(desk)
    address = read_query(MultiDict(parse_qsl(request.form.get("query", "")))).address()
    kept = url_for(endpoint, **address).partition("?")[2]
    actor, name, shared, at = (
        current_actor(),
        request.form.get("name", ""),
        request.form.get("shared") == "yes",
        now(),
    )
    database().write(lambda session: views.save(session, actor, desk, name, kept, shared=shared, now=at))
    return redirect(url_for(endpoint, **address), 303)


@blueprint.post("/views/<desk>/<uuid:view_id>/forget")
@permission_required("ticket:read")
def forget_view(desk: str, view_id: UUID) -> ResponseReturnValue:
    """Delete one's own view."""
    actor = current_actor()
    database().write(lambda session: views.forget(session, actor, view_id))
    return redirect(url_for(_endpoint(desk)), 303)


def _endpoint(desk: str) -> str:
    if desk not in DESKS:
        raise NotFound("没有这个工作台")
    return DESKS[desk]
