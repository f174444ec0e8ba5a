"""The border check as a page: files in, findings with a map and repair proposals out; nothing is imported."""

import tempfile
from pathlib import Path

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from werkzeug.datastructures import FileStorage

from geo.borders import LEVEL_LABELS, AreaShape
from geo.errors import GeoError
from geo.frames import Frame
from geo.reading import BorderFile, read_borders
from geo.review.checking import check_borders
from geo.review.page import proposals_fragment, report_fragment
from geo.review.repairing import Proposal, propose
from web.gate.access import permission_required

blueprint = Blueprint("borders", __name__, url_prefix="/borders")

CHANGE = "standing:change"


@blueprint.route("/", methods=["GET", "POST"])
@permission_required(CHANGE)
def check() -> ResponseReturnValue:
    """Check one set of border files."""
    if request.method == "GET":
        return _page()
    try:
        with tempfile.TemporaryDirectory() as folder:
            files = [
                _read(upload, Path(folder)) for upload in request.files.getlist("files") if upload.filename
            ]
        if not files:
            return _page("请选择边界文件(GeoJSON、GeoPackage、Shapefile 压缩包或 KML)。"), 422
        with tempfile.TemporaryDirectory() as folder:
            former = [
                a
                for one in request.files.getlist("former")
                if one.filename
                for a in _areas(one, Path(folder))
            ]
        report = check_borders(files, former=former)
    except GeoError as error:
        return _page(str(error)), 422
    # The fragments escape what came from the files and hold neither script nor style.
    fragment = Markup(report_fragment(report) + proposals_fragment(_proposals(files)))  # noqa: S704
    return _page(report=fragment)


def _page(error: str | None = None, report: Markup | None = None) -> str:
    return render_template(
        "borders/check.html",
        error=error,
        report=report,
        frames=tuple(Frame),
        levels=[(str(level), label) for level, label in LEVEL_LABELS.items()],
        typed=request.form,
    )


def _read(upload: FileStorage, folder: Path) -> BorderFile:
    """One upload, kept only while it is read, under a name that cannot lead elsewhere."""
    given = Path(upload.filename or "file")
    stem = "".join(sign for sign in given.stem if sign.isalnum() or sign in "-_")[:80]
    path = folder / f"{stem or 'file'}{given.suffix.lower()[:8]}"
    upload.save(path)
    epsg = request.form.get("epsg", "").strip()
    return read_borders(
        path,
        frame=epsg or request.form.get("frame") or None,
        level=request.form.get("level") or None,
        encoding=request.form.get("encoding") or None,
        swapped="swapped" in request.form,
    )


def _areas(upload: FileStorage, folder: Path) -> list[AreaShape]:
    return _read(upload, folder).areas()


def _proposals(files: list[BorderFile]) -> list[Proposal]:
    """Proposals where they can be worked out; a set too broken for that is described by the findings."""
    try:
        return propose([feature for file in files for feature in file.features])
    except GeoError:
        return []
