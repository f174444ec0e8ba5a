"""The hotline's pages: a call becomes a ticket, and the calls back are made and written down."""

from typing import Any
from uuid import uuid4

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import col

from dispatch.engine import notices
from dispatch.record import queries
from dispatch.record.models import Ticket
from dispatch.rules.workflow import BY_ACTION
from grid.errors import InputError
from web import showing
from web.acting import submit
from web.categories import classes_of
from web.context import database, now, world
from web.forms import NATURES, ReportIn, check
from web.gate.access import current_actor, permission_required
from web.lists import area_names
from web.places import grids_of, point_in

blueprint = Blueprint("hotline", __name__, url_prefix="/hotline")

NOTICE_VERSION = "2026-11"
ASKED_IN = BY_ACTION["answer_satisfied"].sources
FIELDS = ("client_uuid", "nature", "category_code", "lon", "lat", "text", "location_source")
REPORTER_FIELDS = {"reporter_name": "name", "reporter_phone": "phone"}


@blueprint.get("/callbacks")
@permission_required("ticket:call_back")
def callbacks() -> ResponseReturnValue:
    """Whom to ask now, the most pressing first."""
    actor = current_actor()
    with database().reading() as session:
        standing = world().refresh(session)
        waiting = queries.page(
            session,
            actor,
            queries.visible(actor, "ticket:call_back"),
            col(Ticket.state).in_(ASKED_IN),
            size=100,
        )
        return render_template(
            "hotline/callbacks.html",
            standing=standing,
            tickets=waiting,
            names=area_names(session, standing, waiting),
        )


@blueprint.get("/callbacks/<code>")
@permission_required("ticket:call_back")
def callback(code: str) -> ResponseReturnValue:
    """One call: what it was, what was done, and the two questions."""
    with database().reading() as session:
        shown = showing.show(session, code, current_actor(), world(), now())
        answers = {possible.row.action: possible for possible in shown.possible}
        if "answer_satisfied" not in answers:
            return redirect(url_for("ticket.page", code=code))
        return render_template("hotline/callback.html", shown=shown, ticket=shown.ticket, answers=answers)


@blueprint.get("/messages")
@permission_required("ticket:call_back")
def messages() -> ResponseReturnValue:
    """What is said to reporters, and whether it left the house; without a gateway staff pass it on."""
    with database().reading() as session:
        world().refresh(session)
        return render_template("hotline/messages.html", messages=notices.outgoing(session, world()))


@blueprint.route("/register", methods=["GET", "POST"])
@permission_required("ticket:register")
def register() -> ResponseReturnValue:
    """Write down a call; after a refusal everything typed is still there."""
    if request.method == "GET":
        return _form({"client_uuid": str(uuid4()), "reporter_phone": request.args.get("tel", "")})
    try:
        reported = submit(check(ReportIn, _posted()))
    except InputError as error:
        return _form(request.form, error)
    return redirect(url_for("ticket.page", code=reported.code), 303)


def _posted() -> dict[str, Any]:
    """The page's fields as the report form knows them; a grid stands for a point inside it."""
    posted = request.form
    values: dict[str, Any] = {name: posted[name] for name in FIELDS if posted.get(name, "").strip()}
    values.update(source="hotline", frame="wgs84")
    reporter = {
        own: posted[name].strip() for name, own in REPORTER_FIELDS.items() if posted.get(name, "").strip()
    }
    if reporter:
        consent = {"consented": posted.get("consented") == "yes", "notice_version": NOTICE_VERSION}
        values["reporter"] = {**reporter, **consent}
    if "lon" not in values and posted.get("chosen_grid"):
        with database().reading() as session:
            point = point_in(world(), session, posted["chosen_grid"].strip())
        if point is not None:
            values.update(lon=point[0], lat=point[1], location_source="grid")
    missing = {}
    if "lon" not in values:
        missing["lon"] = "请在地图上点选位置,或选择所在网格"
    if "category_code" not in values:
        missing["category_code"] = "请选择类别"
    if missing:
        raise InputError("没有登记:" + ";".join(missing.values()), missing)
    return values


def _form(typed: Any, error: InputError | None = None) -> ResponseReturnValue:
    with database().reading() as session:
        standing = world().refresh(session)
        classes = classes_of(standing, kinds=("content", "nature", "event", "part"))
        grids = grids_of(world(), session)
    page = render_template(
        "hotline/register.html", typed=typed, error=error, classes=classes, grids=grids, natures=NATURES
    )
    return page, 422 if error else 200
