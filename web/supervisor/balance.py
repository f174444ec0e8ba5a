"""What this software asks of people; switches with who turned them; observation points."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import col, select

from dispatch.insight.load import burden
from dispatch.insight.metrics import counting
from dispatch.insight.metrics.slices import FIGURES
from dispatch.insight.reports.sheets import Plain, Sheet
from dispatch.insight.schemes import keeping
from dispatch.insight.schemes.models import FigureSwitch, Scheme
from grid.errors import InputError
from web.forms import Code, Strict, Words, read_form
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, settings, world
from web.supervisor.answering.asking import asked, title_of
from web.supervisor.answering.sending import file_of
from web.supervisor.blueprint import blueprint


class SwitchForm(Strict):
    key: Code
    is_on: bool = False
    plan_number: Words = None


class PointForm(Strict):
    grid_code: Code
    marked: bool = False


@blueprint.get("/burden")
@permission_required(FIGURES)
def burden_() -> ResponseReturnValue:
    """What this software asks of people; never who used it how much."""
    zone = settings().zone
    with database().reading() as session:
        standing = world().refresh(session)
        its = asked(standing)
        names = {code: o.name for code, o in standing.organisations.items()}
        units = burden.by_unit(session, its.slice, zone, its.actor)
        board = burden.board(session, its.slice, zone, its.actor)
    about = title_of(its.query, standing)
    if its.query.format != "html":
        sheet = _burden_sheet(its.query.picture, board, units, names)
        return file_of(its.query.format, sheet, f"{sheet.title} {about}".strip(), its.slice.period)
    return render_template(
        "supervisor/burden.html",
        asked=its,
        about=about,
        asks=burden.ASKS,
        units=units,
        names=names,
        board=board,
    )


def _burden_sheet(
    picture: str | None, board: list[burden.Count], units: list[burden.OfUnit], names: dict[str, str]
) -> Sheet:
    """The table behind one part of the burden board; behind none in particular, how often."""
    if picture == "asks":
        asks: list[list[Plain]] = [[ask.label, ask.must, ask.may] for ask in burden.ASKS]
        return Sheet("减负账 一次要填的", ["一次要填的", "必填", "选填"], asks)
    if picture == "units":
        lines: list[list[Plain]] = [
            [names.get(one.organisation_code) or "尚未确定", one.supplements, one.off_list] for one in units
        ]
        return Sheet("减负账 各单位", ["单位", "要求补充材料", "清单外下派企图"], lines)
    counts: list[list[Plain]] = [[one.label, one.number, "全市" if one.of_city else None] for one in board]
    return Sheet("减负账", ["事项", "次数", "范围"], counts)


@blueprint.get("/switches")
@permission_required(keeping.SWITCH)
def switches() -> ResponseReturnValue:
    """What is off by default, who turned on what; schemes; the trend of the observation points."""
    with database().reading() as session:
        standing = world().refresh(session)
        its = asked(standing)
        rows = {row.key: row for row in session.exec(select(FigureSwitch))}
        points = keeping.points(session)
        of_points = its.slice.during(its.slice.period)
        codes = {**of_points.codes, "grid_code": frozenset(points)}
        trend = {}
        if points:
            marked = type(of_points)(of_points.period, codes, of_points.scope)
            found = counting.table(session, marked, ("received", "closed"), "day")
            trend = counting.every_day(found, of_points.period)
        if its.query.format != "html":
            days: list[list[Plain]] = [
                [day, counts["received"], counts["closed"]] for day, counts in trend.items()
            ]
            sheet = Sheet("观测点", ["日期", "登记", "结案"], days)
            return file_of(its.query.format, sheet, "观测点", its.slice.period)
        return render_template(
            "supervisor/switches.html",
            asked=its,
            switches=keeping.SWITCHES,
            rows=rows,
            who={key: keeping.who_turned_on(session, key) for key in keeping.SWITCHES},
            needs_plan=keeping.NEEDS_PLAN,
            schemes=session.exec(select(Scheme).where(col(Scheme.ended_at).is_(None))).all(),
            points=[(code, standing.area_name(code) or code) for code in points],
            grids=[
                (code, area.name) for code, area in sorted(standing.areas.items()) if area.level == "grid"
            ],
            trend=trend,
        )


@blueprint.post("/switches")
@permission_required(keeping.SWITCH)
def turn() -> ResponseReturnValue:
    """Turn something on or off, under one's name."""
    form = read_form(SwitchForm, request.form)
    with database().writing() as session:
        world().refresh(session)
        keeping.turn(session, form.key, form.is_on, current_actor(), world(), now(), form.plan_number)
    return redirect(url_for("supervisor.switches"), 303)


@blueprint.post("/points")
@permission_required(keeping.SWITCH)
def mark_point() -> ResponseReturnValue:
    """Make a grid an observation point, or end that."""
    form = read_form(PointForm, request.form)
    with database().writing() as session:
        standing = world().refresh(session)
        if form.grid_code not in standing.areas or standing.areas[form.grid_code].level != "grid":
            raise InputError("没有这个网格,请从列表中选择", {"grid_code": "请从列表中选择"})
        keeping.mark_point(session, form.grid_code, form.marked, current_actor(), now())
    return redirect(url_for("supervisor.switches"), 303)
