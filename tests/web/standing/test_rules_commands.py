"""The linter and the rehearsal on the command line, and the door through which rules come into force."""

from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from grid import rulesets
from grid.areas import drafting
from grid.models import Responsibility
from tests.insight.rules.test_rehearsing import draft
from tests.town import COVER, DRAINAGE, EAST, GARBAGE, LAT, LON, SANITATION, Town


@pytest.fixture
def commands(app: Flask) -> FlaskCliRunner:
    return app.test_cli_runner()


def row(town: Town, **values: str) -> Responsibility:
    return Responsibility(ruleset_version=0, **values)


def test_the_linter_says_what_it_looked_at_and_what_it_found(town: Town, commands: FlaskCliRunner) -> None:
    answer = commands.invoke(args=["dispatch", "lint"])
    assert answer.exit_code == 0, answer.output
    assert "检查 5 条规则 × 7 个小类 × 2 个区域:无人负责 1" in answer.output
    assert "[待确认·无人负责] “政策咨询”在全部区域(2 个区域)没有承办单位" in answer.output


def test_a_set_with_a_conflict_never_begins_and_gaps_need_a_tick(
    town: Town, commands: FlaskCliRunner
) -> None:
    clashing = draft(town, row(town, id="x", category_code=COVER, main=SANITATION))
    answer = commands.invoke(args=["dispatch", "lint", "--version", str(clashing)])
    assert answer.exit_code == 1
    assert "[错误·冲突] 规则 r-cover、x 同样具体而主办单位不同" in answer.output
    refused = commands.invoke(args=["dispatch", "rules", "--activate", str(clashing), "--accept-gaps"])
    assert "不能启用" in refused.output
    better = draft(town, row(town, id="x", category_code=COVER, area_code=EAST, main=SANITATION))
    unticked = commands.invoke(args=["dispatch", "rules", "--activate", str(better)])
    assert "1 处待确认" in unticked.output
    begun = commands.invoke(args=["dispatch", "rules", "--activate", str(better), "--accept-gaps"])
    assert begun.exit_code == 0, begun.output
    with town.database.reading() as session:
        assert rulesets.in_force(session, datetime.now(UTC)) == better
    undone = commands.invoke(args=["dispatch", "rules", "--activate", "1", "--accept-gaps"])
    assert undone.exit_code == 0, undone.output


def test_a_rehearsal_tells_from_whom_to_whom(town: Town, commands: FlaskCliRunner) -> None:
    town.neighbour.reports(GARBAGE, at={"lon": 116.415, "lat": 39.905})
    version = draft(town, row(town, id="e", category_code=GARBAGE, area_code=EAST, main=DRAINAGE))
    answer = commands.invoke(args=["dispatch", "rehearse", str(version), "--from", "2026-03-01"])
    assert answer.exit_code == 0, answer.output
    assert "1 件工单,1 件会派到别处" in answer.output
    assert "区环卫局 → 排水公司:1 件" in answer.output


def test_borders_in_which_a_rule_would_not_hold_need_a_word(town: Town, commands: FlaskCliRunner) -> None:
    version = draft(town, row(town, id="east", category_code=GARBAGE, area_code=EAST, main=DRAINAGE))
    commands.invoke(args=["dispatch", "rules", "--activate", str(version), "--accept-gaps"])
    line = f"{LON + 0.015},{LAT - 0.001};{LON + 0.015},{LAT + 0.011}"
    made = drafting.draft(
        town.database,
        town.world.settings.instance_path,
        "split",
        drafting.split(EAST, line, ["甲", "乙"]),
        None,
        town.now,
    )
    refused = commands.invoke(args=["grid", "activate", str(made.id)])
    assert refused.exit_code == 1
    assert "[编码不存在] " in refused.output
    assert "加 --accept-gaps 确认知悉" in refused.output
    begun = commands.invoke(args=["grid", "activate", str(made.id), "--accept-gaps"])
    assert "“split”已启用" in begun.output
