"""The blueprint that every page of the supervisors hangs on."""

from typing import Any

from flask import Blueprint, current_app, g

from web.gate.access import access_of

blueprint = Blueprint("supervisor", __name__, url_prefix="/figures")


@blueprint.context_processor
def pages() -> dict[str, Any]:
    """Which pages its reader may open, for the row of links that they share."""
    actor = g.get("actor")
    allowed = [
        endpoint
        for endpoint in current_app.view_functions
        if endpoint.startswith(f"{blueprint.name}.")
        and (access := access_of(current_app, endpoint)) is not None
        and (not access.verbs or (actor is not None and any(actor.may(verb) for verb in access.verbs)))
    ]
    return {"endpoints": frozenset(allowed)}
