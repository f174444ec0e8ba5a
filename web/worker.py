"""The grid worker's pages, made for a phone: today, report in few taps, verify with before and after."""

from typing import Any
from uuid import uuid4

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session, col, select

from dispatch.record import queries
from dispatch.record.intake import Mode
from dispatch.record.models import Ticket
from dispatch.record.world import Standing
from dispatch.rules.workflow import OPEN_STATES, State
from grid.errors import InputError
from grid.models import Area
from grid.permissions import Actor
from web.forms import ReportIn, check
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, world
from web.shown import photographs, showing
from web.shown.acting import submit
from web.shown.categories import chips_of, classes_of
from web.shown.consenting import NOTICE, NOTICE_VERSION
from web.shown.lists import area_names
from web.standing.places import point_in

blueprint = Blueprint("worker", __name__, url_prefix="/worker")

REPORT_FIELDS = (
    "client_uuid",
    "mode",
    "category_code",
    "lon",
    "lat",
    "frame",
    "accuracy_m",
    "location_source",
    "captured_at",
    "text",
)
REPORTER_FIELDS = {"reporter_name": "name", "reporter_phone": "phone"}


@blueprint.get("/")
@permission_required("ticket:report")
def home() -> ResponseReturnValue:
    """One button, and what there is to do today."""
    actor = current_actor()
    with database().reading() as session:
        standing = world().refresh(session)
        to_verify = _to_verify(session, actor)
        own = queries.page(
            session,
            actor,
            col(Ticket.reported_by) == actor.account_id,
            col(Ticket.state).in_(OPEN_STATES),
            size=20,
        )
        nearby = queries.page(session, actor, col(Ticket.state).in_(OPEN_STATES), size=30)
        known = {ticket.id for ticket in (*to_verify, *own)}
        return render_template(
            "worker/home.html",
            standing=standing,
            to_verify=to_verify,
            own=own,
            nearby=[ticket for ticket in nearby if ticket.id not in known],
            names=area_names(session, standing, [*to_verify, *own, *nearby]),
            grids=_own_grids(session, standing, actor),
        )


@blueprint.get("/verify")
@permission_required("ticket:verify")
def verifying() -> ResponseReturnValue:
    """Everything that waits for a verification in reach."""
    with database().reading() as session:
        standing = world().refresh(session)
        tickets = _to_verify(session, current_actor())
        names = area_names(session, standing, tickets)
        return render_template("worker/verifying.html", standing=standing, tickets=tickets, names=names)


def _to_verify(session: Session, actor: Actor) -> list[Ticket]:
    return queries.page(
        session, actor, queries.visible(actor, "ticket:verify"), col(Ticket.state) == State.HANDLED, size=50
    )


@blueprint.get("/verify/<code>")
@permission_required("ticket:verify")
def verify(code: str) -> ResponseReturnValue:
    """Before and after side by side, and one question."""
    with database().reading() as session:
        shown = showing.show(session, code, current_actor(), world(), now())
        answers = {possible.row.action: possible for possible in shown.possible}
        if "verify_pass" not in answers:
            return redirect(url_for("ticket.page", code=code))
        return render_template("worker/verify.html", shown=shown, ticket=shown.ticket, answers=answers)


@blueprint.route("/report", methods=["GET", "POST"])
@permission_required("ticket:report")
def report() -> ResponseReturnValue:
    """The form; after a refusal it comes back with everything that was given."""
    if request.method == "GET":
        return _form({"client_uuid": str(uuid4()), "mode": "report"})
    kept: tuple[str, ...] = ()
    try:
        kept = photographs.uploaded(request, "photos")
        form = check(ReportIn, _posted(kept))
        reported = submit(form)
    except InputError as error:
        return _form(request.form, error=error, kept=kept)
    return redirect(url_for("worker.reported", code=reported.code), 303)


@blueprint.get("/reported/<code>")
@permission_required("ticket:report")
def reported(code: str) -> ResponseReturnValue:
    """Where it was placed, to whom it went and why, and by when."""
    with database().reading() as session:
        shown = showing.show(session, code, current_actor(), world(), now())
        return render_template("worker/reported.html", shown=shown, ticket=shown.ticket)


def _posted(photos: tuple[str, ...]) -> dict[str, Any]:
    """The page's fields as the report form knows them; without a position, a point in the chosen grid."""
    posted = request.form
    values: dict[str, Any] = {name: posted[name] for name in REPORT_FIELDS if posted.get(name, "").strip()}
    values["photos"] = photos
    values.setdefault("frame", "wgs84")
    reporter = {
        own: posted[name].strip() for name, own in REPORTER_FIELDS.items() if posted.get(name, "").strip()
    }
    if reporter:
        consent = {"consented": posted.get("consented") == "yes", "notice_version": NOTICE_VERSION}
        values.update(source="on_behalf", reporter={**reporter, **consent})
    if "lon" not in values and posted.get("chosen_grid"):
        with database().reading() as session:
            point = point_in(world(), session, posted["chosen_grid"])
        if point is not None:
            values.update(lon=point[0], lat=point[1], location_source="grid")
    if "lon" not in values:
        raise InputError("还没有位置", {"lon": "没有取到手机定位,请在地图上点一下,或选择所在网格"})
    if "category_code" not in values:
        raise InputError("还没有选类别", {"category_code": "请选择类别"})
    return values


def _form(typed: Any, *, error: InputError | None = None, kept: tuple[str, ...] = ()) -> ResponseReturnValue:
    actor = current_actor()
    with database().reading() as session:
        standing = world().refresh(session)
        chips = chips_of(session, standing, actor)
        grids = _own_grids(session, standing, actor)
    page = render_template(
        "worker/report.html",
        typed=typed,
        error=error,
        kept=kept,
        chips=chips,
        classes=classes_of(standing, kinds=("event", "part")),
        grids=grids,
        modes=[("report", "上报派单"), ("remind", "当场提醒"), ("self_handled", "自行处置")],
        report_mode=Mode.REPORT,
        notice=NOTICE,
    )
    return page, 422 if error else 200


def _own_grids(session: Session, standing: Standing, actor: Actor) -> list[Area]:
    query = select(Area).where(
        Area.generation_id == standing.generation_id, col(Area.code).in_(actor.area_codes)
    )
    return list(session.exec(query.order_by(Area.code)))
