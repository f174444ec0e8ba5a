"""Borders brought in, step by step on one page: files in, findings with a map, repairs to choose from, a draft.

Nothing is stored before the last step; rehearsing and beginning follow on the draft's own page.
"""

import io
import tempfile
import zipfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlmodel import Session, col, select

from geo.borders import LEVEL_LABELS, AreaShape
from geo.errors import GeoError
from geo.mending.proposals import Proposal
from geo.mending.proposing import apply, propose
from geo.mending.showing import proposals_fragment
from geo.mending.writing import write_repair
from geo.reading import BorderFeature, BorderFile
from geo.review.checking import check_borders
from geo.review.page import report_fragment
from grid.areas import generations
from grid.errors import GridError
from grid.importing import mappings
from grid.importing.borders import BorderImport, border_set
from grid.models import Area
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, settings
from web.standing import upload
from web.standing.frames import FRAMES
from web.standing.generations import ask_for_index

blueprint = Blueprint("borders", __name__, url_prefix="/borders")

CHANGE = "standing:change"
_READING = ("frame", "level", "encoding", "swapped")
_MOST = 2_000  # boxes on one page
_ALL = "all"
MEANINGS = {
    "code": "编码",
    "name": "名称",
    "parent": "上级编码",
    "level": "层级",
    "kind": "叠加面类型",
    "priority": "优先级",
}
GONE = "上传的文件已过期,请重新上传检查。"


@blueprint.route("/", methods=["GET", "POST"])
@permission_required(CHANGE)
def check() -> ResponseReturnValue:
    """Check one set of border files."""
    if request.method == "GET":
        return _page()
    given = [one for one in request.files.getlist("files") if one.filename]
    if not given:
        return _page("请选择边界文件(GeoJSON、GeoPackage、Shapefile 压缩包或 KML)。"), 422
    how: dict[str, Any] = {name: request.form[name] for name in _READING if request.form.get(name)}
    token = upload.keep(given, how, _shelf())
    try:
        files = _remembered(token, how)
        former = _former()
    except GeoError as error:
        upload.drop(token, _shelf())
        return _page(str(error)), 422
    return _report(token, files, how, former=former)


@blueprint.post("/<uuid:token>/columns")
@permission_required(CHANGE)
def columns(token: UUID) -> ResponseReturnValue:
    """What the columns mean: read anew by it, and remembered for files with the same columns."""
    kept = upload.kept(token, _shelf())
    if kept is None:
        return _page(GONE), 404
    paths, how = kept
    said = {meaning: request.form[meaning] for meaning in MEANINGS if request.form.get(meaning)}
    how["columns"] = said
    upload.say(token, how, _shelf())
    try:
        files = upload.read(paths, how)
    except GeoError as error:
        return _page(str(error)), 422
    actor, moment = current_actor(), now()
    for file in files:
        own = upload.headings([file])
        database().write(lambda s, h=own: mappings.remember(s, mappings.BORDERS, h, said, actor, moment))  # type: ignore[misc]
    return _report(token, files, how)


@blueprint.post("/<uuid:token>/turn")
@permission_required(CHANGE)
def turn(token: UUID) -> ResponseReturnValue:
    """Read anew with latitude first, or with longitude first again."""
    kept = upload.kept(token, _shelf())
    if kept is None:
        return _page(GONE), 404
    how = kept[1]
    if how.pop("swapped", None) is None:
        how["swapped"] = "1"
    upload.say(token, how, _shelf())
    try:
        files = _remembered(token, how)
    except GeoError as error:
        return _page(str(error)), 422
    return _report(token, files, how)


@blueprint.post("/<uuid:token>/repair")
@permission_required(CHANGE)
def repair(token: UUID) -> ResponseReturnValue:
    """Carry out the chosen repairs; the mended files as a zip, with the originals and a record."""
    kept = upload.kept(token, _shelf())
    if kept is None:
        return _page(GONE), 404
    paths, how = kept
    ticked = set(request.form.getlist("choose"))
    files = upload.read(paths, how)
    proposals = _proposals(_features(files))
    try:
        chosen = _chosen(proposals, ticked)
        if not chosen:
            raise GeoError("还没有选择修复建议,请至少勾选一条。")
        content = _mended(files, paths, proposals, chosen)
    except GeoError as error:
        return _report(token, files, how, ticked=ticked, error=str(error))
    return send_file(content, "application/zip", as_attachment=True, download_name="mended-borders.zip")


@blueprint.post("/<uuid:token>/draft")
@permission_required(CHANGE)
def draft(token: UUID) -> ResponseReturnValue:
    """The set, with the chosen repairs, as a draft: to be compared, rehearsed and begun on its own page."""
    kept = upload.kept(token, _shelf())
    if kept is None:
        return _page(GONE), 404
    paths, how = kept
    ticked = set(request.form.getlist("choose"))
    frame = request.form.get("frame")
    if not how.get("frame") and frame in dict(FRAMES):
        how["frame"] = frame
        upload.say(token, how, _shelf())
    try:
        files = upload.read(paths, how)
    except GeoError as error:
        return _page(str(error)), 422
    if not how.get("frame"):
        sentence = "存为草稿前请确认坐标系:不能猜,错了会派错单。"
        return _report(token, files, how, ticked=ticked, error=sentence)
    try:
        found = _set(files, ticked)
        if not found.report.is_right:
            lines = found.report.lines()
            return _report(token, files, how, ticked=ticked, error="还不能存为草稿", lines=lines[1:])
        made = _store(found)
    except (GeoError, GridError) as error:
        return _report(token, files, how, ticked=ticked, error=str(error))
    upload.drop(token, _shelf())
    flash("已存为草稿;请看变化、演练,再启用", "done")
    return redirect(url_for("generations.one", generation_id=made), 303)


def _set(files: Sequence[BorderFile], ticked: Collection[str]) -> BorderImport:
    """The files as one set, with what was chosen mended; names of upper areas are those in force."""
    features = _features(files)
    proposals = _proposals(features)
    chosen = _chosen(proposals, ticked)
    if chosen:
        whole = replace(files[0], features=tuple(apply(features, proposals, chosen)))
        rest = [replace(file, features=()) for file in files[1:]]
        files = [whole, *rest]
    with database().reading() as session:
        return border_set(files, _names(session))


def _store(found: BorderImport) -> int:
    actor, moment = current_actor(), now()
    new = generations.NewGeneration(
        label=moment.astimezone(settings().zone).strftime("%Y-%m-%d %H:%M:%S"),
        areas=found.areas,
        overlays=found.overlays,
        source=";".join(found.checksums),
    )
    made = database().write(lambda session: generations.create_draft(session, new, actor, moment))
    generations.index_soon(database(), made.id or 0, settings().instance_path, ask_for_index)
    return made.id or 0


def _names(session: Session) -> dict[str, str]:
    active = generations.active_generation(session)
    query = select(col(Area.code), col(Area.name)).where(Area.generation_id == (active.id if active else 0))
    return dict(session.exec(query).all())


def _remembered(token: UUID, how: dict[str, Any]) -> list[BorderFile]:
    """The files, their columns as somebody once said of such files."""
    files = upload.read(_files(token), how)
    with database().reading() as session:
        said: dict[str, str] = {}
        for file in files:
            said |= mappings.meant(session, mappings.BORDERS, upload.headings([file]))
    if not said:
        return files
    how["columns"] = said
    upload.say(token, how, _shelf())
    return upload.read(_files(token), how)


def _chosen(proposals: Sequence[Proposal], ticked: Collection[str]) -> set[str]:
    """Ids of the ticked boxes; the box of a kind stands for all of it, one for everything."""
    if _ALL in ticked:
        return {p.id for p in proposals}
    by_kind = {p.id for p in proposals if f"kind:{p.kind}" in ticked}
    return by_kind | {one for one in ticked if not one.startswith("kind:")}


def _mended(
    files: Sequence[BorderFile], paths: Sequence[Path], proposals: Sequence[Proposal], chosen: Collection[str]
) -> io.BytesIO:
    mended = apply(_features(files), proposals, chosen)
    content = io.BytesIO()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "mended"
        write_repair(files, paths, mended, [p for p in proposals if p.id in chosen], folder)
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(p for p in folder.rglob("*") if p.is_file()):
                archive.write(path, path.relative_to(folder))
    content.seek(0)
    return content


def _report(
    token: UUID,
    files: Sequence[BorderFile],
    how: Mapping[str, Any],
    *,
    ticked: Collection[str] = (),
    former: Sequence[AreaShape] = (),
    error: str | None = None,
    lines: Sequence[str] = (),
) -> ResponseReturnValue:
    """The second step: what was found, what can be mended, and on to the draft."""
    features = _features(files)
    proposals = _proposals(features)
    report = check_borders(list(files), former=list(former))
    shown = files[0].columns if files else None
    page = _page(
        error,
        lines=lines,
        report=Markup(report_fragment(report)),  # noqa: S704 -- what came from the files is escaped in it
        repairs=_repairs(features, proposals, ticked) if proposals else None,
        proposals=len(proposals),
        every=_ALL in ticked,
        token=token,
        how=how,
        turnable=bool(report.counts().get("swapped")),
        headings=upload.headings(files),
        chosen={meaning: getattr(shown, meaning, None) for meaning in MEANINGS},
        remembered=bool(how.get("columns")),
    )
    return page, 422 if error else 200


def _page(error: str | None = None, **more: Any) -> str:
    return render_template(
        "borders/check.html",
        error=error,
        frames=FRAMES,
        levels=[(str(level), label) for level, label in LEVEL_LABELS.items()],
        meanings=MEANINGS,
        typed=request.form,
        **{"report": None, "repairs": None, "token": None, "how": {}, "lines": (), **more},
    )


def _shelf() -> Path:
    return settings().instance_path / "borders-upload"


def _files(token: UUID) -> list[Path]:
    kept = upload.kept(token, _shelf())
    return kept[0] if kept else []


def _former() -> list[AreaShape]:
    given = [one for one in request.files.getlist("former") if one.filename]
    if not given:
        return []
    how = {name: request.form[name] for name in ("level", "encoding") if request.form.get(name)}
    with tempfile.TemporaryDirectory() as folder:
        shelf = Path(folder)
        kept = upload.kept(upload.keep(given, how, shelf), shelf)
        return [area for file in upload.read(*kept) for area in file.areas()] if kept else []


def _features(files: Sequence[BorderFile]) -> list[BorderFeature]:
    return [feature for file in files for feature in file.features]


def _proposals(features: Sequence[BorderFeature]) -> list[Proposal]:
    """Proposals where they can be worked out; a set too broken for that is described by the findings."""
    try:
        return propose(features)
    except GeoError:
        return []


def _repairs(
    features: Sequence[BorderFeature], proposals: Sequence[Proposal], ticked: Collection[str]
) -> Markup:
    boxes = ticked if len(proposals) <= _MOST else None
    many = (
        ""
        if boxes is not None
        else f"<p>建议超过 {_MOST} 条,可全部采用,或用命令 flask grid repair 选择。</p>"
    )
    return Markup(many + proposals_fragment(features, proposals, ticked=boxes))  # noqa: S704 -- escaped in it
