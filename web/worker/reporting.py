"""Reporting: few taps, four things at most that must be given, and everything kept when something is missing."""

from typing import Any
from uuid import uuid4

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from dispatch.record.reading import around
from grid.errors import InputError
from web.forms import PAYLOAD_VERSION, ReportIn, check
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, world
from web.shown import photographs, showing
from web.shown.acting import submit
from web.shown.categories import chips_of, classes_of
from web.shown.consenting import NOTICE, NOTICE_VERSION
from web.standing.places import point_in
from web.worker.blueprint import blueprint
from web.worker.today import own_grids

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
    "apart",
)
MODES = (("report", "上报派单"), ("remind", "当场提醒"), ("self_handled", "自行处置"))
ANSWER = "answer-"
REPORTER_FIELDS = {"reporter_name": "name", "reporter_phone": "phone"}


@blueprint.route("/report", methods=["GET", "POST"])
@permission_required("ticket:report")
def report() -> ResponseReturnValue:
    """The form; after a refusal it comes back with everything that was given."""
    if request.method == "GET":
        mode = request.args.get("mode", "")
        known = mode if mode in dict(MODES) else "report"
        return _form({"client_uuid": str(uuid4()), "mode": known})
    kept: tuple[str, ...] = ()
    try:
        kept = photographs.uploaded(request, "photos")
        form = check(ReportIn, _posted(kept))
        if form.mode == "remind" and request.form.get("reminded_again") != "yes":
            _propose_report(form)
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


def _propose_report(form: ReportIn) -> None:
    """A reminder of yesterday that did not help: better a report; whoever still wants to remind sends it again.

    Raises
    ------
    InputError
        Somebody was reminded of the same here within a day.
    """
    with database().reading() as session:
        count = around.reminders(
            session, category_code=form.category_code, lon=form.lon, lat=form.lat, now=now()
        )
    if count:
        sentence = "24 小时内这里已当场提醒过同类问题,建议转为“上报派单”;仍要提醒请再提交一次"
        raise InputError(sentence, {"mode": sentence, "reminded_again": sentence})


def _posted(photos: tuple[str, ...]) -> dict[str, Any]:
    """The page's fields as the report form knows them; without a position, a point in the chosen grid."""
    posted = request.form
    values: dict[str, Any] = {name: posted[name] for name in REPORT_FIELDS if posted.get(name, "").strip()}
    values["photos"] = photos
    values.setdefault("frame", "wgs84")
    answers = {name.removeprefix(ANSWER): posted[name] for name in posted if name.startswith(ANSWER)}
    if answers:
        values.update(answers=answers, payload_version=PAYLOAD_VERSION)
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
        grids = own_grids(session, standing, actor)
    page = render_template(
        "worker/report.html",
        typed=typed,
        error=error,
        kept=kept,
        chips=chips,
        classes=classes_of(standing, kinds=("event", "part")),
        grids=grids,
        bare=False,
        modes=MODES,
        notice=NOTICE,
        notice_version=NOTICE_VERSION,
    )
    return page, 422 if error else 200
