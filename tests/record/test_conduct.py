"""Judging a report itself: malicious by two persons, for a time, with appeal; untrue, the unit's record put right."""

from datetime import timedelta

import pytest

from dispatch.record import queries
from dispatch.record.models import OutboxRow
from grid.errors import Conflict, InputError, NotAllowed
from tests.town import COVER, Town
from tests.walking import calls, fires, handled, sent


def held(town: Town, code: str) -> None:
    town.operator.acts(code, "propose_malicious", reason="一天来电四十次,辱骂话务员,事项均已办结")
    until = town.now + timedelta(days=30)
    town.supervisor.acts(code, "confirm_malicious", until=until, reason="录音属实")


def test_two_persons_find_it_for_a_time_and_it_ends_by_itself(town: Town) -> None:
    code = calls(town)
    with pytest.raises(NotAllowed):
        town.operator.acts(code, "confirm_malicious", until=town.now + timedelta(days=1), reason="x")
    with pytest.raises(Conflict, match="没有待审批"):
        town.supervisor.acts(code, "confirm_malicious", until=town.now + timedelta(days=1), reason="x")
    town.operator.acts(code, "propose_malicious", reason="反复辱骂")
    with pytest.raises(Conflict, match="不能重复提请"):
        town.operator2.acts(code, "propose_malicious", reason="反复辱骂")
    for days in (-1, 400):
        with pytest.raises(InputError, match="最长 183 天"):
            town.supervisor.acts(code, "confirm_malicious", until=town.now + timedelta(days=days), reason="x")
    until = town.now + timedelta(days=30)
    town.supervisor.acts(code, "confirm_malicious", until=until, reason="录音属实")
    ticket = town.ticket(code)
    assert (ticket.conduct, ticket.conduct_until, ticket.exclusion) == ("held", until, "granted")
    assert ticket.state == "dispatched", "the matter itself goes on"
    assert fires(town, code, "malicious_over") == "done"
    assert (town.ticket(code).conduct, town.ticket(code).conduct_until) == ("over", None)


def test_one_natural_person_is_not_two(town: Town) -> None:
    code = calls(town)
    town.operator.acts(code, "propose_malicious", reason="反复辱骂")
    same = town.people["supervisor"]
    same.actor = type(same.actor)(**{**_fields(same.actor), "person_key": "operator"})
    with pytest.raises(NotAllowed, match="没有参加过"):
        same.acts(code, "confirm_malicious", until=town.now + timedelta(days=1), reason="x")


def _fields(actor: object) -> dict[str, object]:
    return {name: getattr(actor, name) for name in actor.__slots__}  # type: ignore[attr-defined]


def test_an_appeal_is_heard_by_somebody_else_and_may_lift_it(town: Town) -> None:
    code = calls(town)
    held(town, code)
    town.operator2.acts(code, "appeal_malicious", words="我只打了三次")
    with pytest.raises(NotAllowed, match="没有参加过"):
        town.supervisor.acts(code, "lift_malicious", reason="我再看看")
    other = town.people["inspector"]
    other.actor = type(other.actor)(**{**_fields(other.actor), "tenures": town.supervisor.actor.tenures})
    other.acts(code, "lift_malicious", reason="通话记录只有三次")
    ticket = town.ticket(code)
    assert (ticket.conduct, ticket.conduct_until, ticket.exclusion) == ("lifted", None, None)
    assert fires(town, code, "malicious_over") == "void"


def test_while_it_holds_nobody_is_called_back_but_a_new_danger_is_accepted(town: Town) -> None:
    code = calls(town)
    held(town, code)
    handled(town, code)
    town.later(hours=1).worker.acts(code, "verify_pass", photos=(town.photo("c" * 64),))
    assert town.ticket(code).state == "closed"
    with town.database.reading() as session:
        rows = queries.rows(session, OutboxRow, town.ticket(code))
    assert "ask_reporter" not in {row.topic for row in rows}
    assert town.ticket(calls(town, COVER)).state == "dispatched"


def test_found_untrue_the_units_record_is_put_right_by_an_outsider(town: Town) -> None:
    code = calls(town)
    handled(town, code)
    with pytest.raises(NotAllowed):
        town.department.acts(code, "clarify", reason="我们没有错")
    town.supervisor.acts(code, "clarify", reason="现场监控显示垃圾每日按时清运,所述不实")
    ticket = town.ticket(code)
    assert (ticket.clarified_at, ticket.exclusion) == (town.now, "granted")
    assert "clarified" in sent(town, code)
    with pytest.raises(Conflict, match="已经澄清"):
        town.supervisor.acts(code, "clarify", reason="x")
