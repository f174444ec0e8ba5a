"""What the phone keeps of the service itself: pages without anything personal, the service worker, the manifest.

A shell is the same for everybody, so that it may be kept; what is personal fills it from the phone's own store.
"""

import hashlib
import json
from pathlib import Path

from flask import Response, current_app, g, render_template, url_for
from flask.typing import ResponseReturnValue

from grid.errors import NotFound
from web.gate.access import public
from web.language.saying import said
from web.language.spoken import TAGS, language
from web.service.context import settings
from web.shown.consenting import NOTICE, NOTICE_VERSION
from web.shown.labels import static_address
from web.worker.blueprint import phone
from web.worker.bundles import BUNDLES, bundle_url
from web.worker.inspecting import RESULTS
from web.worker.reporting import MODES

TEMPLATES = {
    "today": "worker/home.html",
    "report": "worker/report.html",
    "verify": "worker/verify.html",
    "inspect": "worker/inspections.html",
}
KEPT = ("icon.svg", "photos.js")
KEPT_LATER = ("map.js", "vendor/leaflet/leaflet.js", "vendor/leaflet/leaflet.css", "vendor/htmx/htmx.min.js")


@phone.get("/worker/shell/<name>")
@public
def shell(name: str) -> ResponseReturnValue:
    """The page as everybody gets it."""
    if name not in TEMPLATES:
        raise NotFound("没有这个页面")
    response = Response(_drawn(name), mimetype="text/html")
    response.headers["Cache-Control"] = "no-cache"
    return response


@phone.get("/sw.js")
@public
def service_worker() -> ResponseReturnValue:
    """The service worker with the addresses that it keeps; a changed file changes it, and so renews the phone."""
    folder = Path(current_app.static_folder or "")
    together = {name: bundle_url(name) for name in BUNDLES}
    kept = [*together.values(), *(static_address(folder, name) for name in KEPT)]
    later = [static_address(folder, name) for name in KEPT_LATER]
    # Asked for without cookies, so the address says the language.
    lang = None if language() == "zh" else language()
    shells = {name: url_for("phone.shell", name=name, lang=lang) for name in TEMPLATES}
    content = [*kept, *later, *(_drawn(name) for name in TEMPLATES)]
    body = render_template(
        "worker/sw.js",
        version=hashlib.sha256("\n".join(content).encode()).hexdigest()[:16],
        kept=kept,
        sending=together["sending.js"],
        later=later,
        shells=shells,
    )
    response = Response(body, mimetype="text/javascript")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Service-Worker-Allowed"] = "/"
    return response


def _drawn(name: str) -> str:
    """A page with nobody signed in and nothing filled in."""
    g.actor = None
    return render_template(
        TEMPLATES[name],
        bare=True,
        typed={"mode": "report"},
        error=None,
        kept=(),
        parts=[],
        chips=[],
        classes=[],
        grids=[],
        modes=MODES,
        notice=NOTICE,
        notice_version=NOTICE_VERSION,
        reused=[],
        visits=[],
        results=RESULTS,
    )


@phone.get("/manifest.webmanifest")
@public
def manifest() -> ResponseReturnValue:
    """What a phone needs to put the page on its home screen."""
    body = {
        "name": f"{settings().city_name} {said('网格治理')}",
        "short_name": said("网格治理"),
        "lang": TAGS[language()],
        "start_url": "/worker/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#f6f8f8",
        "theme_color": "#0f5c66",
        "icons": [
            {"src": url_for("static", filename="icon.svg"), "sizes": "any", "type": "image/svg+xml"},
            *(
                {
                    "src": url_for("static", filename=f"phone/icon-{side}.png"),
                    "sizes": f"{side}x{side}",
                    "type": "image/png",
                }
                for side in (192, 512)
            ),
        ],
        "shortcuts": [{"name": said("拍照上报"), "url": "/worker/report"}],
    }
    return Response(json.dumps(body, ensure_ascii=False), mimetype="application/manifest+json")
