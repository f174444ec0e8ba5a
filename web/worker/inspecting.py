"""Inspecting by list: this week's visits in one's grids, and what was found there, from the page or from the phone."""

from typing import Any
from uuid import UUID, uuid4

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from dispatch.record.intake import Reported
from dispatch.record.oversight import inspections
from dispatch.record.oversight.models import PointResult
from grid.errors import InputError
from grid.permissions import Actor
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, world
from web.shown import photographs
from web.worker.blueprint import blueprint

RESULTS = tuple((str(key), label) for key, label in inspections.LABELS.items())


@blueprint.get("/inspections")
@permission_required("inspection:check")
def inspecting() -> ResponseReturnValue:
    """This week's visits in the worker's grids."""
    with database().reading() as session:
        visits = visits_of(session, current_actor())
    return render_template("worker/inspections.html", bare=False, visits=visits, results=RESULTS, key=uuid4)


@blueprint.post("/inspections/<uuid:point_id>")
@permission_required("inspection:check")
def inspected(point_id: UUID) -> ResponseReturnValue:
    """Say what was found; something abnormal becomes a ticket."""
    try:
        result = PointResult(request.form.get("result", ""))
    except ValueError:
        raise InputError("请选择 正常、异常 或 无法进入", {"result": "请选择"}) from None
    photos = photographs.uploaded(request, "photos")
    text, actor, moment = request.form.get("text", "").strip() or None, current_actor(), now()

    def work(session: Session) -> Reported | None:
        return inspections.check(session, point_id, result, actor, world(), moment, text=text, photos=photos)

    made = database().write(work)
    flash(f"已登记,转工单 {made.code}" if made else "已登记", "done")
    return redirect(url_for("worker.inspecting"), 303)


def visits_of(session: Session, actor: Actor) -> list[dict[str, Any]]:
    """The week's visits as values: the page draws them, and the phone keeps them."""
    week_on = inspections.week_of(now(), world())
    titles = inspections.titles(session, week_on)
    return [
        {
            "name": visit.name,
            "lon": visit.lon,
            "lat": visit.lat,
            "points": [
                {
                    "id": str(point.id),
                    "title": titles.get(point.task_id, ""),
                    "result": inspections.LABELS[point.result] if point.result else "",
                    "code": point.ticket_code or "",
                }
                for point in points
            ],
        }
        for visit, points in inspections.visits(session, actor, week_on)
    ]
