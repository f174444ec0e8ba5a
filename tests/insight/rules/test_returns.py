"""Accepted returns propose a change of the rule, with evidence; accepting makes a rehearsed draft and nothing else."""

import pytest
from sqlmodel import select

from dispatch.insight import returns
from dispatch.insight.rehearsing import running
from dispatch.insight.tables import Rehearsal
from grid import rulesets
from grid.errors import Conflict, NotFound
from grid.models import Responsibility
from tests.town import DRAINAGE, EAST, GARBAGE, IN_EAST, IN_WEST, SANITATION, Town

RETURN = {"reason_code": "function", "organisation": DRAINAGE, "basis": "属排水设施"}


def returned(town: Town, *, at: dict[str, float] = IN_EAST, number: int = 3) -> list[str]:
    codes = []
    for _ in range(number):
        code = town.neighbour.reports(GARBAGE, at=at).code
        town.department.acts(code, "object", **RETURN)
        town.dispatcher.acts(code, "uphold_objection", organisation=DRAINAGE)
        codes.append(code)
    return codes


def proposed(town: Town) -> list[returns.Proposal]:
    with town.database.reading() as session:
        return returns.proposals(session, town.world.refresh(session), town.later(minutes=1).now)


def test_returns_that_were_upheld_propose_a_row_for_the_place_they_share(town: Town) -> None:
    codes = returned(town)
    for _ in range(2):
        town.worker.reports(GARBAGE, at=IN_WEST)
    (one,) = proposed(town)
    assert (one.rule, one.category_code, one.area_code) == ("r-city", GARBAGE, EAST)
    assert (one.first, one.instead, one.returned, one.sent) == (SANITATION, DRAINAGE, 3, 3)
    assert set(one.codes) == set(codes)
    assert len(one.points) == 3


def test_few_or_refused_returns_propose_nothing(town: Town) -> None:
    returned(town, number=2)
    code = town.neighbour.reports(GARBAGE, at=IN_EAST).code
    town.department.acts(code, "object", **RETURN)
    town.dispatcher.acts(code, "refuse_objection", reason="属环卫")
    assert proposed(town) == []


def test_accepting_makes_a_draft_and_asks_for_its_rehearsal(town: Town) -> None:
    returned(town)
    (one,) = proposed(town)
    actor = town.dispatcher.actor

    def accept() -> int:
        return town.database.write(
            lambda s: returns.accept(s, town.world.refresh(s), one.key, actor, town.now)
        )

    version = accept()
    with town.database.reading() as session:
        assert rulesets.in_force(session, town.now) == 1
        rows = {row.id: row for row in rulesets.rows_of(session, Responsibility, version)}
        assert rows["r-city"].main == SANITATION
        (made,) = (row for row in rows.values() if row.area_code == EAST)
        assert (made.category_code, made.main) == (GARBAGE, DRAINAGE)
    running.run_waiting(town.database, town.world, lambda: town.now)
    with town.database.reading() as session:
        (rehearsal,) = session.exec(select(Rehearsal)).all()
        assert (rehearsal.ruleset_version, (rehearsal.result or {})["moved"]) == (version, 3)
    with pytest.raises(Conflict, match="已有人处理"):
        accept()
    assert proposed(town) == []


def test_what_is_dismissed_is_not_proposed_again(town: Town) -> None:
    returned(town)
    (one,) = proposed(town)
    town.database.write(
        lambda s: returns.dismiss(s, town.world.refresh(s), one.key, town.dispatcher.actor, town.now)
    )
    assert proposed(town) == []
    with pytest.raises(NotFound), town.database.writing() as session:
        returns.accept(session, town.world.refresh(session), "nothing", town.dispatcher.actor, town.now)


def test_accuracy_counts_rulings_per_rule_category_and_street(town: Town) -> None:
    returned(town, number=1)
    kept = town.worker.reports(GARBAGE, at=IN_WEST).code
    town.department.acts(kept, "object", **RETURN)
    town.dispatcher.acts(kept, "refuse_objection", reason="属环卫")
    for _ in range(2):
        town.worker.reports(GARBAGE, at=IN_WEST)
    with town.database.reading() as session:
        later = town.later(minutes=1).now
        sent = returns.sent_since(session, later - returns.LOOK_BACK, later)
    for by, key in (("rule", "r-city"), ("category", GARBAGE), ("area", "990101001")):
        (row,) = returns.accuracy(sent, by)
        assert (row.key, row.sent, row.objected, row.returned) == (key, 4, 2, 1)
        assert (row.return_rate, row.accuracy) == (0.5, 0.75)
