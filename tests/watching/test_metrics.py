"""The figures are right, parse, and are shown to this machine and the holder of the token alone."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from flask import Flask
from sqlmodel import select

from dispatch.record.models import OutboxRow, Timer
from dispatch.upkeep import verifying
from grid.models import StandingChange
from tests.town import Town

LINE = re.compile(r'^[a-z_]+(\{[a-z]+="[^"\n]*"(,[a-z]+="[^"\n]*")*\})? -?[0-9.e+-]+(nan|inf)?$')
ROOT = Path(__file__).parents[2]


def figures(app: Flask, **headers: str) -> dict[str, float]:
    answer = app.test_client().get("/metrics", headers=headers)
    assert answer.status_code == 200
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    assert all(LINE.match(line) for line in lines), [line for line in lines if not LINE.match(line)]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_figures_follow_what_happens(town: Town, app: Flask) -> None:
    assert figures(app)["grid_outbox_pending"] == 0
    town.worker.reports()
    with town.database.writing() as session:
        for row in session.exec(select(OutboxRow)):
            row.dead_at = town.now
            session.add(row)
        timer = session.exec(select(Timer)).first()
        assert timer is not None
        timer.due_at = town.now - timedelta(seconds=90)
        session.add(timer)
        session.add(StandingChange(id=timer.id, at=town.now, thing="clock", key="wall", action="jumped"))
    verifying.record(town.database, verifying.verify(town.database, town.world.settings), town.now)
    town.later(seconds=60)
    found = figures(app)
    assert found['grid_tickets_open{state="dispatched"}'] == 1
    assert found["grid_outbox_dead"] >= 1
    assert found["grid_outbox_pending"] == 0
    assert found["grid_timer_lag_seconds"] == 150
    assert found["grid_clock_jumps_total"] == 1
    assert found["grid_verified_age_seconds"] == 60
    assert found["grid_record_wrong"] == 1, "the town's photo is only a row"
    assert found['grid_disk_free_bytes{place="instance"}'] > 0


def test_latency_is_counted_by_rule(app: Flask) -> None:
    for path in ("/sign-in", "/sign-in", "/first/a-secret-token"):
        app.test_client().get(path)
    text = app.test_client().get("/metrics").text
    assert 'method="GET",endpoint="session.sign_in",status="2xx",le="+Inf"} 2' in text
    assert "secret" not in text


@pytest.mark.parametrize(
    ("headers", "address", "status"),
    [
        ({}, "127.0.0.1", 200),
        ({}, "::1", 200),
        ({}, "10.0.0.8", 403),
        ({"X-Forwarded-For": "127.0.0.1"}, "127.0.0.1", 403),
        ({"Authorization": "Bearer right-token"}, "10.0.0.8", 200),
        ({"Authorization": "Bearer wrong"}, "10.0.0.8", 403),
        ({"Authorization": "Bearer \u00e9"}, "10.0.0.8", 403),
    ],
)
def test_who_may_see_them(app: Flask, headers: dict[str, str], address: str, status: int) -> None:
    from dataclasses import replace

    app.extensions["settings"] = replace(app.extensions["settings"], metrics_token="right-token")
    answer = app.test_client().get("/metrics", headers=headers, environ_base={"REMOTE_ADDR": address})
    assert answer.status_code == status


def test_without_a_token_no_token_opens(app: Flask) -> None:
    for given in ("Bearer ", "Bearer None", ""):
        answer = app.test_client().get(
            "/metrics", headers={"Authorization": given}, environ_base={"REMOTE_ADDR": "10.0.0.8"}
        )
        assert answer.status_code == 403


def test_alerts_ask_only_for_figures_that_exist(app: Flask, town: Town) -> None:
    town.worker.reports()
    offered = set(re.findall(r"^# TYPE (\w+)", app.test_client().get("/metrics").text, flags=re.M))
    rules = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yml").read_text())
    alerts = [rule for group in rules["groups"] for rule in group["rules"]]
    asked = {name for rule in alerts for name in re.findall(r"\bgrid_\w+", rule["expr"])}
    assert {re.sub("_(bucket|count|sum)$", "", name) for name in asked} <= offered
    assert len(alerts) >= 10
    assert all(rule["annotations"]["cure"] for rule in alerts)
