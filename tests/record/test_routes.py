"""Tickets meet the rules of routing: doubt at a border, conflicts, the negative list by rule and by hand."""

import pytest

from dispatch.record.models import Queue
from grid.errors import InputError
from grid.models import Responsibility
from tests.town import (
    CENTRE,
    COMMUNITY_OFFICE,
    DRAINAGE,
    EAST,
    LAT,
    LON,
    PARKING,
    POLICE,
    SANITATION,
    WEST,
    Town,
)

# Some three metres west of the line between the two grids.
BY_THE_BORDER = {"lon": LON + 0.01 - 0.00003, "lat": LAT + 0.005}


def rule(town: Town, **values: str) -> None:
    with town.database.writing() as session:
        session.add(Responsibility(ruleset_version=1, **values))


def test_a_border_within_the_accuracy_names_the_likely_other_desk(town: Town) -> None:
    rule(town, id="east", category_code="2001", area_code=EAST, main=DRAINAGE)
    rule(town, id="west", category_code="2001", area_code=WEST, main=SANITATION)
    ticket = town.ticket(town.worker.reports(at=BY_THE_BORDER, accuracy_m=15.0).code)
    assert ticket.main_code == SANITATION
    assert ticket.routed["runner_up"] == DRAINAGE
    assert "按占比较大的一侧派出" in ticket.routed["notes"][-1]


def test_no_doubt_is_noted_where_both_sides_have_one_owner(town: Town) -> None:
    ticket = town.ticket(town.worker.reports(at=BY_THE_BORDER, accuracy_m=15.0).code)
    assert ticket.main_code == SANITATION
    assert ticket.routed["notes"] == []


def test_conflicting_rows_wait_for_a_person_and_name_both(town: Town) -> None:
    rule(town, id="r-other", category_code="2001", main=DRAINAGE)
    ticket = town.ticket(town.worker.reports().code)
    assert (ticket.state, ticket.queue, ticket.owner_code) == ("filed", Queue.AMBIGUOUS, CENTRE)
    assert ticket.routed["options"] == sorted([DRAINAGE, SANITATION])


def test_a_row_that_hands_enforcement_to_a_community_is_passed_over_and_says_why(town: Town) -> None:
    rule(town, id="r-down", category_code=PARKING, main="kind:community")
    code = town.worker.reports(PARKING).code
    ticket = town.ticket(code)
    assert ticket.main_code == POLICE
    tried = {entry["rule"]: entry["why_not"] for entry in ticket.routed["tried"]}
    assert "不得将社区作为城市管理事务的责任主体" in tried["r-down"]


def test_nobody_hands_it_to_the_community_by_hand_either(town: Town) -> None:
    rule(town, id="r-also", category_code="2005", main=DRAINAGE)
    code = town.worker.reports(PARKING).code
    with pytest.raises(InputError, match="不得将社区作为城市管理事务的责任主体"):
        town.dispatcher.acts(code, "dispatch", organisation=COMMUNITY_OFFICE)
