"""A telephone system says over the API who rings at the seat whose token it holds."""

from typing import Annotated

from flask.typing import ResponseReturnValue
from pydantic import StringConstraints

from dispatch.record.lines import ringing
from web.api.blueprint import blueprint
from web.forms import Strict
from web.gate.access import current_actor, permission_required
from web.service.context import database, now


class CallIn(Strict):
    """The caller's number."""

    phone: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^\+?[0-9][0-9 \-]{4,19}$")]


@blueprint.post("/calls")
@permission_required("ticket:register")
@blueprint.input(CallIn, arg_name="form")
@blueprint.output({}, status_code=204)
@blueprint.doc(
    summary="Say who rings at one's own seat; their form opens with the number", responses=[401, 403, 422]
)
def call(form: CallIn) -> ResponseReturnValue:
    actor, at = current_actor(), now()
    database().write(lambda session: ringing.ring(session, actor, form.phone, at))
    return "", 204
