"""Every line of the log parses, carries what it belongs to, and holds nobody's particulars."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from grid import logs
from grid.errors import Unavailable
from tests.town import Town
from tests.web.conftest import PASSWORD, Program, Visitor

CANARY = "13800009999"


@pytest.fixture
def written() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    root = logging.getLogger()
    before, level, stream = list(root.handlers), root.level, io.StringIO()
    logs.set_up(stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = before
    root.setLevel(level)
    logs.unbind()


def test_a_message_cannot_make_a_second_line(written: Callable[[], list[dict[str, Any]]]) -> None:
    hostile = 'boss\n{"at":"2026","level":"info","message":"login ok"}\r\u2028\x1b[31m'
    logging.getLogger("x").warning("signed in %s", hostile)
    (line,) = written()
    assert "login ok" in line["message"]
    assert line["level"] == "warning"


def test_an_error_is_told_without_its_words(written: Callable[[], list[dict[str, Any]]]) -> None:
    try:
        try:
            raise ValueError(f"赵大爷 {CANARY}")
        except ValueError as error:
            raise Unavailable("数据库暂时不可用") from error
    except Unavailable:
        logging.getLogger("x").exception("failed for %s", CANARY)
    (line,) = written()
    assert (line["error"]["kind"], line["error"]["words"]) == ("Unavailable", "数据库暂时不可用")
    assert line["error"]["cause"]["kind"] == "ValueError"
    assert "test_logs.py" in line["error"]["places"][0]
    assert "赵大爷" not in json.dumps(line, ensure_ascii=False)
    assert CANARY not in json.dumps(line)


def test_requests_are_told_with_id_and_ticket_and_nobodys_particulars(
    town: Town,
    app: Flask,
    visitor: Callable[[str], Visitor],
    program: Callable[[str], Program],
    written: Callable[[], list[dict[str, Any]]],
) -> None:
    code = town.worker.reports(text=f"电话 {CANARY}", reporter_name="赵大爷", reporter_phone=CANARY).code
    answer = program("department").calls("GET", f"/tickets/{code}")
    worker = visitor("worker")
    worker.sees(f"/tickets/{code}?note={CANARY}")
    worker.posts("/sign-in", login=CANARY, password="wrong")
    app.test_client().get(f"/first/secret-{CANARY}")
    lines = written()
    of_ticket = [line for line in lines if line.get("ticket") == code]
    assert answer.headers["X-Request-Id"] in {line["request"] for line in of_ticket}
    assert all(line["request"] for line in lines if line["logger"] == "web.request")
    whole = json.dumps(lines, ensure_ascii=False)
    for secret in (CANARY, "赵大爷", PASSWORD, "secret-"):
        assert secret not in whole


def test_a_fault_in_a_statement_keeps_its_values_to_itself(
    town: Town, written: Callable[[], list[dict[str, Any]]]
) -> None:
    statement = text("INSERT INTO stored_photo (sha256) VALUES (:a)")
    with pytest.raises(IntegrityError) as caught:
        town.database.write(lambda session: session.execute(statement, {"a": CANARY}))
    assert "parameters hidden" in str(caught.value)
    logging.getLogger("x").error("failed", exc_info=caught.value)
    (line,) = written()
    assert line["error"]["kind"] == "IntegrityError"
    assert CANARY not in json.dumps(line)
