"""Signing in and out, and who acts in this request; sessions live in the database and can be revoked."""

from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Flask,
    current_app,
    g,
    redirect,
    render_template,
    request,
    url_for,
)
from flask import session as browser_session
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError, CSRFProtect

from grid import accounts
from grid.errors import GridError, NotAllowed
from grid.settings import Settings
from web.errors import problem_of
from web.forms import SignInForm, read_form
from web.gate.access import current_actor, public, signed_in
from web.service.context import database, now, settings
from web.shown.navigation import home_of

COOKIE = "grid_session"
BEARER = "Bearer "
# The same whoever asks: no session is looked up for these.
NOBODYS = (
    "static",
    "phone.together",
    "scripts.script",
    "health.healthz",
    "health.readyz",
    "watching.metrics",
)

blueprint = Blueprint("session", __name__)
csrf = CSRFProtect()


def register(app: Flask, its: Settings) -> None:
    """Set the cookies' properties and find the actor before every request."""
    app.config.update(
        SECRET_KEY=its.secret_key,
        SESSION_COOKIE_NAME="grid_form",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=its.secure_cookies,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=its.secure_cookies,
    )
    csrf.init_app(app)
    app.before_request(find_actor)
    app.before_request(check_forgery)
    app.register_blueprint(blueprint)


def find_actor() -> None:
    """Put the actor of this request's token, if any, into `g`."""
    if request.endpoint in NOBODYS:
        return
    token = bearer_token() or request.cookies.get(COOKIE)
    if not token:
        return
    visit = accounts.visit_of(database(), settings(), token, now())
    if visit is not None:
        g.account, g.actor = visit.account, visit.actor


def bearer_token() -> str | None:
    """The token that a program sends in its header; a browser never sends one by itself."""
    header = request.headers.get("Authorization", "")
    return header.removeprefix(BEARER).strip() if header.startswith(BEARER) else None


def check_forgery() -> None:
    """Every change needs the form's token, except from programs that bring their own key instead of a cookie."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    by_program = request.path.startswith("/api/") and (bearer_token() or COOKIE not in request.cookies)
    if by_program:
        return
    try:
        csrf.protect()
    except (CSRFError, TypeError):  # TypeError: a token that is not ASCII
        raise NotAllowed("页面停留过久或不是从本系统打开的,请刷新页面后再提交") from None


@blueprint.get("/")
@signed_in
def home() -> ResponseReturnValue:
    """Lead everybody to the first page of their menu."""
    return redirect(home_of(current_actor()))


@blueprint.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> ResponseReturnValue:
    following = local_path(request.values.get("next"))
    if request.method == "GET":
        return redirect(following or home_of(g.actor)) if g.get("actor") else _form(following)
    try:
        form = read_form(SignInForm, request.form)
        token, account = accounts.sign_in(
            database(),
            settings(),
            login=form.login,
            password=form.password,
            address=request.remote_addr or "",
            now=now(),
            replacing=request.cookies.get(COOKIE),
        )
    except GridError as error:
        return _form(following, error)
    browser_session.clear()
    response = redirect(following or url_for("session.home"), 303)
    response.set_cookie(
        COOKIE,
        token,
        # A phone kills its browser at will: the session ends by its own limits, not with the process.
        max_age=settings().session_limit_hours * 3600,
        httponly=True,
        samesite="Lax",
        secure=settings().secure_cookies,
        path="/",
    )
    current_app.logger.info("signed in %s", account.id)
    return response


@blueprint.post("/sign-out")
@signed_in
def sign_out() -> ResponseReturnValue:
    token = request.cookies.get(COOKIE, "")
    database().write(lambda session: accounts.sign_out(session, token, now()))
    browser_session.clear()
    response = redirect(url_for("session.sign_in"), 303)
    response.delete_cookie(COOKIE, path="/")
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


@blueprint.get("/no-post")
@signed_in
def no_post() -> ResponseReturnValue:
    return render_template("session/no_post.html")


def _form(following: str | None, error: GridError | None = None) -> ResponseReturnValue:
    page = render_template(
        "session/sign_in.html", following=following, error=error, login=request.form.get("login", "")
    )
    return page, problem_of(error).status if error else 200


def local_path(target: str | None) -> str | None:
    """The target when it is a path of this site, else None: a sign-in never leads elsewhere."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return None
    if any(ord(character) < 32 or character == "\\" for character in target):
        return None
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc else None
