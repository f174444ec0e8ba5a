"""The pages of plans and inspections: the register with its totals, and publishing a list."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import Field
from sqlmodel import Session

from dispatch.record.judging import admitting
from dispatch.record.oversight import inspections, plans
from dispatch.record.oversight.inspections import Place, Task
from dispatch.record.oversight.models import InspectionTask, PlanEntry, PlanKind
from dispatch.record.oversight.plans import Plan
from grid.errors import InputError
from web.forms import Code, Short, Strict, read_form
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, world

blueprint = Blueprint("inspecting", __name__, url_prefix="/inspections")


class PlanForm(Strict):
    number: Code
    kind: PlanKind
    title: Short
    approval: Short
    organisation_code: Code
    from_on: date
    to_on: date


class TaskForm(Strict):
    """`places` is one place a line: name, longitude, latitude (WGS-84)."""

    plan_number: Code
    title: Short
    category_code: Code
    executor_code: Code
    places: Annotated[str, Field(max_length=20_000)]


@blueprint.get("/plans")
@permission_required("plan:read")
def register() -> ResponseReturnValue:
    """Every plan with what it has led to."""
    with database().reading() as session:
        standing = world().refresh(session)
        totals = plans.totals(session)
        return render_template(
            "oversight/plans.html", totals=totals, kinds=plans.KINDS, standing=standing, typed=request.form
        )


@blueprint.post("/plans")
@permission_required("plan:register")
def enter() -> ResponseReturnValue:
    """Enter a plan."""
    form, actor, moment = read_form(PlanForm, request.form), current_actor(), now()

    def work(session: Session) -> PlanEntry:
        return plans.register(session, Plan(**dict(form)), actor, moment)

    flash(f"已登记计划 {database().write(work).number}", "done")
    return redirect(url_for("inspecting.register"), 303)


@blueprint.get("/tasks")
@permission_required("inspection:create")
def publish_page() -> ResponseReturnValue:
    """Where a list is published."""
    with database().reading() as session:
        return render_template("oversight/task.html", standing=world().refresh(session))


@blueprint.post("/tasks")
@permission_required("inspection:create")
def publish() -> ResponseReturnValue:
    """Publish a list; without a registered plan it is refused."""
    form, actor, moment = read_form(TaskForm, request.form), current_actor(), now()
    task = Task(
        form.plan_number,
        form.title,
        form.category_code,
        actor.organisation_code or "",
        form.executor_code,
        tuple(_places(form.places)),
    )

    def work(session: Session) -> InspectionTask:
        return inspections.create(session, task, actor, world(), moment)

    admitting.counted(database(), actor, moment, work)
    flash(f"已发布 {len(task.places)} 个点位", "done")
    return redirect(url_for("inspecting.publish_page"), 303)


def _places(text: str) -> Iterator[Place]:
    for number, line in enumerate(filter(str.strip, text.splitlines()), start=1):
        parts = [part.strip() for part in line.replace("，", ",").split(",")]
        try:
            name, lon, lat = parts[0], float(parts[1]), float(parts[2])
        except (IndexError, ValueError):
            sentence = f"第 {number} 行应为:名称,经度,纬度"
            raise InputError(sentence, {"places": sentence}) from None
        yield Place(key=f"{name}@{lon:.5f},{lat:.5f}", name=name, lon=lon, lat=lat)
