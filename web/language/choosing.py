"""Switching the language, and telling Flask-Babel and the templates which one a request has."""

from flask import Blueprint, Flask, Response, g, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import Babel
from sqlmodel import Session

from grid.accounts import people
from grid.settings import Settings
from web.gate.access import public
from web.language.spoken import COOKIE, LOCALES, NAMES, TAGS, asked, language
from web.service.context import database
from web.service.look import YEAR_S, page_before

blueprint = Blueprint("language", __name__)


@blueprint.post("/language")
@public
def change() -> ResponseReturnValue:
    """Switch, for this browser and for the account of whoever is signed in, and go back to the page."""
    wanted = request.form.get("lang")
    if wanted in LOCALES:
        g.language = wanted
        account = g.get("account")
        if account is not None and account.language != wanted:
            key = account.id

            def work(session: Session) -> None:
                people.choose_language(session, key, wanted)

            database().write(work)
    return redirect(page_before() or "/", 303)


def register(app: Flask, its: Settings) -> None:
    """Let Flask-Babel and the templates know the language; remember one that was asked for."""
    app.config.update(
        BABEL_DEFAULT_LOCALE=LOCALES["zh"],
        BABEL_DEFAULT_TIMEZONE=its.timezone,
        BABEL_TRANSLATION_DIRECTORIES="web/translations",
    )
    Babel(app, locale_selector=lambda: LOCALES[language()])
    app.register_blueprint(blueprint)

    @app.before_request
    def take_out() -> None:
        asked()

    @app.context_processor
    def everywhere() -> dict[str, object]:
        chosen = language()
        return {"language": chosen, "language_tag": TAGS[chosen], "languages": NAMES}

    @app.after_request
    def remember(response: Response) -> Response:
        wished = asked() is not None and request.endpoint != "phone.shell"
        if (wished or request.endpoint == "language.change") and request.cookies.get(COOKIE) != language():
            response.set_cookie(COOKIE, language(), max_age=YEAR_S, samesite="Lax", secure=its.secure_cookies)
        return response
