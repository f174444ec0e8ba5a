"""Who rings at one's own seat: the screen asks every two seconds and opens the form with the number."""

from flask.typing import ResponseReturnValue

from dispatch.record.lines import ringing
from web.gate.access import current_actor, permission_required
from web.service.context import database, now
from web.shown.polling import fresh
from web.switchboard.blueprint import REGISTER, blueprint


@blueprint.get("/ringing")
@permission_required(REGISTER)
def calls() -> ResponseReturnValue:
    """The calls that ring now."""
    with database().reading() as session:
        return fresh("switchboard/ringing.html", calls=ringing.ringing(session, current_actor(), now()))
