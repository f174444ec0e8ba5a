"""The page of random re-checks (抽查): drawn under a registered plan, waiting until somebody of oversight has looked."""

from datetime import UTC, date, datetime, time
from typing import Annotated
from uuid import uuid4

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import Field
from sqlmodel import Session

from dispatch.record.models import Ticket
from dispatch.record.oversight import plans, rechecks
from dispatch.record.oversight.models import PlanKind
from grid.errors import InputError
from web.forms import Code, Strict, read_form
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, settings, world
from web.shown.lists import area_names

blueprint = Blueprint("rechecking", __name__, url_prefix="/rechecks")

RECHECK = "ticket:recheck"


class DrawForm(Strict):
    """How many to draw of what was closed since a day; the same seed draws the same again."""

    plan_number: Code
    percent: Annotated[float, Field(gt=0, le=100)]
    closed_since: date
    seed: Code


@blueprint.get("/")
@permission_required(RECHECK)
def desk() -> ResponseReturnValue:
    """What was drawn and waits to be looked at, and the form to draw."""
    return _page()


@blueprint.post("/")
@permission_required(RECHECK)
def draw() -> ResponseReturnValue:
    """Draw; without a registered plan nothing is drawn."""
    actor, moment = current_actor(), now()
    try:
        form = read_form(DrawForm, request.form)
        since = datetime.combine(form.closed_since, time(), settings().zone).astimezone(UTC)

        def work(session: Session) -> list[Ticket]:
            return rechecks.draw(
                session,
                form.plan_number,
                percent=form.percent,
                seed=form.seed,
                closed_since=since,
                actor=actor,
                world=world(),
                now=moment,
            )

        drawn = database().write(work)
    except InputError as error:
        return _page(error)
    flash(f"抽中 {len(drawn)} 件,承办单位看不到抽查任务" if drawn else "这段时间没有可抽的结案工单", "done")
    return redirect(url_for("rechecking.desk"), 303)


def _page(error: InputError | None = None) -> ResponseReturnValue:
    with database().reading() as session:
        standing = world().refresh(session)
        waiting = rechecks.waiting(session, current_actor())
        registered = [plan for plan, _, _ in plans.totals(session) if plan.kind is PlanKind.RECHECK]
        page = render_template(
            "oversight/rechecks.html",
            waiting=waiting,
            plans=registered,
            standing=standing,
            names=area_names(standing, [ticket for _, ticket in waiting]),
            typed=request.form or {"seed": uuid4().hex[:8], "percent": "5"},
            error=error,
        )
    return page, 422 if error else 200
