"""Scripts and styles of the phone's pages in one piece each: on a slow line every further file costs a round trip."""

import hashlib
from functools import cache
from pathlib import Path

from flask import Response, current_app, request, url_for
from flask.typing import ResponseReturnValue

from grid.errors import NotFound
from web.gate.access import public
from web.language.saying import book
from web.language.scripts import translated
from web.language.spoken import asked, language
from web.worker.blueprint import phone

BUNDLES = {
    # Shared with the service worker: nothing in it touches a page.
    "sending.js": ("phone/store.js", "phone/sending.js"),
    "phone.js": (
        "grid.js",
        "phone/desk.js",
        "phone/leaving.js",
        "phone/place.js",
        "phone/pictures.js",
        "phone/report.js",
        "phone/finding.js",
        "phone/camera.js",
        "phone/today.js",
        "phone/verify.js",
        "phone/inspect.js",
    ),
    "phone.css": ("vendor/pico/pico.min.css", "grid.css", "phone/phone.css"),
}
KINDS = {"js": "text/javascript", "css": "text/css"}


@phone.get("/static/together/<name>")
@public
def together(name: str) -> ResponseReturnValue:
    """The files of this bundle one after the other."""
    if name not in BUNDLES:
        raise NotFound("没有这个文件")
    text, version = _joined(name, asked() or "zh")
    response = Response(text, mimetype=KINDS[name.rpartition(".")[2]])
    is_of_now = request.args.get("v") == version
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if is_of_now else "no-cache"
    response.set_etag(version)
    return response.make_conditional(request)


@phone.app_context_processor
def names() -> dict[str, object]:
    """For the templates."""
    return {"bundle_url": bundle_url}


def bundle_url(name: str) -> str:
    """The address of a bundle, which changes with its content."""
    lang = None if language() == "zh" or not name.endswith(".js") else language()
    return url_for("phone.together", name=name, lang=lang, v=_joined(name, lang or "zh")[1])


def _joined(name: str, lang: str) -> tuple[str, str]:
    folder = Path(current_app.static_folder or "")
    files = [folder / part for part in BUNDLES[name]]
    return _read(tuple(files), tuple(file.stat().st_mtime_ns for file in files), lang)


@cache
def _read(files: tuple[Path, ...], _changed_ns: tuple[int, ...], lang: str) -> tuple[str, str]:
    text = "\n".join(file.read_text("utf-8") for file in files)
    words = book(lang)
    text = translated(text, words) if words else text
    return text, hashlib.sha256(text.encode()).hexdigest()[:12]
