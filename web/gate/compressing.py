"""Gzip for files, kept pages, and two pages that a phone opens early.

Elsewhere a page with a form token stays as it is: where somebody else's words stand beside a secret, the length of the
compressed page tells of the secret (BREACH). The pages named here show nobody's words; the list of the day does, and
goes out compressed only as values, where no form token is.
"""

import gzip
from functools import lru_cache

from flask import Flask, Response, request
from flask.typing import ResponseReturnValue

SHARED = frozenset(
    {"static", "scripts.script", "phone.together", "phone.shell", "phone.service_worker", "phone.manifest"}
)
WITHOUT_WORDS = frozenset({"worker.report", "session.sign_in"})
WITHOUT_TOKEN = frozenset({"worker.desk"})
OPEN = SHARED | WITHOUT_WORDS | WITHOUT_TOKEN
KINDS = ("text/", "application/javascript", "application/json", "application/manifest+json", "image/svg+xml")
LEAST_BYTES = 600


def register(app: Flask) -> None:
    """Compress the answers of these addresses for browsers that can read it."""

    @app.after_request
    def compress(response: Response) -> ResponseReturnValue:
        fits = (
            request.endpoint in OPEN
            and request.method == "GET"
            and (request.endpoint in SHARED or not request.args)
            and response.status_code == 200
            and request.accept_encodings.quality("gzip") > 0
            and (response.mimetype or "").startswith(KINDS)
            and "Content-Encoding" not in response.headers
            and "Content-Range" not in response.headers
        )
        if not fits or not isinstance(response, Response):
            return response
        response.direct_passthrough = False
        plain = response.get_data()
        if len(plain) < LEAST_BYTES:
            return response
        response.set_data(_kept(plain) if request.endpoint in SHARED else _gzip(plain))
        response.headers["Content-Encoding"] = "gzip"
        response.vary.add("Accept-Encoding")
        etag, _ = response.get_etag()
        if etag:
            response.set_etag(etag, weak=True)
        return response


def _gzip(body: bytes) -> bytes:
    return gzip.compress(body, 6, mtime=0)


@lru_cache(maxsize=256)
def _kept(body: bytes) -> bytes:
    return gzip.compress(body, 9, mtime=0)
