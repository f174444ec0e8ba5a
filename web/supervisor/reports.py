"""Monthly bulletins as page, Word and workbook; and the export of tickets, masked, line by line."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice
from typing import Annotated
from uuid import UUID

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import Field, StringConstraints
from sqlalchemy import and_, select
from sqlmodel import col
from uuid6 import uuid7

from dispatch.insight.metrics.measures import BIT
from dispatch.insight.metrics.periods import Period
from dispatch.insight.metrics.slices import FIGURES, scope_of
from dispatch.insight.reports import bulletins, documents, exporting
from dispatch.insight.reports.models import Bulletin, ExportLog
from dispatch.insight.rollups.models import Tally
from dispatch.insight.schemes import keeping
from dispatch.record import queries
from dispatch.record.models import Ticket
from dispatch.record.world import Standing
from grid.errors import InputError, NotAllowed, NotFound
from web.forms import Code, Empty, Strict, Words, check, read_form
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, settings, world
from web.shown.labels import SOURCES
from web.supervisor.answering.asking import Day, FiguresQuery, plain, slice_of
from web.supervisor.answering.sending import DOCX, XLSX, named
from web.supervisor.blueprint import blueprint

LINES_AT_ONCE = 500
PAGE = 30  # bulletins
UNMASKED = "ticket:export_unmasked"
SWITCH = "figures:switch"


Month = Annotated[str, StringConstraints(pattern=r"^20\d{2}-(0[1-9]|1[0-2])$")]


class BulletinForm(Strict):
    """A month, or the Monday of a week (only while weekly reports are turned on)."""

    about: Code
    month: Annotated[Month | None, Empty] = None
    week_on: Annotated[Day | None, Empty] = None

    @property
    def period(self) -> Period:
        if self.week_on is not None:
            monday = self.week_on - timedelta(days=self.week_on.weekday())
            return Period(monday, monday + timedelta(days=6))
        if self.month is None:
            raise InputError("请选择月份", {"month": "请选择月份"})
        year, month = (int(part) for part in self.month.split("-"))
        return Period.month(year, month)


class BulletinsQuery(Strict):
    """Which bulletins a list shows."""

    month: Annotated[Month | None, Empty] = None
    about: Annotated[Code | None, Empty] = None
    page: Annotated[int, Field(ge=0, le=10_000)] = 0

    def fits(self, row: bulletins.Listed) -> bool:
        return self.month in (None, f"{row.from_on:%Y-%m}") and self.about in (None, row.about)


class ExportForm(FiguresQuery):
    unmasked: bool = False
    reason: Words = None


@blueprint.get("/bulletins")
@permission_required(FIGURES)
def bulletins_() -> ResponseReturnValue:
    """The bulletins that were made, as far as one sees figures, and what one can be made about."""
    query = check(BulletinsQuery, {name: value for name, value in request.args.items() if value})
    with database().reading() as session:
        standing = world().refresh(session)
        every = bulletins.listed(session, scope_of(current_actor(), standing))
        found = [row for row in every if query.fits(row)]
        rows = found[query.page * PAGE :][:PAGE]
        titles = bulletins.titles(session, rows)
        streets = [
            (code, area.name) for code, area in sorted(standing.areas.items()) if area.level == "street"
        ]
        units = sorted((o.code, o.name) for o in standing.organisations.values() if not o.closed_on)
        weekly = keeping.who_turned_on(session, keeping.WEEKLY)
    return render_template(
        "supervisor/bulletins.html",
        weekly=weekly,
        rows=rows,
        titles=titles,
        query=query,
        more=len(found) > (query.page + 1) * PAGE,
        months=list(dict.fromkeys(f"{row.from_on:%Y-%m}" for row in every)),
        subjects=sorted({(row.about, _name(standing, row.about)) for row in every}),
        streets=streets,
        units=units,
        month=_today().replace(day=1) - timedelta(days=1),
        may_make=current_actor().may(SWITCH),
    )


def _name(standing: Standing, about: str) -> str:
    kind, _, code = about.partition(":")
    known = standing.organisations.get(code) if kind == "organisation" else standing.areas.get(code)
    return known.name if known else code or settings().city_name


@blueprint.post("/bulletins")
@permission_required(SWITCH)
def make_bulletin() -> ResponseReturnValue:
    """Make a bulletin, or make it again: the same month is the same report."""
    form = read_form(BulletinForm, request.form)
    made = database().write(lambda s: bulletins.make(s, world(), form.about, form.period, now()).id)
    return redirect(url_for("supervisor.bulletin", bulletin_id=made), 303)


@blueprint.get("/bulletins/<uuid:bulletin_id>")
@permission_required(FIGURES)
def bulletin(bulletin_id: UUID) -> ResponseReturnValue:
    """The bulletin as a page to be printed."""
    row = _bulletin(bulletin_id)
    return render_template("supervisor/bulletin.html", row=row, said=row.content)


@blueprint.get("/bulletins/<uuid:bulletin_id>.<any(docx, xlsx):kind>")
@permission_required(FIGURES)
def bulletin_file(bulletin_id: UUID, kind: str) -> ResponseReturnValue:
    """The bulletin as Word or as a workbook."""
    said = _bulletin(bulletin_id).content
    body = documents.as_docx(said, settings().instance_path) if kind == "docx" else documents.workbook(said)
    return named(Response(body, content_type=DOCX if kind == "docx" else XLSX), f"{said['title']}.{kind}")


def _bulletin(bulletin_id: UUID) -> Bulletin:
    with database().reading() as session:
        row = session.get(Bulletin, bulletin_id)
        scope = scope_of(current_actor(), world().refresh(session))
    if row is None or not bulletins.is_readable(row.about, scope):
        raise NotFound("没有这份报告,请从月报页面打开")
    return row


@blueprint.get("/export")
@permission_required(FIGURES)
def export_page() -> ResponseReturnValue:
    """What can be exported, and under which condition unmasked."""
    return render_template(
        "supervisor/export.html",
        may_unmask=current_actor().may(UNMASKED),
        period=Period.last_days(30, _today()),
    )


def _today() -> date:
    return now().astimezone(settings().zone).date()


@blueprint.post("/export")
@permission_required(FIGURES)
def export() -> ResponseReturnValue:
    """All tickets of a selection as CSV, streamed; who took them is noted first."""
    form = read_form(ExportForm, request.form)
    actor = current_actor()
    if form.unmasked and not actor.may(UNMASKED):
        raise NotAllowed("您的岗位不能导出未脱敏的数据")
    if form.unmasked and len((form.reason or "").strip()) < 4:
        raise InputError("导出未脱敏的数据须写明理由", {"reason": "请写明理由"})
    with database().reading() as session:
        standing = world().refresh(session)
        its = slice_of(form, standing, actor)
    moment = now()
    log = ExportLog(
        id=uuid7(),
        account_id=actor.account_id,
        at=moment,
        masked=not form.unmasked,
        reason=form.reason,
        slice=plain(form),
    )
    with database().writing() as session:
        session.add(log)
    tallied = (
        select(col(Tally.nr))
        .where(
            and_(
                col(Tally.intake_district) == col(Ticket.intake_district),
                col(Tally.ticket_id) == col(Ticket.id),
            ),
            col(Tally.marks).op("&")(BIT["received"]) != 0,
            *its.of_tally(),
        )
        .exists()
    )
    names = {code: category.name for code, category in standing.categories.items()}
    names |= {code: standing.area_name(code) or code for code in (*standing.former_areas, *standing.areas)}
    names |= {code: o.name for code, o in standing.organisations.items()}
    lines = exporting.lines(
        database(),
        [queries.visible(actor, FIGURES), tallied],
        names,
        settings().zone,
        sources=SOURCES,
        unmasked=form.unmasked,
    )
    answer = Response(_blocks(lines), content_type="text/csv; charset=utf-8")
    return named(answer, f"工单 {its.period.from_on} 至 {its.period.to_on}.csv")


def _blocks(lines: Iterator[str]) -> Iterator[bytes]:
    """Some hundred lines at a time: one by one they would be sent far slower than they are made."""
    while block := "".join(islice(lines, LINES_AT_ONCE)):
        yield block.encode()
