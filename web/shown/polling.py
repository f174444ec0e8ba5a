"""Lists that ask again every few seconds: an unchanged one is answered 304, and nothing on the page moves."""

from flask import make_response, render_template, request
from flask.typing import ResponseReturnValue


def is_poll() -> bool:
    """Whether the page asks for its list alone."""
    return "HX-Request" in request.headers


def fresh(template: str, **values: object) -> ResponseReturnValue:
    """The list, unless the page already shows just this one."""
    response = make_response(render_template(template, **values))
    response.add_etag()
    return response.make_conditional(request)
