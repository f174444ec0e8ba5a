"""Assessment schemes: entered under a plan number within their clauses, shown by group and quarter, never across groups."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import Field
from sqlmodel import Session

from dispatch.insight.metrics.formulas import BY_KEY
from dispatch.insight.metrics.periods import Period
from dispatch.insight.schemes import keeping, limits, standing
from dispatch.insight.schemes.limits import Group, Indicator, Plan
from dispatch.insight.schemes.models import Scheme
from grid.errors import InputError, NotFound
from web.forms import Code, Strict, check, read_form
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, settings, world
from web.shown.labels import _
from web.supervisor.blueprint import blueprint

ROWS, GROUPS = 8, 4
LEVELS = {"1": "一级指标", "2": "二级指标(属上一个一级指标)"}


class RemovalForm(Strict):
    title: Code


class Line(Strict):
    """One row of the form; a title makes it count."""

    title: Annotated[str, Field(max_length=40)] = ""
    level: Literal["1", "2", "3"] = "1"
    metric: Annotated[str, Field(max_length=40)] = ""
    rules: Annotated[str, Field(max_length=1000)] = ""


@dataclass(frozen=True)
class Shown:
    """One group with its indicators' metrics: unit by unit, and who turned an order on."""

    group: Group
    columns: list[str]
    rows: list[tuple[str, list[standing.Compared]]]
    turned: Any

    @property
    def weights(self) -> dict[str, float]:
        return dict(self.group.weights)


@blueprint.get("/schemes")
@permission_required(keeping.SWITCH)
def scheme_form() -> ResponseReturnValue:
    """Where a scheme is entered."""
    return _form({}, {})


@blueprint.post("/schemes")
@permission_required(keeping.SWITCH)
def enter_scheme() -> ResponseReturnValue:
    """Keep a scheme; one that breaks a clause comes back with the clause and with what was typed."""
    actor, at = current_actor(), now()
    try:
        plan = _plan()
        with database().writing() as session:
            world().refresh(session)
            made = keeping.keep(session, plan, actor, world(), at).id
    except InputError as error:
        return _form(request.form, error.fields or {"plan": str(error)}), 422
    flash(_("考评方案“%(title)s”已保存。", title=plan.title), "done")
    return redirect(url_for("supervisor.scheme", scheme_id=made), 303)


@blueprint.get("/schemes/<uuid:scheme_id>")
@permission_required(keeping.SWITCH)
def scheme(scheme_id: UUID) -> ResponseReturnValue:
    """The last whole quarter, group by group."""
    with database().reading() as session:
        known = world().refresh(session)
        row = _scheme(session, scheme_id)
        plan = keeping.plan_of(row.body)
        today = now().astimezone(settings().zone).date()
        quarter = standing.quarter_of(standing.quarter_of(today).from_on - timedelta(days=1))
        groups = [_shown(session, plan, group, quarter) for group in plan.groups]
        names = {code: o.name for code, o in known.organisations.items()}
    return render_template(
        "supervisor/scheme.html",
        row=row,
        plan=plan,
        quarter=quarter,
        groups=groups,
        names=names,
        metrics=BY_KEY,
    )


@blueprint.post("/schemes/<uuid:scheme_id>/without")
@permission_required(keeping.SWITCH)
def remove_indicator(scheme_id: UUID) -> ResponseReturnValue:
    """Take an indicator out; its weight goes to the others."""
    form = read_form(RemovalForm, request.form)
    with database().writing() as session:
        keeping.remove(session, _scheme(session, scheme_id), form.title, current_actor(), now())
    return redirect(url_for("supervisor.scheme", scheme_id=scheme_id), 303)


@blueprint.post("/schemes/<uuid:scheme_id>/end")
@permission_required(keeping.SWITCH)
def end_scheme(scheme_id: UUID) -> ResponseReturnValue:
    """The scheme no longer holds."""
    with database().writing() as session:
        keeping.end(session, _scheme(session, scheme_id), current_actor(), now())
    return redirect(url_for("supervisor.switches"), 303)


def _form(typed: Any, wrong: dict[str, str]) -> str:
    with database().reading() as session:
        known = world().refresh(session)
        units = sorted((o.code, o.name) for o in known.organisations.values() if not o.closed_on)
    return render_template(
        "supervisor/scheme_form.html",
        typed=typed,
        chosen={n: request.form.getlist(f"units-{n}") for n in range(GROUPS)},
        wrong=list(dict.fromkeys(wrong.values())),
        rows=ROWS,
        group_rows=GROUPS,
        levels=LEVELS,
        metrics=limits.ALLOWED.values(),
        units=units,
        rules=(limits.THOUSAND, limits.LEVELS, limits.RULES, limits.GROUPS, limits.OFF_PLAN),
    )


def _plan() -> Plan:
    form = request.form
    lines = [_line(number) for number in range(ROWS)]
    indicators = _indicators([line for line in lines if line.title.strip()])
    titles = [indicator.title for indicator in indicators]
    groups = [_group(number, titles) for number in range(GROUPS) if form.get(f"group-{number}", "").strip()]
    base = form.get("base", "")
    if not base.isdigit():
        raise InputError("总分只能是 100", {"base": limits.THOUSAND})
    title = form.get("title", "").strip()[:60]
    if not title:
        raise InputError("请填写方案名称", {"title": "请填写方案名称"})
    return limits.examine(
        Plan(title, form.get("plan_number", "").strip(), tuple(indicators), tuple(groups), int(base))
    )


def _line(number: int) -> Line:
    names = ("title", "level", "metric", "rules")
    given = {name: request.form[f"{name}-{number}"] for name in names if request.form.get(f"{name}-{number}")}
    return check(Line, given)


def _indicators(lines: list[Line]) -> list[Indicator]:
    """A line below the first level belongs to the line above it of the level before."""
    found: list[Indicator] = []
    place = 0
    while place < len(lines):
        line, below = lines[place], place + 1
        while below < len(lines) and lines[below].level > line.level:
            below += 1
        rules = tuple(rule.strip() for rule in line.rules.splitlines() if rule.strip())
        parts = tuple(_indicators(lines[place + 1 : below]))
        found.append(Indicator(line.title.strip(), None if parts else line.metric or None, rules, parts))
        place = below
    return found


def _group(number: int, titles: list[str]) -> Group:
    words = request.form.get(f"weights-{number}", "").replace(",", " ").replace(",", " ").split()
    try:
        weights = [float(word) for word in words]
    except ValueError:
        raise InputError(limits.WEIGHTS, {f"weights-{number}": limits.WEIGHTS}) from None
    if len(weights) != len(titles):
        raise InputError(
            limits.WEIGHTS, {f"weights-{number}": f"{limits.WEIGHTS};每个一级指标一个,用空格隔开"}
        )
    units = tuple(request.form.getlist(f"units-{number}"))
    return Group(
        request.form[f"group-{number}"].strip()[:40], units, tuple(zip(titles, weights, strict=True))
    )


def _scheme(session: Session, scheme_id: UUID) -> Scheme:
    row = session.get(Scheme, scheme_id)
    if row is None:
        raise NotFound("没有这个考评方案,请从“开关”页打开")
    return row


def _shown(session: Session, plan: Plan, group: Group, quarter: Period) -> Shown:
    keys = [one.metric for top in plan.indicators for one in (top.parts or (top,)) if one.metric]
    compared, turned = {}, None
    for key in dict.fromkeys(keys):
        compared[key], turned = standing.compare(session, group, key, quarter)
    rows = [
        (unit, [next(c for c in compared[key] if c.organisation_code == unit) for key in compared])
        for unit in sorted(group.units)
    ]
    return Shown(group, list(compared), rows, turned)
