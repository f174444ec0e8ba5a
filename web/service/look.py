"""Large type and high contrast: two switches that the browser remembers, for everybody, signed in or not."""

from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue

from web.gate.access import public
from web.service.context import settings
from web.session import local_path

blueprint = Blueprint("look", __name__)

COOKIE = "look"
PARTS = ("large", "contrast")
YEAR_S = 365 * 24 * 3600


def look_of() -> list[str]:
    """The switches that are on."""
    chosen = request.cookies.get(COOKIE, "").split(".")
    return [part for part in PARTS if part in chosen]


@blueprint.post("/look")
@public
def change() -> ResponseReturnValue:
    """Turn one switch and go back to the page.

    A page kept on the phone has no form token: its script turns the switch without asking the server.
    """
    chosen = set(look_of()) ^ ({request.form.get("part", "")} & set(PARTS))
    response = redirect(page_before() or "/", 303)
    # Read by the pages that the phone keeps, which no server sees: not hidden from scripts, and no secret.
    response.set_cookie(
        COOKIE, ".".join(sorted(chosen)), max_age=YEAR_S, samesite="Lax", secure=settings().secure_cookies
    )
    return response


def page_before() -> str | None:
    """The page of this site that the browser comes from; a language asked for in its address is not asked for again."""
    before = urlsplit(request.referrer or "")
    query = urlencode([(name, value) for name, value in parse_qsl(before.query) if name != "lang"])
    path = f"{before.path}?{query}" if query else before.path
    return local_path(path) if before.netloc == request.host else None
