"""What is bad is named where an operator looks, with its cure; the rest goes on, and nothing spins."""

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import click
import pytest
import redis
from flask import Flask
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import text
from sqlmodel import col, select
from uuid6 import uuid7

from dispatch.engine import jobs, outbox
from dispatch.engine.health import job_times
from dispatch.engine.outbox import EFFECT_ATTEMPTS
from dispatch.engine.parts.redis_server import RedisServer
from dispatch.engine.sending.delivering import SEND_ATTEMPTS
from dispatch.engine.timers import ATTEMPTS, dead_timers
from dispatch.record.models import OutboxRow, Timer
from grid.errors import SettingsError
from grid.settings import load_settings
from tests.engine.conftest import EngineRoom
from tests.services import missing
from tests.town import DISTRICT, SANITATION
from tests.web.conftest import Visitor
from web.cli.preparing import prepare, read_settings


@pytest.fixture
def read_only_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m,ro", "tmpfs", folder]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode != 0:
        missing("leave to mount a disk", "run as root where mounting is allowed")
    yield folder
    subprocess.run(["umount", folder], check=True)


def carry_out_until_given_up(room: EngineRoom) -> None:
    for _ in range(max(EFFECT_ATTEMPTS, ATTEMPTS)):
        room.drain()
        room.fire()
        room.town.later(hours=1)


@pytest.mark.parametrize(
    "payload",
    [None, {}, {"happening": 7, "event_id": "nonsense"}, {"happening": "dispatched", "event_id": 7}],
)
def test_a_corrupt_payload_is_given_up_and_the_others_arrive(
    room: EngineRoom, payload: dict[str, object] | None
) -> None:
    code = room.town.worker.reports().code
    with room.town.database.reading() as session:
        ticket_id = session.exec(select(OutboxRow.ticket_id)).one()
    bad = [
        room.put("notify", payload=payload, ticket_id=uuid7()),
        room.put("ask_reporter", payload=payload, ticket_id=ticket_id),
    ]
    carry_out_until_given_up(room)
    assert any(code in notice.text for notice in room.notices(organisation_code=SANITATION))
    assert {room.row(id_).dead_at is None for id_ in bad} == {False}


def test_a_payload_that_is_no_json_is_given_up_and_named(
    room: EngineRoom, visitor: Callable[[str], Visitor]
) -> None:
    code = room.reported_on_behalf()
    with room.town.database.reading() as session:
        ticket_id = session.exec(select(OutboxRow.ticket_id)).first()
    bad = [
        room.put("notify", ticket_id=ticket_id),
        room.put("send", ticket_id=ticket_id, destination="sms"),
    ]
    with room.town.database.writing() as session:
        session.execute(text("UPDATE outbox SET payload = '{half' WHERE payload IS NULL"))
    for _ in range(SEND_ATTEMPTS):
        room.drain()
        room.send_all()
        room.town.later(hours=1)
    room.send_all()
    assert [message.ticket_code for message in room.gateway.taken] == [code]
    with room.town.database.reading() as session:
        assert {row.id: row.last_error for row in outbox.dead_letters(session)} == dict.fromkeys(
            bad, "JSONDecodeError"
        )
    assert "JSONDecodeError" in visitor("administrator").sees("/admin/operations").text


def test_work_of_a_deleted_version_is_named_with_its_cure(
    room: EngineRoom, visitor: Callable[[str], Visitor]
) -> None:
    room.put("thing_of_last_year")
    ticket = room.town.worker.reports()
    with room.town.database.writing() as session:
        row = session.exec(select(Timer).where(col(Timer.ticket_id).is_not(None))).first()
        assert row is not None
        session.add(
            Timer(
                intake_district=DISTRICT,
                id=uuid7(),
                ticket_id=row.ticket_id,
                kind="clock_of_last_year",
                key="x",
                due_at=room.town.now,
            )
        )
    carry_out_until_given_up(room)
    with room.town.database.reading() as session:
        assert [timer.kind for timer in dead_timers(session)] == ["clock_of_last_year"]
    page = visitor("administrator").sees("/admin/operations").text
    for named in (
        "没有名为 thing_of_last_year 的执行",
        "没有名为 clock_of_last_year 的计时",
        "请更新程序后重新执行",
    ):
        assert named in page
    assert room.town.ticket(ticket.code).code == ticket.code


def test_foreign_jobs_in_redis_are_counted_and_named(
    app: Flask, visitor: Callable[[str], Visitor], redis_url: str
) -> None:
    its = app.extensions["settings"] = replace(app.extensions["settings"], redis_url=redis_url)
    admin = visitor("administrator")
    assert "不属于本系统的任务" not in admin.sees("/admin/operations").text
    with redis.Redis.from_url(redis_url) as client:
        Queue(jobs.WAKE, connection=client, serializer=JSONSerializer).enqueue("job_of_last_year", 7)
        worker = jobs._worker(its, jobs.threading.Event())
        worker.work(burst=True, logging_level="CRITICAL")
    assert job_times.refused(its) == 1
    assert "有 1 个不属于本系统的任务" in admin.sees("/admin/operations").text


def test_a_redis_that_wants_a_password_is_named_on_the_page(
    app: Flask, visitor: Callable[[str], Visitor], redis_server: RedisServer, redis_url: str
) -> None:
    app.extensions["settings"] = replace(app.extensions["settings"], redis_url=redis_url)
    admin = visitor("administrator")
    with redis.Redis.from_url(redis_url) as client:
        client.config_set("requirepass", "secret")
        try:
            page = admin.sees("/admin/operations").text
        finally:
            client.config_set("requirepass", "")
    assert "Redis 要密码" in page
    assert "REDIS_URL" in page


@pytest.mark.parametrize(
    "url",
    ["mysql://db/grid", "postgresql://grid:p@ss:word@db/grid", "postgresql://grid@db:port/grid", "nonsense"],
)
def test_a_wrong_database_url_is_named_at_start_without_its_password(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL") as refused:
        load_settings(tmp_path, {"DATABASE_URL": url})
    assert "word" not in refused.value.message


def test_a_read_only_disk_is_named_at_start(
    tmp_path: Path, read_only_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRID_INSTANCE_PATH", str(read_only_disk))
    with pytest.raises(click.ClickException, match="GRID_INSTANCE_PATH"):
        read_settings()
    monkeypatch.setenv("GRID_INSTANCE_PATH", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{read_only_disk}/grid.sqlite3")
    with pytest.raises(click.ClickException, match="磁盘是否可写"):
        prepare(read_settings())
