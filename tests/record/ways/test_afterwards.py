"""After the end: callbacks, reopening, and a record that agrees with its history."""

from datetime import timedelta

import pytest

from dispatch.record import auditing, queries
from dispatch.record.models import OutboxRow, Source, Ticket
from grid.errors import Conflict
from tests.town import (
    GARBAGE,
    SANITATION,
    Town,
)
from tests.walking import calls, clocks, fires, sent, verified


class TestAfterwards:
    def test_reopened_within_thirty_days_and_archived_after(self, town: Town) -> None:
        code = calls(town)
        verified(town, code)
        town.agent.acts(code, "answer_satisfied", solved="solved", satisfaction="4")
        town.later(days=10).operator.acts(code, "reopen", reason="又堆上了")
        assert (town.ticket(code).state, town.ticket(code).owner_code) == ("rework", SANITATION)
        assert [c.stage for c in clocks(town, code) if not c.stopped_at] == ["rework"]
        assert fires(town, code, "archive") == "void"
        town.now -= timedelta(days=20)
        verified(town, code)
        town.agent.acts(code, "answer_satisfied", solved="solved")
        assert fires(town, code, "archive") == "done"
        assert town.ticket(code).state == "archived"
        with pytest.raises(Conflict):
            town.operator.acts(code, "reopen", reason="x")

    def test_the_third_rework_goes_before_all_concerned(self, town: Town) -> None:
        code = town.worker.reports().code
        for _ in range(3):
            town.department.acts(code, "handle", solved="solved", answer="好", photos=(town.photo(),))
            town.worker.acts(code, "verify_fail", note="没有做到")
        ticket = town.ticket(code)
        assert (ticket.state, ticket.queue, ticket.reworks) == ("consulting", "consultation", 3)
        assert "third_rework" in sent(town, code)

    def test_who_does_not_answer_is_asked_three_times_in_three_days_and_counts_as_silent(
        self, town: Town
    ) -> None:
        code = calls(town)
        verified(town, code)
        begun = town.now
        for _ in range(3):
            assert fires(town, code, "stage_end") == "done"
        ticket = town.ticket(code)
        assert (ticket.state, ticket.satisfaction) == ("closed", None)
        assert timedelta(days=2) < town.now - begun <= timedelta(days=6)

    def test_nobody_is_asked_twice_within_a_week(self, town: Town) -> None:
        first, second = calls(town), calls(town, GARBAGE)
        verified(town, first)
        verified(town, second)
        with town.database.reading() as session:
            asked = [
                row
                for code in (first, second)
                for row in queries.rows(session, OutboxRow, town.ticket(code))
                if row.topic == "ask_reporter"
            ]
        assert asked[1].available_at - asked[0].available_at >= timedelta(days=7)

    def test_an_answer_from_above_is_only_recorded(self, town: Town) -> None:
        code = calls(town, source=Source.UPPER, upper_code="SJ-1")
        verified(town, code)
        assert town.ticket(code).state == "verified"
        with town.database.reading() as session:
            topics = [row.topic for row in queries.rows(session, OutboxRow, town.ticket(code))]
        assert "ask_reporter" not in topics
        town.agent.acts(code, "record_upper_result", solved="solved", satisfaction="4")
        assert town.ticket(code).state == "closed"


def test_tickets_agree_with_their_histories(town: Town) -> None:
    calls(town)
    with town.database.writing() as session:
        ticket = session.exec(queries.select(Ticket)).scalar_one()
        ticket.state = "closed"
    with town.database.reading() as session:
        found = [f.what for f in auditing.audit(session)]
    assert any("历史走到" in what for what in found)
    with town.database.writing() as session:
        session.exec(queries.select(Ticket)).scalar_one().state = "dispatched"
