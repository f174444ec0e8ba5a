"""`flask dispatch …` on a town with a ticket: tells the story, finds what was touched, takes in a notice."""

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete
from sqlmodel import col, select

from dispatch.insight.rollups.cubes import cube_for
from dispatch.record.models import TicketEvent
from tests.town import COVER, GARBAGE, Town
from tests.walking import calls


@pytest.fixture
def code(town: Town) -> str:
    made = calls(town)
    town.department.acts(
        made, "object", reason_code="function", organisation="street-office", basis="权责清单"
    )
    return made


def test_explain_tells_every_step_with_its_reason_and_every_day(town: Town, app: Flask, code: str) -> None:
    said = app.test_cli_runner().invoke(args=["dispatch", "explain", code])
    assert said.exit_code == 0
    for words in ("派单异议待审", "区环卫局", "r-city", "诉求总时限", "3 月 3 日周二上班(推算),计入", "到期"):
        assert words in said.output
    assert "13800009999" not in said.output
    assert app.test_cli_runner().invoke(args=["dispatch", "explain", "26C-00000-0"]).exit_code == 1


def test_audit_finds_an_edited_line(town: Town, app: Flask, code: str) -> None:
    assert app.test_cli_runner().invoke(args=["dispatch", "audit"]).exit_code == 0
    with town.database.writing() as session:
        event = session.exec(select(TicketEvent).where(col(TicketEvent.seq) == 2)).one()
        event.organisation_code = "drainage-company"
    found = app.test_cli_runner().invoke(args=["dispatch", "audit"])
    assert found.exit_code == 1
    assert code in found.output
    assert "内容与摘要不符" in found.output


def test_a_notice_moves_the_ends_that_were_estimated(
    town: Town, app: Flask, code: str, tmp_path: Path
) -> None:
    before = town.ticket(code).total_due_at
    notice = tmp_path / "notice.csv"
    notice.write_text("date,kind,name\n2026-03-04,放假,测试\n", "utf-8")
    done = app.test_cli_runner().invoke(args=["dispatch", "calendar", str(notice), "--source", "测试通知"])
    assert done.exit_code == 0, done.output
    assert "1 件工单" in done.output
    after = town.ticket(code).total_due_at
    assert before is not None
    assert after is not None
    assert after > before
    notice.write_text("date,kind\n2026-3-4,放假\n", "utf-8")
    assert (
        "写法不对"
        in app.test_cli_runner().invoke(args=["dispatch", "calendar", str(notice), "--source", "x"]).output
    )


def test_a_category_is_switched_to_verification_before_filing(town: Town, app: Flask) -> None:
    run = app.test_cli_runner()
    assert town.ticket(calls(town)).state == "dispatched"
    done = run.invoke(args=["dispatch", "preverify", GARBAGE, "on"])
    assert (done.exit_code, "先派网格员核实" in done.output) == (0, True)
    with town.database.reading() as session:
        town.world.refresh(session, at_once=True)
    assert town.ticket(calls(town)).state == "verifying_pre"
    assert "紧急类" in run.invoke(args=["dispatch", "preverify", COVER, "on"]).output
    assert run.invoke(args=["dispatch", "preverify", "nothing", "on"]).exit_code == 1


def test_sums_that_were_lost_are_made_anew(town: Town, app: Flask, code: str) -> None:
    assert code
    runner = app.test_cli_runner()
    assert "共 1 件" in runner.invoke(args=["dispatch", "rebuild-figures"]).output
    cube = cube_for(frozenset({"street_code"}))
    assert cube is not None
    with town.database.writing() as session:
        before = sorted(map(tuple, session.execute(select(cube.table))))
        session.execute(delete(cube.table))
    assert before
    assert runner.invoke(args=["dispatch", "rebuild-figures"]).exit_code == 0
    with town.database.reading() as session:
        assert sorted(map(tuple, session.execute(select(cube.table)))) == before


def test_a_bulletin_is_written_to_a_folder_with_the_same_bytes_each_time(
    town: Town, app: Flask, tmp_path: Path
) -> None:
    town.later(days=-20).worker.reports()
    town.later(days=20)
    run = app.test_cli_runner()
    kept = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        done = run.invoke(args=["dispatch", "bulletin", "city", "2026-02", "--to", str(folder)])
        assert (done.exit_code, "city-2026-02.docx" in done.output) == (0, True)
        kept.append([(folder / f"city-2026-02.{kind}").read_bytes() for kind in ("docx", "xlsx")])
    assert kept[0] == kept[1]
    for about, month in (("area:nowhere", "2026-02"), ("city", "2025-02")):
        assert run.invoke(args=["dispatch", "bulletin", about, month, "--to", "x"]).exit_code == 1
