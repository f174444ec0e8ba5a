"""Verifying: before and after side by side, and one question."""

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from dispatch.record.evidence import reuse
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, world
from web.shown import showing
from web.worker.blueprint import blueprint


@blueprint.get("/verify/<code>")
@permission_required("ticket:verify")
def verify(code: str) -> ResponseReturnValue:
    """The photos, whether one of them was shown before elsewhere, and the two answers."""
    with database().reading() as session:
        shown = showing.show(session, code, current_actor(), world(), now())
        answers = {possible.row.action: possible for possible in shown.possible}
        if "verify_pass" not in answers:
            return redirect(url_for("ticket.page", code=code))
        return render_template(
            "worker/verify.html",
            bare=False,
            shown=shown,
            ticket=shown.ticket,
            answers=answers,
            reused=reuse.reused(session, shown.ticket),
        )
