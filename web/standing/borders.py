"""The border check as a page: files in, findings with a map, repairs to choose from; nothing is imported."""

import io
import tempfile
import zipfile
from collections.abc import Collection, Sequence
from pathlib import Path
from uuid import UUID

from flask import Blueprint, render_template, request, send_file
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from geo.borders import LEVEL_LABELS, AreaShape
from geo.errors import GeoError
from geo.frames import Frame
from geo.mending.proposals import Proposal
from geo.mending.proposing import apply, propose
from geo.mending.showing import proposals_fragment
from geo.mending.writing import write_repair
from geo.reading import BorderFeature, BorderFile
from geo.review.checking import check_borders
from geo.review.page import report_fragment
from web.gate.access import permission_required
from web.service.context import settings
from web.standing import upload

blueprint = Blueprint("borders", __name__, url_prefix="/borders")

CHANGE = "standing:change"
_READING = ("frame", "epsg", "level", "encoding", "swapped")
_MOST = 2_000  # boxes on one page


@blueprint.route("/", methods=["GET", "POST"])
@permission_required(CHANGE)
def check() -> ResponseReturnValue:
    """Check one set of border files."""
    if request.method == "GET":
        return _page()
    given = [one for one in request.files.getlist("files") if one.filename]
    if not given:
        return _page("请选择边界文件(GeoJSON、GeoPackage、Shapefile 压缩包或 KML)。"), 422
    how = {name: request.form[name] for name in _READING if request.form.get(name)}
    token = upload.keep(given, how, _shelf())
    try:
        files = upload.read(_files(token), how)
        report = check_borders(files, former=_former())
    except GeoError as error:
        upload.drop(token, _shelf())
        return _page(str(error)), 422
    features = _features(files)
    proposals = _proposals(features)
    if not proposals:
        upload.drop(token, _shelf())
    return _page(
        report=Markup(report_fragment(report)),  # noqa: S704 -- what came from the files is escaped in it
        repairs=_repairs(features, proposals, ()),
        token=token if 0 < len(proposals) <= _MOST else None,
    )


@blueprint.post("/<uuid:token>/repair")
@permission_required(CHANGE)
def repair(token: UUID) -> ResponseReturnValue:
    """Carry out the chosen repairs; the mended files as a zip, with the originals and a record."""
    kept = upload.kept(token, _shelf())
    if kept is None:
        return _page("上传的文件已过期,请重新上传检查。"), 404
    paths, how = kept
    ticked = set(request.form.getlist("choose"))
    files = upload.read(paths, how)
    features = _features(files)
    proposals = _proposals(features)
    try:
        content = _mended(files, paths, proposals, _chosen(proposals, ticked))
    except GeoError as error:
        page = _page(str(error), repairs=_repairs(features, proposals, ticked), token=token)
        return page, 422
    return send_file(content, "application/zip", as_attachment=True, download_name="mended-borders.zip")


def _chosen(proposals: Sequence[Proposal], ticked: Collection[str]) -> set[str]:
    """Ids of the ticked boxes; the box of a kind stands for all of it."""
    by_kind = {p.id for p in proposals if f"kind:{p.kind}" in ticked}
    chosen = by_kind | {one for one in ticked if not one.startswith("kind:")}
    if not chosen:
        raise GeoError("还没有选择修复建议,请至少勾选一条。")
    return chosen


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


def _page(
    error: str | None = None,
    *,
    report: Markup | None = None,
    repairs: Markup | None = None,
    token: UUID | None = None,
) -> str:
    return render_template(
        "borders/check.html",
        error=error,
        report=report,
        repairs=repairs,
        token=token,
        frames=tuple(Frame),
        levels=[(str(level), label) for level, label in LEVEL_LABELS.items()],
        typed=request.form,
    )


def _shelf() -> Path:
    return settings().instance_path / "borders"


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
    many = "" if boxes is not None else f"<p>建议超过 {_MOST} 条,请用命令 flask grid repair 选择。</p>"
    return Markup(many + proposals_fragment(features, proposals, ticked=boxes))  # noqa: S704 -- escaped in it
