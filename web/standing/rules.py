"""The pages of the rules: versions, what the linter says, rehearsals, beginning and undoing, a rule made from a ticket."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session, col, func, select

from dispatch import duties
from dispatch.engine import jobs
from dispatch.insight.linting.beginning import begin
from dispatch.insight.linting.findings import Kind, Weight
from dispatch.insight.linting.stored import lint_version
from dispatch.insight.rehearsing import running
from dispatch.insight.tables import Rehearsal, RehearsalState
from dispatch.record import queries
from grid import rulesets
from grid.errors import GridError, InputError, NotFound
from grid.models import Generation, Responsibility, Ruleset
from web.errors import problem_of
from web.forms import Code, Empty, Short, Strict, read_form
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, settings, world
from web.standing.places import outlines
from web.standing.rows import LABELS, Words, differences, noted, shown

blueprint = Blueprint("rules", __name__, url_prefix="/rules")

CHANGE, RULE = "standing:change", "ticket:rule"
VERSIONS = 50
MARKS = {Weight.ERROR: "错误", Weight.TICK: "待确认", Weight.REMARK: "提示"}


class PeriodForm(Strict):
    from_on: date
    to_on: date
    generation_id: Annotated[int | None, Empty] = None


class BeginForm(Strict):
    """`begins_at` is local time as the page's field gives it; empty is at once."""

    ticked: bool = False
    begins_at: Annotated[datetime | None, Empty] = None


class RowForm(Strict):
    """One row to be added to the rules in force, as a draft."""

    category_code: Annotated[Code | None, Empty] = None
    area_code: Annotated[Code | None, Empty] = None
    main: Code
    note: Annotated[Short | None, Empty] = None


@blueprint.get("/")
@permission_required(CHANGE, RULE)
def listed() -> ResponseReturnValue:
    """Every version, the newest first, and where to bring in a draft."""
    with database().reading() as session:
        versions = session.exec(select(Ruleset).order_by(col(Ruleset.version).desc()).limit(VERSIONS)).all()
        numbers = dict(
            session.exec(
                select(Responsibility.ruleset_version, func.count()).group_by(
                    col(Responsibility.ruleset_version)
                )
            ).all()
        )
        rehearsals = session.exec(select(Rehearsal).order_by(col(Rehearsal.asked_at).desc()).limit(10)).all()
        return render_template(
            "rules/list.html",
            noted=noted,
            versions=versions,
            numbers=numbers,
            in_force=world().refresh(session).ruleset_version,
            now=now(),
            rehearsals=rehearsals,
            may_change=current_actor().may(CHANGE),
        )


@blueprint.get("/<int:version>")
@permission_required(CHANGE, RULE)
def version(version: int) -> ResponseReturnValue:
    """One version: what the linter says, its rehearsals, its rows, and what can be done with it."""
    return _version(version)


def _version(version: int, error: GridError | None = None) -> ResponseReturnValue:
    with database().reading() as session:
        standing = world().refresh(session)
        ruleset = session.get(Ruleset, version)
        if ruleset is None:
            raise NotFound(f"没有第 {version} 版规则,请从列表里选择")
        on = now().astimezone(settings().zone).date()
        found = lint_version(database(), session, standing, version, on)
        rows = sorted(rulesets.rows_of(session, Responsibility, version), key=lambda row: str(row.id))
        words = Words.of(session, standing)
        former = rulesets.rows_of(session, Responsibility, standing.ruleset_version)
        page = render_template(
            "rules/version.html",
            noted=noted,
            ruleset=ruleset,
            standing=standing,
            in_force=standing.ruleset_version,
            linted=found,
            cut=found.first(Kind.CUT),
            marks=MARKS,
            shown=shown(rows, words),
            labels=LABELS,
            number=len(rows),
            changed=differences(rows, former, words),
            rehearsals=session.exec(
                select(Rehearsal)
                .where(Rehearsal.ruleset_version == version, col(Rehearsal.generation_id).is_(None))
                .order_by(col(Rehearsal.asked_at).desc())
                .limit(5)
            ).all(),
            error=error,
            typed=request.form,
            today=on,
            now=now(),
            since=on - running.USUAL,
            may_change=current_actor().may(CHANGE),
        )
    return page, problem_of(error).status if error else 200


@blueprint.get("/<int:version>.csv")
@permission_required(CHANGE, RULE)
def table(version: int) -> ResponseReturnValue:
    """The rows as the table that would bring them in again."""
    with database().reading() as session:
        text = duties.export_duties(session, version)
    return _csv(text, f"rules-{version}.csv")


@blueprint.post("/<int:version>/rehearse")
@permission_required(CHANGE, RULE)
def rehearse(version: int) -> ResponseReturnValue:
    """Ask for a rehearsal; its page shows how far it is."""
    actor, moment = current_actor(), now()
    try:
        form = read_form(PeriodForm, request.form)
        asked = database().write(
            lambda s: running.ask(s, version, form.from_on, form.to_on, actor, moment, form.generation_id)
        )
    except InputError as error:
        return _version(version, error)
    jobs.ask_for(settings(), "rehearse")
    return redirect(url_for("rules.rehearsal", key=asked.id), 303)


@blueprint.post("/<int:version>/begin")
@permission_required(CHANGE)
def activate(version: int) -> ResponseReturnValue:
    """Put a version in force, or a former one again; the linter stands at the door."""
    actor, moment = current_actor(), now()
    try:
        form = read_form(BeginForm, request.form)
        begins_at = form.begins_at
        if begins_at is not None and begins_at.tzinfo is None:
            begins_at = begins_at.replace(tzinfo=ZoneInfo(settings().timezone))
        begun = begin(database(), world(), version, actor, moment, ticked=form.ticked, begins_at=begins_at)
    except GridError as error:
        return _version(version, error)
    flash(
        f"第 {begun.version} 版规则{'将按时启用' if begins_at else '已启用'};要撤回,再启用原来的版本", "done"
    )
    return redirect(url_for("rules.listed"), 303)


@blueprint.post("/<int:version>/cancel")
@permission_required(CHANGE)
def cancel(version: int) -> ResponseReturnValue:
    """It does not begin at its instant after all."""
    actor, moment = current_actor(), now()
    try:
        database().write(lambda s: rulesets.unschedule(s, version, actor, moment))
    except GridError as error:
        return _version(version, error)
    flash("已取消定时启用", "done")
    return redirect(url_for("rules.version", version=version), 303)


@blueprint.get("/rehearsals/<uuid:key>")
@permission_required(CHANGE, RULE)
def rehearsal(key: UUID) -> ResponseReturnValue:
    """How far it is, or what came out."""
    with database().reading() as session:
        found = _rehearsal(session, key)
        standing = world().refresh(session)
        return render_template(
            "rules/rehearsal.html",
            one=found,
            result=found.result or {},
            borders=session.get(Generation, found.generation_id) if found.generation_id else None,
            waits=found.state in (RehearsalState.WAITING, RehearsalState.RUNNING),
            standing=standing,
            outlines=outlines(standing),
        )


@blueprint.get("/rehearsals/<uuid:key>.csv")
@permission_required(CHANGE, RULE)
def moved(key: UUID) -> ResponseReturnValue:
    """Every ticket that would go elsewhere."""
    with database().reading() as session:
        return _csv(running.unpacked(_rehearsal(session, key)), f"rehearsal-{key}.csv")


@blueprint.get("/make")
@permission_required(CHANGE, RULE)
def make_page() -> ResponseReturnValue:
    """A rule from a ticket that none applied to: its category and its area are filled in."""
    return _make()


def _make(error: InputError | None = None) -> ResponseReturnValue:
    code = request.args.get("ticket") or request.form.get("ticket") or ""
    with database().reading() as session:
        standing = world().refresh(session)
        ticket = queries.find(session, code, current_actor()) if code else None
        own = [
            ticket and getattr(ticket, f"{level}_code")
            for level in ("grid", "community", "street", "district")
        ]
        page = render_template(
            "rules/make.html",
            standing=standing,
            ticket=ticket,
            lineage=standing.lineage(ticket.category_code) if ticket else (),
            areas=[area for area in own if area],
            organisations=sorted(
                (o for o in standing.organisations.values() if not o.closed_on), key=lambda o: o.name
            ),
            kinds=duties.organisation_kinds(),
            error=error,
            typed=request.form,
        )
    return page, 422 if error else 200


@blueprint.post("/make")
@permission_required(CHANGE, RULE)
def make() -> ResponseReturnValue:
    """A draft: the rules in force with this one row more."""
    actor, moment = current_actor(), now()
    try:
        form = read_form(RowForm, request.form)
        made = database().write(
            lambda s: duties.draft_with_row(
                s, form.category_code, form.area_code, form.main, form.note, actor, moment
            )
        )
    except InputError as error:
        return _make(error)
    flash(f"已存为第 {made} 版草稿;请先看检查结果并演练,再启用", "done")
    return redirect(url_for("rules.version", version=made), 303)


def _rehearsal(session: Session, key: UUID) -> Rehearsal:
    found = session.get(Rehearsal, key)
    if found is None:
        raise NotFound("没有这次演练,请从规则页重新打开")
    return found


def _csv(text: str, name: str) -> Response:
    response = Response(text, mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
