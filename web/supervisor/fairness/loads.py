"""Load of places and units against thresholds: who could share it, and what can be split."""

from typing import Annotated, Literal

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import Field

from dispatch.insight.load import measuring
from dispatch.insight.metrics.periods import Period
from dispatch.insight.reports.sheets import Plain, Sheet
from dispatch.insight.schemes import keeping
from dispatch.record.oversight import loads
from grid.errors import InputError
from web.forms import Code, Strict, read_form
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, settings, world
from web.shown.labels import _
from web.supervisor.answering.asking import names_of
from web.supervisor.answering.sending import file_of
from web.supervisor.blueprint import blueprint


class LimitForm(Strict):
    kind: Literal["grid", "community", "organisation"]
    code: Code = "*"
    hours: Annotated[float, Field(gt=0, le=10_000)]


@blueprint.get("/load")
@permission_required(keeping.SWITCH)
def load() -> ResponseReturnValue:
    """What waits where, in hours, against the threshold; who has room; which grids ask for a split."""
    kind = request.args.get("kind", loads.GRID)
    if kind not in measuring.KINDS:
        raise InputError("没有这类负荷,请从页面选择", {"kind": "请从页面选择"})
    today = now().astimezone(settings().zone).date()
    with database().reading() as session:
        standing = world().refresh(session)
        found = measuring.loads(session, standing, kind, today)
        usual = loads.limits(session, kind)[loads.ANY]
        names = names_of(standing, "organisation" if kind == loads.ORGANISATION else kind, list(found))
    busy = [one for one in found.values() if one.hours]
    if kept := request.args.get("format"):
        return file_of(kept, _sheet(kind, busy, names), f"负荷 {measuring.KINDS[kind]}", Period(today, today))
    share = {one.code: measuring.could_share(found, standing, one.code) for one in busy if one.over}
    return render_template(
        "supervisor/load.html",
        kind=kind,
        kinds=measuring.KINDS,
        rows=busy,
        names=names,
        words=measuring.WORDS,
        share=share,
        everybody=usual,
        choices=sorted(names.items()),
        to_split={one.code for one in measuring.to_split(found)} if kind != loads.ORGANISATION else set(),
    )


def _sheet(kind: str, rows: list[measuring.Load], names: dict[str, str]) -> Sheet:
    lines: list[list[Plain]] = [
        [
            names.get(one.code, one.code),
            one.hours,
            one.limit_hours,
            *(one.pieces.get(piece, 0) for piece in measuring.WORDS),
        ]
        for one in rows
    ]
    return Sheet("负荷", [measuring.KINDS[kind], "小时", "阈值", *measuring.WORDS.values()], lines)


@blueprint.post("/load/limit")
@permission_required(keeping.SWITCH)
def set_limit() -> ResponseReturnValue:
    """Change a threshold: of one place or unit, or of all of a kind."""
    form = read_form(LimitForm, request.form)
    with database().writing() as session:
        loads.set_limit(session, form.kind, form.code, form.hours, current_actor(), now())
    flash(_("阈值已改为 %(h).1f 小时。", h=form.hours), "done")
    return redirect(url_for("supervisor.load", kind=form.kind), 303)
