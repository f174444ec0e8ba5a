"""The evidence package of a ticket, for those who act on it: nobody need come along only to confirm what was seen."""

from flask import Blueprint, Response

from dispatch.record import queries
from dispatch.record.evidence import packing
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, settings

VERBS = ("ticket:handle", "ticket:recheck", "chain:verify")

blueprint = Blueprint("evidence", __name__, url_prefix="/tickets")


@blueprint.get("/<code>/evidence.zip")
@permission_required(*VERBS)
def package(code: str) -> Response:
    """Photos as they were uploaded, with times, places, checksums and the chain, and a program that checks them."""
    with database().reading() as session:
        ticket = queries.find(session, code, current_actor())
        body = packing.pack(session, settings(), ticket, now())
    response = Response(body, mimetype="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="evidence-{ticket.code}.zip"'
    response.headers["Cache-Control"] = "private, no-store"
    return response
