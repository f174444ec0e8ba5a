"""Sending the same report again makes no second ticket, however often, however late, whatever reply was lost."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlmodel import func, select

from dispatch.record.models import OutboxRow, Ticket
from grid.database import Database
from tests.database.clients import a_report, open_application, sign_in
from tests.database.crowd import LONG
from tests.services import PostgresCluster
from tests.town import Town, found_town

PARALLEL = 20
KEYS = 500 if LONG else 6
LOST = 1000 if LONG else 3
LATE = 1000 if LONG else 2


def rows(app: Flask, table: type[Ticket] | type[OutboxRow]) -> int:
    database: Database = app.extensions["database"]
    with database.reading() as session:
        return session.exec(select(func.count()).select_from(table)).one()


def test_the_same_report_twenty_times_at_once(town_url: str, tmp_path: Path) -> None:
    app = open_application(town_url, tmp_path)
    headers, bodies = sign_in(app, "worker"), [a_report() for _ in range(KEYS)]

    def post(number: int) -> tuple[int, int, bytes]:
        key = number // PARALLEL
        answer = app.test_client().post("/api/v1/tickets", json=bodies[key], headers=headers)
        return key, answer.status_code, answer.data

    with ThreadPoolExecutor(PARALLEL) as pool:
        answers = list(pool.map(post, range(KEYS * PARALLEL)))
    assert Counter(status for _, status, _ in answers) == {201: KEYS * PARALLEL}
    assert len({(key, data) for key, _, data in answers}) == KEYS, "the same key had two answers"
    assert rows(app, Ticket) == KEYS
    effects = rows(app, OutboxRow)
    assert effects % KEYS == 0, "a repeated report had effects"
    other = app.test_client().post("/api/v1/tickets", json={**bodies[0], "text": "别的"}, headers=headers)
    assert (other.status_code, rows(app, Ticket), rows(app, OutboxRow)) == (422, KEYS, effects)
    app.extensions["database"].dispose()


def test_a_lost_reply_is_given_again_in_the_same_bytes_even_much_later(
    town: Town, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers, photo = sign_in(app, "worker"), town.photo()
    bodies = [a_report(photos=[photo]) for _ in range(LATE)]
    lost = [app.test_client().post("/api/v1/tickets", json=body, headers=headers) for body in bodies]
    town.department.acts(lost[0].json["code"], "start")
    for days in (0, 7, 400):
        town.now += timedelta(days=days)
        headers = sign_in(app, "worker")
        for body, first in zip(bodies, lost, strict=True):
            again = app.test_client().post("/api/v1/tickets", json=body, headers=headers)
            assert (again.status_code, again.data) == (201, first.data)
    assert rows(app, Ticket) == LATE


def test_nothing_is_remembered_of_a_report_that_was_refused(town: Town, app: Flask) -> None:
    headers, body = sign_in(app, "worker"), a_report(photos=[])
    refused = app.test_client().post("/api/v1/tickets", json=body, headers=headers)
    assert (refused.status_code, rows(app, Ticket)) == (422, 0)
    body["photos"] = [town.photo()]
    accepted = app.test_client().post("/api/v1/tickets", json=body, headers=headers)
    assert (accepted.status_code, rows(app, Ticket)) == (201, 1)


@pytest.mark.slow
def test_a_reply_lost_by_a_killed_connection_is_found_by_the_next_try(
    postgres: PostgresCluster, tmp_path: Path
) -> None:
    """The commit arrives, the acknowledgement does not: the transaction is run again and finds its own result."""
    from sqlalchemy import event, text

    name = postgres.new_database()
    found_town(postgres.url(name), tmp_path)
    app = open_application(postgres.url(name), tmp_path)
    headers = sign_in(app, "worker")
    database: Database = app.extensions["database"]
    lost: list[int] = []
    loses = [True]

    @event.listens_for(database.engine, "commit")
    def lose_the_reply(connection) -> None:  # type: ignore[no-untyped-def]
        if connection.get_execution_options().get("grid_write") and loses:
            lost.append(loses.pop())
            connection.connection.driver_connection.commit()
            connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")

    for number in range(1, LOST + 1):
        loses[:] = [True]
        answer = app.test_client().post("/api/v1/tickets", json=a_report(), headers=headers)
        assert (answer.status_code, rows(app, Ticket), len(lost)) == (201, number, number)
    with database.reading() as session:
        assert session.execute(text("SELECT count(*) FROM client_key")).scalar_one() == LOST
    database.dispose()
    postgres.drop_database(name)
