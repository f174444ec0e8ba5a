"""What holds for every route there is: declared access, form tokens, headers, one shape of errors, no traceback."""

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from werkzeug.routing import Rule

from grid.errors import Unavailable
from tests.web.conftest import Program, Visitor
from web.errors import problem_of
from web.gate.access import access_of, permission_required
from web.session import local_path

PUBLIC = {
    "static",
    "openapi.spec",
    "health.healthz",
    "health.readyz",
    "watching.metrics",
    "session.sign_in",
    "api.sign_in",
    "resident.callback",
    "resident.answer",
    "resident.follow",
    "resident.hand_in",
    "resident.handed_in",
    "resident.look_up",
    "resident.photo",
    "resident.scan",
    "resident.act",
    "leads.hand_in",
    "leads.hand_in_page",
    "leads.progress",
    "links.first_administrator",
    "links.password",
    "look.change",
    "language.change",
    "scripts.script",
    "phone.manifest",
    "phone.service_worker",
    "phone.shell",
    "phone.together",
}
SAFE = {"GET", "HEAD", "OPTIONS"}


def changing(app: Flask) -> Iterator[tuple[Rule, str]]:
    """Every route that changes something, with an address for it."""
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        values = {name: "0" * 8 if name != "action" else "handle" for name in rule.arguments}
        for method in (rule.methods or set()) - SAFE:
            yield rule, adapter.build(rule.endpoint, values, method=method)


def test_every_route_declares_who_may(app: Flask) -> None:
    declared = {rule.endpoint: access_of(app, rule.endpoint) for rule in app.url_map.iter_rules()}
    assert [endpoint for endpoint, access in declared.items() if access is None] == []
    assert {endpoint for endpoint, access in declared.items() if access and access.public} == PUBLIC


def test_a_view_that_says_nothing_is_shut(app: Flask, visitor: Callable[[str], Visitor]) -> None:
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    answer = visitor("administrator").sees("/forgotten")
    assert (answer.status_code, "secret" in answer.text) == (403, False)


def test_without_the_permission_a_view_is_shut(app: Flask, visitor: Callable[[str], Visitor]) -> None:
    app.add_url_rule("/rules", "rules", permission_required("ticket:rule")(lambda: "rules"))
    assert visitor("worker").sees("/rules").status_code == 403
    assert visitor("dispatcher").sees("/rules").text == "rules"


def test_every_change_asks_for_the_form_token(app: Flask, visitor: Callable[[str], Visitor]) -> None:
    one, other = visitor("worker"), visitor("dispatcher")
    tried = 0
    for rule, path in changing(app):
        method = next(iter((rule.methods or set()) - SAFE))
        for token in (None, other.form_token, "无效令牌", "x" * 5000):
            headers = {"X-CSRFToken": token.encode().decode("latin-1")} if token else {}
            answer = one.client.open(path, method=method, headers=headers)
            assert answer.status_code == 403, (rule.rule, token)
            tried += 1
        answer = one.client.open(path, method=method, data={"csrf_token": "无效令牌"})
        assert answer.status_code == 403, rule.rule
    assert tried >= 20


def test_every_answer_carries_the_protecting_headers(app: Flask, visitor: Callable[[str], Visitor]) -> None:
    one = visitor("worker")
    for path in ("/", "/sign-in", "/no-post", "/nowhere", "/healthz", "/api/v1/tickets", "/static/grid.css"):
        headers = one.sees(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert path.startswith("/static/") or headers["Cache-Control"] == "no-store"


def test_why_the_database_failed_is_logged_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    problem = problem_of(Unavailable("数据库暂时不可用", cause="no such column: ticket.x"))
    assert (problem.status, problem.detail) == (503, "数据库暂时不可用")
    assert "no such column: ticket.x" in caplog.text


def test_an_unexpected_error_shows_no_traceback(app: Flask, visitor: Callable[[str], Visitor]) -> None:
    def broken() -> str:
        raise RuntimeError("postgresql://secret@host")

    app.add_url_rule("/api/v1/broken", "api.broken", permission_required("ticket:read")(broken))
    app.add_url_rule("/broken", "broken", permission_required("ticket:read")(broken))
    one = visitor("worker")
    page, problem = one.sees("/broken"), one.sees("/api/v1/broken")
    assert (page.status_code, problem.status_code) == (500, 500)
    assert problem.content_type == "application/problem+json"
    for answer in (page, problem):
        assert "secret" not in answer.text
        assert "Traceback" not in answer.text
        assert "编号" in answer.text


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 2000,
        b"[" * 100 + b"]" * 100,
        b'{"login": ' + b"9" * 5000 + b"}",
        b'{"login": "a", "login": "b"}',
        b'{"login": NaN}',
        b'{"login": "\\ud800"}',
        b'{"login": "\\u0000"}',
        b"\xff\xfe",
        b"{",
        b'{"login": 1e999}',
    ],
)
def test_hostile_json_is_refused_in_words(app: Flask, body: bytes) -> None:
    answer = app.test_client().post("/api/v1/session", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert answer.json["status"] == 400
    assert "请求内容" in answer.json["detail"]


def test_json_beyond_a_megabyte_is_too_large(app: Flask) -> None:
    body = b'{"login": "' + b"x" * (1024 * 1024) + b'"}'
    answer = app.test_client().post("/api/v1/session", data=body, content_type="application/json")
    assert (answer.status_code, answer.json["title"]) == (413, "内容过大")


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\n//evil.example",
        "\t//evil.example",
        "evil.example",
        "",
    ],
)
def test_signing_in_leads_nowhere_else(target: str) -> None:
    assert local_path(target) is None


def test_signing_in_leads_back_to_the_page_asked_for() -> None:
    assert local_path("/tickets/K3?x=1") == "/tickets/K3?x=1"


def test_the_session_changes_at_sign_in_and_dies_at_sign_out(
    app: Flask, visitor: Callable[[str], Visitor], program: Callable[[str], Program]
) -> None:
    one = visitor("worker")
    cookie = one.client.get_cookie("grid_session")
    assert cookie
    assert cookie.http_only
    again = one.posts("/sign-in", login="dispatcher", password="a sentence nobody guesses")
    assert again.status_code == 303
    renewed = one.client.get_cookie("grid_session")
    assert renewed
    assert renewed.value != cookie.value
    assert Program(app.test_client(), cookie.value).calls("GET", "/tickets").status_code == 401
    assert Program(app.test_client(), renewed.value).calls("GET", "/tickets").status_code == 200
    assert one.posts("/sign-out").status_code == 303
    assert Program(app.test_client(), renewed.value).calls("GET", "/tickets").status_code == 401


def test_the_openapi_document_names_every_api_route(app: Flask) -> None:
    document = app.test_client().get("/api/v1/openapi.json").json
    described = {
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method in methods
        if method != "parameters"
    }
    routes = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("api.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert described == routes
    assert document["components"]["schemas"]["ReportIn"]["additionalProperties"] is False
