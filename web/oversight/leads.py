"""The desk of 码上督: leads to work on, and the registration of one that comes in by letter or call."""

from typing import Annotated
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import Field
from sqlmodel import Session, col

from dispatch.record import queries
from dispatch.record.intake import Reported
from dispatch.record.models import Ticket
from dispatch.record.oversight import leads
from dispatch.record.oversight.leads import Lead
from dispatch.rules.workflow import LEAD
from web.forms import Code, Long, Phone, Short, Strict, read_form
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, world
from web.shown.lists import area_names

blueprint = Blueprint("leads", __name__, url_prefix="/leads")


class LeadForm(Strict):
    client_uuid: UUID
    category_code: Code
    lon: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    text: Long
    name: Short | None = None
    phone: Phone = None


@blueprint.get("/")
@permission_required("lead:read")
def desk() -> ResponseReturnValue:
    """The leads that the reader may see, the most pressing first."""
    with database().reading() as session:
        standing = world().refresh(session)
        found = queries.page(session, current_actor(), col(Ticket.workflow) == LEAD)
        return render_template(
            "oversight/leads.html",
            found=found,
            standing=standing,
            names=area_names(session, standing, found),
            may_register=current_actor().may("lead:screen"),
        )


@blueprint.post("/")
@permission_required("lead:screen")
def register() -> ResponseReturnValue:
    """Register a lead, with a name or without."""
    values = {name: value for name, value in request.form.items() if value.strip()}
    form, moment = read_form(LeadForm, type(request.form)(values)), now()
    lead = Lead(frame="wgs84", **dict(form))

    def work(session: Session) -> Reported:
        return leads.register(session, lead, world(), moment)

    made = database().write(work)
    flash(f"已登记线索 {made.code}", "done")
    return redirect(url_for("ticket.page", code=made.code), 303)
