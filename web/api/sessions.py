"""Signing in for programs: a token instead of a cookie."""

from flask import request
from flask.typing import ResponseReturnValue

from grid import accounts
from web.api.answers import TokenOut
from web.api.blueprint import blueprint
from web.forms import SignInForm
from web.gate.access import public, signed_in
from web.service.context import database, now, settings
from web.session import bearer_token


@blueprint.post("/session")
@public
@blueprint.input(SignInForm, arg_name="form")
@blueprint.output(TokenOut, status_code=201)
@blueprint.doc(summary="Sign in; the token goes into the Authorization header", responses=[401, 422, 429])
def sign_in(form: SignInForm) -> ResponseReturnValue:
    token, account = accounts.sign_in(
        database(),
        settings(),
        login=form.login,
        password=form.password,
        address=request.remote_addr or "",
        now=now(),
    )
    answer = TokenOut(token=token, name=account.name, duty_class=str(account.duty_class))
    return answer, 201  # type: ignore[return-value]


@blueprint.delete("/session")
@signed_in
@blueprint.output({}, status_code=204)
def sign_out() -> ResponseReturnValue:
    token = bearer_token() or ""
    database().write(lambda session: accounts.sign_out(session, token, now()))
    return "", 204
