"""The blueprint that every page of the supervisors hangs on."""

from typing import Any

from flask import Blueprint, current_app, g

from dispatch.insight.reports import drawing
from web.desk.filters import areas_to_filter
from web.gate.access import access_of
from web.service.context import world
from web.shown.labels import SOURCES

blueprint = Blueprint("supervisor", __name__, url_prefix="/figures")


@blueprint.context_processor
def pages() -> dict[str, Any]:
    """Which pages its reader may open, for the row of links that they share; the shades of maps and what they mean."""
    actor = g.get("actor")
    allowed = [
        endpoint
        for endpoint in current_app.view_functions
        if endpoint.startswith(f"{blueprint.name}.")
        and (access := access_of(current_app, endpoint)) is not None
        and (not access.verbs or (actor is not None and any(actor.may(verb) for verb in access.verbs)))
    ]
    return {
        "endpoints": frozenset(allowed),
        "choices": choices,
        "shades": drawing.FILLS,
        "classes": drawing.classes,
    }


def choices() -> list[tuple[str, str, list[tuple[str, str]]]]:
    """What a slice can be narrowed to: the field, its label, and its values by name."""
    standing = world().standing
    classes = [c for c in standing.categories.values() if c.retired_on is None]
    units = [o for o in standing.organisations.values() if not o.closed_on]
    return [
        ("area", "区域", areas_to_filter(standing)),
        ("category", "类别", sorted((one.code, one.name) for one in classes)),
        ("organisation", "承办单位", sorted((unit.code, unit.name) for unit in units)),
        ("source", "来源", [(str(source), label) for source, label in SOURCES.items()]),
    ]
