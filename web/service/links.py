"""Single-use links: the first administrator of a new installation, and a password of one's own."""

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from grid import accounts
from grid.accounts.links import FIRST_ADMINISTRATOR, PASSWORD
from grid.errors import GridError
from web.errors import problem_of
from web.forms import FirstAdministratorForm, PasswordForm, read_form
from web.gate.access import public
from web.service.context import database, now

blueprint = Blueprint("links", __name__)


@blueprint.route("/first/<token>", methods=["GET", "POST"])
@public
def first_administrator(token: str) -> ResponseReturnValue:
    """Whoever started a new installation makes the first account."""

    def use() -> None:
        form = read_form(FirstAdministratorForm, request.form)
        database().write(
            lambda session: accounts.create_first_administrator(
                session, token, login=form.login, name=form.name, password=form.password, now=now()
            )
        )

    return _page(token, FIRST_ADMINISTRATOR, use)


@blueprint.route("/password/<token>", methods=["GET", "POST"])
@public
def password(token: str) -> ResponseReturnValue:
    """The owner of an account sets its password; nobody else ever knows it."""

    def use() -> None:
        form = read_form(PasswordForm, request.form)
        database().write(lambda session: accounts.use_password_link(session, token, form.password, now()))

    return _page(token, PASSWORD, use)


def _page(token: str, purpose: str, use: Callable[[], None]) -> ResponseReturnValue:
    """Show the form on GET, which changes nothing; use the link on POST."""
    if request.method == "GET":
        with database().reading() as session:
            accounts.read_link(session, token, purpose, now())
        return _form(purpose)
    try:
        use()
    except GridError as error:
        return _form(purpose, error)
    flash("密码已设置，请登录。", "success")
    return redirect(url_for("session.sign_in"), 303)


def _form(purpose: str, error: GridError | None = None) -> ResponseReturnValue:
    page = render_template("session/link.html", purpose=purpose, error=error, typed=request.form)
    return page, problem_of(error).status if error else 200
