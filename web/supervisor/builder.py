"""Tables put together by whoever needs them: two dimensions, some metrics, a period. No grid worker takes part."""

from collections import Counter
from typing import Annotated, Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import Field
from sqlmodel import Session

from dispatch.insight.metrics.formulas import METRICS
from dispatch.insight.metrics.slices import DIMENSIONS, FIGURES
from dispatch.insight.reports import building
from dispatch.insight.reports.building import Question
from dispatch.insight.reports.models import SavedTable
from dispatch.insight.reports.sheets import Plain, Sheet
from grid.errors import InputError
from web.forms import Code, Empty, Strict, check
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, world
from web.shown.labels import _
from web.supervisor.answering.asking import Asked, Day, FiguresQuery, names_of, slice_of
from web.supervisor.answering.cells import Cell, cell
from web.supervisor.answering.sending import file_of
from web.supervisor.blueprint import blueprint


class TableForm(Strict):
    """What a table is asked for."""

    rows_by: Code = "street"
    columns_by: Annotated[Code | None, Empty] = None
    metrics: tuple[Code, ...] = ("received", "handling", "satisfying")
    days: Annotated[int, Field(ge=1, le=366)] = 90
    start: Annotated[Day | None, Empty] = None
    end: Annotated[Day | None, Empty] = None
    format: Code = "html"
    title: Annotated[Code | None, Empty] = None
    shared: bool = False

    def address(self, **more: Any) -> str:
        """Where this table is."""
        asked = self.model_dump(include=ASKED, exclude_none=True)
        return url_for("supervisor.builder", **asked, **more)


ASKED = {"rows_by", "columns_by", "metrics", "days", "start", "end"}


@blueprint.get("/builder")
@permission_required(FIGURES)
def builder() -> ResponseReturnValue:
    """The table, made anew from its question."""
    values = {key: value for key, value in request.args.items() if value and key != "metrics"}
    if request.args.getlist("metrics"):
        values["metrics"] = request.args.getlist("metrics")  # type: ignore[assignment]
    form = check(TableForm, values)
    metrics = building.chosen(list(form.metrics), form.rows_by, form.columns_by)
    with database().reading() as session:
        standing = world().refresh(session)
        query = FiguresQuery(days=form.days, start=form.start, end=form.end)
        actor = current_actor()
        its = Asked(query, slice_of(query, standing, actor), actor)
        found = building.made(session, its.slice, form.rows_by, form.columns_by, metrics)
        columns = sorted({column for row in found.values() for column in row})
        row_names = names_of(standing, form.rows_by, list(found))
        column_names = names_of(standing, form.columns_by, columns) if form.columns_by else {"": ""}
        saved = [(row, _address_of(row)) for row in building.saved(session, actor)]
        rows = [
            (
                row_names.get(code) or _("尚未确定"),
                [
                    cell(
                        its,
                        metric,
                        counts,
                        by=form.rows_by,
                        only=code,
                        across=form.columns_by,
                        across_only=column,
                    )
                    for column in columns
                    for counts in [row.get(column) or Counter()]
                    for metric in metrics
                ],
            )
            for code, row in found.items()
        ]
    if form.format in ("csv", "xlsx"):
        heads = [DIMENSIONS[form.rows_by][0]]
        heads += [f"{column_names.get(c) or ''} {m.label}".strip() for c in columns for m in metrics]
        body: list[list[Plain]] = [[name, *(_plain(one) for one in cells)] for name, cells in rows]
        return file_of(form.format, Sheet("自定义报表", heads, body), "自定义报表", its.slice.period)
    return render_template(
        "supervisor/builder.html",
        form=form,
        dimensions={key: label for key, (label, _column) in DIMENSIONS.items()},
        all_metrics=METRICS,
        metrics=metrics,
        columns=[column_names.get(column) or _("尚未确定") for column in columns]
        if form.columns_by
        else [""],
        rows=rows,
        saved=saved,
    )


@blueprint.post("/builder")
@permission_required(FIGURES)
def save_table() -> ResponseReturnValue:
    """Keep the question of a table under a name."""
    values = {
        key: value for key, value in request.form.items() if key not in ("csrf_token", "metrics") and value
    }
    form = check(
        TableForm, {**values, "metrics": request.form.getlist("metrics"), "shared": "shared" in request.form}
    )
    metrics = building.chosen(list(form.metrics), form.rows_by, form.columns_by)
    if form.title is None:
        raise InputError("请给报表起个名字", {"title": "请填写名称"})
    title = form.title
    question = Question(form.rows_by, form.columns_by, form.days, form.start, form.end)
    actor, at = current_actor(), now()

    def work(session: Session) -> str:
        return building.keep(session, title, question, metrics, actor, at, shared=form.shared).title

    database().write(work)
    flash(_("已保存“%(title)s”,以后打开会重新计算。", title=title), "done")
    return redirect(form.address(), 303)


@blueprint.post("/builder/<uuid:table_id>/remove")
@permission_required(FIGURES)
def remove_table(table_id: UUID) -> ResponseReturnValue:
    """One's own question is kept no longer."""
    title = database().write(lambda s: building.remove(s, table_id, current_actor()))
    flash(_("已删除“%(title)s”。", title=title), "done")
    return redirect(url_for("supervisor.builder"), 303)


def _address_of(row: SavedTable) -> str:
    days = {"start": row.from_on, "end": row.to_on} if row.from_on else {"days": row.days}
    return url_for(
        "supervisor.builder",
        rows_by=row.rows_by,
        columns_by=row.columns_by,
        metrics=row.metrics.split(","),
        **days,
    )


def _plain(one: Cell) -> Plain:
    value = one.value
    if value.of is None:
        return int(value.number)
    return (
        f"{value.count}/{value.of}"
        if value.rate is None
        else f"{value.rate * 100:.1f}% ({value.count}/{value.of})"
    )
