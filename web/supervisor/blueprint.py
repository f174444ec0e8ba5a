"""The blueprint that every page of the supervisors hangs on."""

from typing import Any

from flask import Blueprint, current_app

blueprint = Blueprint("supervisor", __name__, url_prefix="/figures")


@blueprint.context_processor
def pages() -> dict[str, Any]:
    """Which pages there are, for the row of links that they share."""
    return {"endpoints": current_app.view_functions}
