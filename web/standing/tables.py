"""Tables brought in: units, people, responsibilities, registers. What a strange column means is asked once and remembered."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from uuid import UUID

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from dispatch import duties
from grid.errors import GridError, InputError, NotFound
from grid.importing import mappings, organisations, staff
from grid.importing.columns import Column, missing_headings
from grid.importing.report import ImportReport
from grid.importing.sheets import Sheet, read_sheet
from grid.permissions import Actor
from grid.registers import importing
from web.errors import problem_of
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, settings
from web.standing import upload
from web.standing.frames import GEOGRAPHIC

blueprint = Blueprint("tables", __name__, url_prefix="/imports")

CHANGE = "standing:change"
Work = Callable[[Session, Sheet, str, Actor, datetime], ImportReport]


@dataclass(frozen=True)
class Kind:
    """One kind of table: what it is called, what its columns are, how it is brought in."""

    label: str
    hint: str
    columns: Callable[[Session], tuple[Column, ...]]
    work: Work
    framed: bool = False
    picky: bool = False  # whether the right rows may come in without the wrong ones


KINDS: dict[str, Kind] = {
    "organisations": Kind(
        "单位",
        "按编码新增或更新,不删除",
        lambda _: organisations.columns(duties.organisation_kinds()),
        lambda s, sheet, _, actor, at: organisations.import_organisations(
            s, sheet, duties.organisation_kinds(), actor, at
        ),
    ),
    "staff": Kind(
        "人员和岗位",
        "一行一个岗位;新账号由本人用一次性链接设密码",
        lambda _: staff.COLUMNS,
        lambda s, sheet, _, actor, at: staff.import_staff(s, sheet, actor, at),
    ),
    "responsibilities": Kind(
        "职责",
        "存为规则草稿:先检查、演练,再启用",
        duties.duty_columns,
        lambda s, sheet, _, actor, at: duties.import_duties(
            s, sheet, actor, at, only_good="only_good" in request.form
        ),
        picky=True,
    ),
    "assets": Kind(
        "部件台账",
        "按编码新增或更新;部件类按权属派单",
        lambda _: importing.ASSETS,
        importing.import_assets,
        framed=True,
    ),
    "bindings": Kind(
        "执法绑定",
        "整表替换现有的绑定",
        lambda _: importing.BINDINGS,
        lambda s, sheet, _, actor, at: importing.import_bindings(s, sheet, actor, at),
    ),
    "roster": Kind(
        "排班",
        "同单位同日期的整日替换",
        lambda _: importing.ROSTER,
        lambda s, sheet, _, actor, at: importing.import_roster(s, sheet, actor, at),
    ),
    "places": Kind(
        "地名",
        "按文件名替换上次同名文件的地名",
        lambda _: importing.PLACES,
        importing.import_places,
        framed=True,
    ),
}


@blueprint.get("/")
@permission_required(CHANGE)
def home() -> ResponseReturnValue:
    """Every kind of table, each with an empty one to fill in."""
    return _page()


@blueprint.get("/<what>.csv")
@permission_required(CHANGE)
def template(what: str) -> ResponseReturnValue:
    """An empty table with the headings."""
    kind = _kind(what)
    text = io.StringIO()
    with database().reading() as session:
        csv.writer(text, lineterminator="\r\n").writerow(column.heading for column in kind.columns(session))
    response = Response("\ufeff" + text.getvalue(), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{what}.csv"'
    return response


@blueprint.post("/<what>")
@permission_required(CHANGE)
def bring_in(what: str) -> ResponseReturnValue:
    """All of it, or nothing and every row's fault; a table whose columns are strange is kept until they are explained."""
    kind = _kind(what)
    file = request.files.get("files")
    frame = request.form.get("frame", "")
    if file is None or not file.filename:
        return _page(error=InputError("请选择一个 CSV 或 XLSX 文件"), what=what)
    if kind.framed and frame not in dict(GEOGRAPHIC):
        return _page(error=InputError("请选择坐标系:不能猜,错了会派错单"), what=what)
    token = upload.keep([file], {"what": what, "frame": frame}, _shelf())
    try:
        with database().reading() as session:
            sheet = mappings.understood(session, what, _sheet(token))
            missing = missing_headings(sheet, kind.columns(session))
        if missing:
            return _mapping(what, token, sheet, missing)
        report = _write(kind, sheet, frame)
    except GridError as error:
        upload.drop(token, _shelf())
        return _page(error=error, what=what)
    upload.drop(token, _shelf())
    return _page(report=report, what=what)


@blueprint.post("/<what>/<uuid:token>")
@permission_required(CHANGE)
def explained(what: str, token: UUID) -> ResponseReturnValue:
    """The kept table, now that somebody said what its columns mean."""
    kind, actor, moment = _kind(what), current_actor(), now()
    kept = upload.kept(token, _shelf())
    if kept is None or kept[1].get("what") != what:
        return _page(error=NotFound("上传的文件已过期,请重新上传"), what=what)
    try:
        sheet = _sheet(token)
        with database().reading() as session:
            wanted = kind.columns(session)
        said = {
            column.heading: request.form[column.field] for column in wanted if request.form.get(column.field)
        }
        sheet = replace(sheet, meant=said)
        missing = missing_headings(sheet, wanted)
        if missing:
            return _mapping(what, token, sheet, missing, again=True)
        database().write(lambda s: mappings.remember(s, what, sheet.headings, said, actor, moment))
        report = _write(kind, sheet, kept[1].get("frame", ""))
    except GridError as error:
        return _page(error=error, what=what)
    upload.drop(token, _shelf())
    return _page(report=report, what=what)


def _write(kind: Kind, sheet: Sheet, frame: str) -> ImportReport:
    actor, moment = current_actor(), now()
    return database().write(lambda session: kind.work(session, sheet, frame, actor, moment))


def _mapping(
    what: str, token: UUID, sheet: Sheet, missing: list[str], *, again: bool = False
) -> ResponseReturnValue:
    with database().reading() as session:
        columns = _kind(what).columns(session)
    page = render_template(
        "imports/columns.html",
        what=what,
        kind=KINDS[what],
        token=token,
        sheet=sheet,
        columns=[(column, column.found_in(sheet)) for column in columns],
        missing=missing,
        only_good="only_good" in request.form,
    )
    return page, 422


def _page(
    report: ImportReport | None = None, error: GridError | None = None, what: str = ""
) -> ResponseReturnValue:
    version = (report.details.get("ruleset_version") if report else None) or None
    page = render_template(
        "imports/home.html",
        kinds=KINDS,
        frames=GEOGRAPHIC,
        what=what,
        report=report,
        onward=url_for("rules.version", version=version) if version else None,
        error=error,
        typed=request.form,
    )
    wrong = error is not None or (report is not None and not (report.is_right or report.written))
    return page, (problem_of(error).status if error else 422) if wrong else 200


def _kind(what: str) -> Kind:
    if what not in KINDS:
        raise NotFound(f"没有“{what}”这种表,请从导入页选择")
    return KINDS[what]


def _sheet(token: UUID) -> Sheet:
    kept = upload.kept(token, _shelf())
    if kept is None or not kept[0]:
        raise NotFound("上传的文件已过期,请重新上传")
    path: Path = kept[0][0]
    if path.suffix == ".geojson":
        return importing.places_of_geojson(path.name, path.read_bytes())
    return read_sheet(path)


def _shelf() -> Path:
    return settings().instance_path / "tables-upload"
