"""The desk of 码上督: leads to work on, and the registration of one that comes in by letter or call."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated
from uuid import UUID, uuid4

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import Field
from sqlmodel import Session, col, select

from dispatch.engine import jobs
from dispatch.engine.sending import links
from dispatch.record import queries
from dispatch.record.intake import Reported
from dispatch.record.models import Ticket, TicketEvent
from dispatch.record.oversight import leads
from dispatch.record.oversight.leads import Lead
from dispatch.record.world import Standing
from dispatch.rules.workflow import LEAD, STATES, State
from grid.errors import InputError, NotFound
from web.forms import Code, Long, Phone, Short, Strict, read_form
from web.gate.access import current_actor, permission_required, public
from web.gate.limits import guessable
from web.service.context import database, now, settings, world
from web.shown import photographs
from web.shown.categories import classes_of
from web.shown.lists import area_names
from web.standing.places import grids_of, point_in

blueprint = Blueprint("leads", __name__, url_prefix="/leads")

LEVELS = ("community", "street", "grid")


class LeadForm(Strict):
    client_uuid: UUID
    category_code: Code
    lon: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    text: Long
    name: Short | None = None
    phone: Phone = None


class HandInForm(Strict):
    """What anybody may hand in; `area` is where roughly, the text says where exactly."""

    client_uuid: UUID
    category_code: Code
    area: Code
    text: Long
    name: Short | None = None
    phone: Phone = None


@blueprint.get("/")
@permission_required("lead:read")
def desk() -> ResponseReturnValue:
    """The leads that the reader may see, the most pressing first."""
    return _desk()


def _desk(error: InputError | None = None) -> ResponseReturnValue:
    may_register = current_actor().may("lead:screen")
    with database().reading() as session:
        standing = world().refresh(session)
        found = queries.page(session, current_actor(), queries.is_lead(), verbs=(queries.READ_LEAD,))
        page = render_template(
            "oversight/leads.html",
            found=found,
            standing=standing,
            names=area_names(standing, found),
            may_register=may_register,
            grids=grids_of(world(), session) if may_register else (),
            typed=request.form,
            error=error,
        )
    return page, 422 if error else 200


@blueprint.get("/new")
@public
@guessable
def hand_in_page() -> ResponseReturnValue:
    """The form for everybody: no name is asked for, nothing of the browser is kept with the lead."""
    return _hand_in_page({"client_uuid": str(uuid4())})


@blueprint.post("/new")
@public
@guessable
def hand_in() -> ResponseReturnValue:
    """Take a lead in from whoever hands it in, with a name or without."""
    values = {name: value for name, value in request.form.items() if value.strip()}
    kept = tuple(request.form.getlist("kept_photos"))
    try:
        form = read_form(HandInForm, type(request.form)(values))
        with database().reading() as session:
            point = point_in(world(), session, form.area)
        if point is None:
            raise InputError("请选择大致地点", {"area": "请从列表选择"})
        given = {name: value for name, value in form if name != "area"}
        kept = photographs.uploaded(request, "photos", anonymous=True)
        made = _register(Lead(frame="wgs84", lon=point[0], lat=point[1], photos=kept, **given))
    except InputError as error:
        return _hand_in_page(request.form, error, kept)
    token = database().write(lambda session: _link(session, made))
    return render_template("oversight/handed_in.html", code=made.code, token=token)


@blueprint.get("/progress/<token>")
@public
@guessable
def progress(token: str) -> ResponseReturnValue:
    """How far a lead has come, in plain words: no name, no unit, nothing of what was written."""
    with database().reading() as session:
        link = links.find(session, token, now())
        lead = session.exec(
            select(Ticket).where(col(Ticket.id) == link.ticket_id, col(Ticket.workflow) == LEAD)
        ).first()
        if lead is None:
            raise NotFound("没有这个查询链接,请完整打开提交线索后给的地址")
        stages: list[tuple[datetime, str]] = []
        for event in queries.rows(session, TicketEvent, lead):
            words = STATES[State(event.state_to)].public_label
            if not stages or stages[-1][1] != words:
                stages.append((event.at, words))
        return render_template("oversight/progress.html", lead=lead, stages=stages)


def _link(session: Session, made: Reported) -> str:
    lead = session.exec(select(Ticket).where(col(Ticket.id) == made.ticket_id)).one()
    links.issue(session, settings(), lead, links.FOLLOWING, now())
    return links.token(settings(), lead.id, links.FOLLOWING)


@blueprint.post("/")
@permission_required("lead:screen")
def register() -> ResponseReturnValue:
    """Register a lead, with a name or without; a grid stands for a point inside it."""
    values = {name: value for name, value in request.form.items() if value.strip()}
    try:
        if "lon" not in values:
            with database().reading() as session:
                point = point_in(world(), session, values.get("chosen_grid", ""))
            if point is None:
                sentence = "请在地图上点选位置,或选择所在网格"
                raise InputError(sentence, {"lon": sentence})
            values.update(lon=str(point[0]), lat=str(point[1]))
        made = _register(Lead(frame="wgs84", **dict(read_form(LeadForm, type(request.form)(values)))))
    except InputError as error:
        return _desk(error)
    flash(f"已登记线索 {made.code}", "done")
    return redirect(url_for("ticket.page", code=made.code), 303)


def _register(lead: Lead) -> Reported:
    moment = now()
    made = database().write(lambda session: leads.register(session, lead, world(), moment))
    jobs.wake(settings())
    return made


def _hand_in_page(
    typed: Mapping[str, str], error: InputError | None = None, kept: tuple[str, ...] = ()
) -> ResponseReturnValue:
    with database().reading() as session:
        standing = world().refresh(session)
    page = render_template(
        "oversight/hand_in.html",
        typed=typed,
        error=error,
        kept=kept,
        classes=classes_of(standing, kinds=("event", "part", "extended")),
        places=_places(standing),
    )
    return page, 422 if error else 200


def _places(standing: Standing) -> list[tuple[str, list[tuple[str, str]]]]:
    """The communities (where there are none: the grids) by the area that holds them."""
    level = next((one for one in LEVELS if any(a.level == one for a in standing.areas.values())), None)
    found: dict[str, list[tuple[str, str]]] = {}
    for code, area in sorted(standing.areas.items()):
        if area.level == level:
            above = standing.areas.get(area.parent_code or "")
            found.setdefault(above.name if above else "", []).append((code, area.name))
    return list(found.items())
