"""One table from the kinds of errors to HTTP, and one shape each for pages and for programs."""

import logging
import uuid
from dataclasses import dataclass, field
from typing import Any

from apiflask.exceptions import HTTPError
from flask import Flask, Response, current_app, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from grid.errors import Conflict, Gone, GridError, InputError, NotAllowed, NotFound, TooMany, Unavailable
from web.gate.access import SignInNeeded
from web.gate.bodies import Malformed
from web.language.saying import said
from web.sentences import field_sentences

log = logging.getLogger(__name__)

RETRY_AFTER_S = 5


# The first kind that fits decides: narrower kinds stand before wider ones.
STATUS_OF_KIND: tuple[tuple[type[GridError], int], ...] = (
    (SignInNeeded, 401),
    (NotAllowed, 403),
    (NotFound, 404),
    (Conflict, 409),
    (Gone, 410),
    (Malformed, 400),
    (InputError, 422),
    (TooMany, 429),
    (Unavailable, 503),
    (GridError, 500),
)

SENTENCES: dict[int, tuple[str, str]] = {
    400: ("请求有误", "请求的内容无法识别,请返回上一页重试"),
    401: ("请先登录", "登录后继续"),
    403: ("没有权限", "您的岗位没有这项权限"),
    404: ("没有找到", "没有这个页面,或它不在您的职责范围内"),
    405: ("方法不对", "这个地址不接受这种请求"),
    406: ("格式不支持", "没有您要的格式"),
    409: ("内容已变化", "内容已被他人更新,请核对后重试"),
    410: ("链接已失效", "这个链接已过期或已使用"),
    413: ("内容过大", "上传的内容过大,请缩小后重试"),
    415: ("格式不支持", "这种格式不能接收,请按说明提交"),
    422: ("填写有误", "请按提示修改后重新提交"),
    429: ("请求过于频繁", "请稍等一会儿再试"),
    500: ("系统出错了", "不是您的问题;已记录,请稍后再试"),
    503: ("暂时不可用", "请稍后用同一内容重试(不会重复登记)"),
}


@dataclass(frozen=True)
class Problem:
    """What went wrong, before it is shown to a person or a program."""

    status: int
    detail: str
    fields: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    reference: str | None = None

    @property
    def title(self) -> str:
        return SENTENCES.get(self.status, SENTENCES[500])[0]


def wants_json() -> bool:
    """Whether a program asks: the API, or somebody who prefers JSON to pages."""
    if request.path.startswith("/api/"):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "application/json"


def problem_of(error: Exception) -> Problem:
    """The table at work."""
    if isinstance(error, GridError):
        status = next(status for kind, status in STATUS_OF_KIND if isinstance(error, kind))
        wait = error.details.get("retry_after_s", RETRY_AFTER_S)
        headers = {"Retry-After": str(wait)} if status in (429, 503) else {}
        fields = error.fields if isinstance(error, InputError) else {}
        if status == 503:
            # Whoever asks is told to try again; why it failed is for whoever runs the service.
            log.warning("unavailable: %s", error.details.get("cause", error.message))
        return Problem(status, error.message, fields, headers)
    cause = error if isinstance(error, ValidationError) else error.__cause__
    if isinstance(cause, ValidationError):
        return Problem(422, SENTENCES[422][1], field_sentences(cause))
    code = getattr(error, "code", None) or getattr(error, "status_code", None)
    if isinstance(error, HTTPException) or (isinstance(code, int) and code < 500):
        status = code or 500
        return Problem(status, SENTENCES.get(status, SENTENCES[400 if status < 500 else 500])[1])
    reference = uuid.uuid4().hex[:8]
    log.error("unexpected error %s", reference, exc_info=error)
    return Problem(500, f"{SENTENCES[500][1]}(编号 {reference})", reference=reference)


def answer(problem: Problem) -> Response:
    """The problem as problem+json, as a fragment for htmx, or as a page."""
    if wants_json():
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": said(problem.title),
            "status": problem.status,
            "detail": said(problem.detail),
        }
        if problem.fields:
            body["errors"] = {name: said(sentence) for name, sentence in problem.fields.items()}
        response = make_response(current_app.json.dumps(body), problem.status)
        response.mimetype = "application/problem+json"
    else:
        template = "parts/problem.html" if "HX-Request" in request.headers else "problem.html"
        response = make_response(render_template(template, problem=problem), problem.status)
    response.headers.extend(problem.headers)
    return response


def register(app: Flask) -> None:
    """Answer every error from the table; no traceback ever leaves."""

    @app.errorhandler(HTTPError)  # APIFlask has a handler of its own for these
    @app.errorhandler(Exception)
    def handle(error: Exception) -> ResponseReturnValue:
        if isinstance(error, HTTPException) and error.code is not None and error.code < 400:
            return error
        if isinstance(error, SignInNeeded) and not wants_json():
            following = request.full_path.rstrip("?") if request.method == "GET" else None
            return redirect(url_for("session.sign_in", next=following), 303)
        response = answer(problem_of(error))
        if isinstance(error, HTTPException):
            for name, value in error.get_headers():
                if name in ("Allow", "Retry-After"):
                    response.headers[name] = value
        return response
