"""A ticket's life through the one writer, on both databases."""

from uuid import uuid4

import pytest
from sqlmodel import col, select

from dispatch.record import chain, queries
from dispatch.record.intake import Mode
from dispatch.record.models import (
    Assignment,
    OutboxRow,
    Source,
    Statement,
    Ticket,
    TicketClock,
    TicketEvent,
    Timer,
)
from dispatch.rules.workflow import ClockKind
from grid.errors import Conflict, InputError, NotAllowed, NotFound
from tests.town import COVER, EAST, GARBAGE, IN_EAST, OUTSIDE, SANITATION, STREET_OFFICE, WEST, Town


def on_behalf(town: Town, **more: object) -> str:
    reported = town.worker.reports(
        source=Source.ON_BEHALF,
        reporter_name="赵大爷",
        reporter_phone="13800009999",
        consented=True,
        text="门口垃圾三天没清",
        notice_version="1",
        **more,
    )
    return reported.code


def handled(town: Town, code: str) -> None:
    town.later(hours=1).department.acts(
        code, "handle", solved="solved", answer="已清运", photos=(town.photo("b" * 64),)
    )


def test_a_report_is_placed_routed_and_dispatched_with_reasons_and_clocks(town: Town) -> None:
    code = town.worker.reports().code
    ticket = town.ticket(code)
    assert (ticket.state, ticket.main_code, ticket.owner_code) == ("dispatched", SANITATION, SANITATION)
    assert (ticket.grid_code, ticket.intake_district) == (WEST, "990101")
    assert ticket.routed["rule"] == "r-city"
    assert "环卫" in ticket.routed["reason"]
    with town.database.reading() as session:
        clocks = {c.kind: c for c in queries.rows(session, TicketClock, ticket)}
        timers = queries.rows(session, Timer, ticket)
        assert set(clocks) == {ClockKind.TOTAL, ClockKind.HANDLE, ClockKind.STAGE}
        assert clocks[ClockKind.HANDLE].stage == "handle"
        assert ticket.due_at == clocks[ClockKind.HANDLE].due_at
        assert len([t for t in timers if t.done_at is None]) == 3
        actions = [line.event.action for line in queries.history(session, ticket)]
    assert actions == ["submit", "accept", "dispatch"]


def test_from_photo_to_satisfied_callback(town: Town) -> None:
    code = on_behalf(town)
    town.later(minutes=10).department.acts(code, "open")
    handled(town, code)
    town.later(hours=1).worker.acts(code, "verify_pass", photos=(town.photo("c" * 64),))
    assert town.ticket(code).state == "verified"
    town.later(hours=20).agent.acts(code, "answer_satisfied", solved="solved", satisfaction="5")
    ticket = town.ticket(code)
    assert (ticket.state, ticket.satisfaction, ticket.solved) == ("closed", 5, "solved")
    with town.database.reading() as session:
        events = [line.event for line in queries.history(session, ticket)]
        assert chain.breaks(events, queries.rows(session, Statement, ticket)) == []
        assert all(c.stopped_at for c in queries.rows(session, TicketClock, ticket))
        assert [t.kind for t in queries.rows(session, Timer, ticket) if not t.done_at] == ["archive"]
        topics = [row.topic for row in queries.rows(session, OutboxRow, ticket)]
    assert topics.count("ask_reporter") == 1


def test_without_anybody_to_ask_it_closes_after_verification(town: Town) -> None:
    code = town.worker.reports().code
    handled(town, code)
    town.worker.acts(code, "verify_pass", photos=(town.photo(),))
    assert town.ticket(code).state == "closed"


def test_an_unsatisfied_answer_is_reviewed_and_gives_a_second_limit(town: Town) -> None:
    code = on_behalf(town)
    handled(town, code)
    town.worker.acts(code, "verify_pass", photos=(town.photo(),))
    town.agent.acts(code, "answer_unsolved", solved="unsolved", satisfaction="1", words="第二天又堆上了")
    assert town.ticket(code).state == "reviewing"
    town.dispatcher.acts(code, "uphold_dissatisfaction", reason="照片显示仍有堆积")
    ticket = town.ticket(code)
    assert (ticket.state, ticket.owner_code, ticket.reworks) == ("rework", SANITATION, 1)
    with town.database.reading() as session:
        running = [
            c for c in queries.rows(session, TicketClock, ticket) if not c.stopped_at and c.kind == "handle"
        ]
    assert [(c.stage, c.amount, c.unit) for c in running] == [("rework", 3.0, "work_day")]


def test_failed_verification_resumes_the_old_clock(town: Town) -> None:
    code = town.worker.reports().code
    before = town.ticket(code).due_at
    handled(town, code)
    town.later(hours=2).worker.acts(code, "verify_fail", note="还有一半没清")
    ticket = town.ticket(code)
    assert ticket.state == "rework"
    with town.database.reading() as session:
        (clock,) = [c for c in queries.rows(session, TicketClock, ticket) if c.kind == "handle"]
    assert before is not None
    assert clock.due_at > before
    assert len(clock.pauses) == 1


class TestObjection:
    def given(self, **more: str) -> dict[str, str]:
        return {"reason_code": "territory", "organisation": STREET_OFFICE, "basis": "属街道管养范围", **more}

    def test_upheld_it_goes_to_another_unit_with_a_new_clock(self, town: Town) -> None:
        code = town.worker.reports().code
        town.later(hours=1).department.acts(code, "object", **self.given())
        assert (town.ticket(code).owner_code, town.ticket(code).queue) == ("centre", "objection")
        town.later(hours=1).dispatcher.acts(code, "uphold_objection", organisation=STREET_OFFICE)
        ticket = town.ticket(code)
        assert (ticket.state, ticket.main_code) == ("dispatched", STREET_OFFICE)
        with town.database.reading() as session:
            rounds = queries.rows(session, Assignment, ticket)
        assert [(a.organisation_code, a.outcome) for a in rounds] == [
            (SANITATION, "reassigned"),
            (STREET_OFFICE, None),
        ]

    def test_refused_it_stays_for_good(self, town: Town) -> None:
        code = town.worker.reports().code
        town.department.acts(code, "object", **self.given())
        town.dispatcher.acts(code, "refuse_objection", reason="该处属环卫作业范围")
        with pytest.raises(Conflict, match="指定承办,不得再退"):
            town.department.acts(code, "object_again", **self.given())

    def test_needs_reason_suggestion_and_basis(self, town: Town) -> None:
        code = town.worker.reports().code
        with pytest.raises(InputError) as caught:
            town.department.acts(code, "object", reason_code="dislike")
        assert set(caught.value.fields) == {"reason_code", "organisation", "basis"}
        assert town.ticket(code).state == "dispatched"

    def test_after_the_period_it_is_too_late(self, town: Town) -> None:
        code = town.worker.reports().code
        with pytest.raises(Conflict, match="异议期已过"):
            town.later(days=4).department.acts(code, "object", **self.given())


class TestWhoMay:
    @pytest.mark.parametrize("action", ["handle", "object", "dispatch", "answer_satisfied"])
    def test_a_grid_worker_only_finds_and_verifies(self, town: Town, action: str) -> None:
        code = town.worker.reports().code
        with pytest.raises(NotAllowed):
            town.worker.acts(code, action, solved="solved", answer="x")

    def test_a_handler_does_not_verify(self, town: Town) -> None:
        code = town.worker.reports().code
        handled(town, code)
        with pytest.raises(NotAllowed):
            town.department.acts(code, "verify_pass")

    def test_somebody_of_the_handling_unit_does_not_verify(self, town: Town) -> None:
        code = town.worker.reports().code
        handled(town, code)
        from dataclasses import replace

        town.worker.actor = replace(town.worker.actor, answers_to=frozenset({SANITATION}))
        with pytest.raises(NotAllowed, match="承办单位"):
            town.worker.acts(code, "verify_pass", photos=(town.photo("c" * 64),))

    def test_a_department_does_not_patrol(self, town: Town) -> None:
        with pytest.raises(NotAllowed):
            town.department.reports()

    def test_another_department_does_not_learn_that_the_ticket_exists(self, town: Town) -> None:
        code = town.worker.reports().code
        with pytest.raises(NotFound):
            town.drainage.acts(code, "handle", solved="solved", answer="x")

    def test_the_same_person_under_another_account_does_not_verify(self, town: Town) -> None:
        code = town.worker.reports().code
        handled(town, code)
        from dataclasses import replace

        town.worker.actor = replace(town.worker.actor, person_key="department")
        with pytest.raises(NotAllowed, match="巡办分离"):
            town.worker.acts(code, "verify_pass", photos=(town.photo(),))


class TestSameReport:
    def test_is_answered_not_repeated(self, town: Town) -> None:
        key = uuid4()
        first = town.worker.reports(client_uuid=key)
        again = town.worker.reports(client_uuid=key)
        assert again.repeated
        assert (again.code, again.state) == (first.code, first.state)
        with town.database.reading() as session:
            assert len(session.exec(select(Ticket)).all()) == 1

    def test_with_other_content_is_refused(self, town: Town) -> None:
        key = uuid4()
        town.worker.reports(client_uuid=key)
        with pytest.raises(InputError) as caught:
            town.worker.reports(client_uuid=key, category=COVER)
        assert "client_uuid" in caught.value.fields


def test_a_repeated_request_key_does_nothing_twice(town: Town) -> None:
    code, key = town.worker.reports().code, uuid4()
    version = town.ticket(code).version
    first = town.department.acts(code, "start", key=key, version=version)
    handled(town, code)
    again = town.department.acts(code, "start", key=key, version=version)
    assert town.ticket(code).version == version + 2
    assert (again.state, again.version) == (first.state, first.version), (
        "what was answered then, whatever happened since"
    )


def test_a_request_key_is_of_one_request_only(town: Town) -> None:
    code, key = town.worker.reports().code, uuid4()
    town.department.acts(code, "start", key=key, note="今天去")
    before = town.ticket(code).version
    others = (
        (town.department, "open", "今天去"),
        (town.department, "start", "明天去"),
        (town.dispatcher, "start", "今天去"),
    )
    for person, action, note in others:
        with pytest.raises(InputError) as caught:
            person.acts(code, action, key=key, note=note)
        assert "request_key" in caught.value.fields
    assert town.ticket(code).version == before


def test_a_stale_version_is_refused_and_nothing_written(town: Town) -> None:
    code = town.worker.reports().code
    version = town.ticket(code).version
    town.department.acts(code, "open")  # reading is no change: what is typed meanwhile is not stale
    town.department.acts(code, "start", version=version)
    with pytest.raises(Conflict, match="刚被别人更新"):
        town.department.acts(code, "report_progress", progress="已派车", version=version)


def test_reminded_on_the_spot_nobody_is_sent(town: Town) -> None:
    code = town.worker.reports(mode=Mode.REMIND, photos=()).code
    ticket = town.ticket(code)
    assert (ticket.state, ticket.main_code) == ("reminded", None)
    with town.database.reading() as session:
        assert queries.rows(session, Assignment, ticket) == []
        assert [t for t in queries.rows(session, Timer, ticket) if t.done_at is None] == []


def test_an_urgent_matter_is_never_only_a_reminder(town: Town) -> None:
    with pytest.raises(InputError, match="紧急类"):
        town.worker.reports(COVER, mode=Mode.REMIND)


def test_outside_every_area_waits_in_a_named_queue_with_a_clock(town: Town) -> None:
    ticket = town.ticket(town.worker.reports(at=OUTSIDE).code)
    assert (ticket.state, ticket.queue, ticket.owner_code) == ("filed", "out_of_area", "centre")
    assert ticket.due_at is not None
    town.dispatcher.acts(ticket.code, "place", area=EAST)
    assert town.ticket(ticket.code).main_code == SANITATION


def test_far_outside_the_city_is_refused_with_words(town: Town) -> None:
    with pytest.raises(InputError, match="不在本市范围内"):
        town.worker.reports(at={"lon": 121.47, "lat": 31.23})


@pytest.mark.parametrize("frame", ["", "utm", "EPSG:3857"])
def test_an_unknown_frame_is_refused(town: Town, frame: str) -> None:
    with pytest.raises(InputError, match="坐标系"):
        town.worker.reports(frame=frame)


def test_any_edited_byte_is_found(town: Town) -> None:
    code = on_behalf(town)
    with town.database.writing() as session:
        ticket = queries.find(session, code, town.supervisor.actor)
        event = session.exec(select(TicketEvent).where(col(TicketEvent.seq) == 2)).one()
        event.state_to = "closed"
        statement = session.exec(select(Statement)).one()
        statement.text = "门口很干净"
        session.flush()
        events = [line.event for line in queries.history(session, ticket)]
        found = chain.breaks(events, [statement])
    assert [(b.seq, b.what) for b in found] == [(2, "内容与摘要不符"), (0, "文字“text”与记录不符")]


def test_scope_of_lists(town: Town) -> None:
    west = town.worker.reports().code
    east = town.neighbour.reports(GARBAGE, at=IN_EAST).code
    with town.database.reading() as session:
        seen = {
            name: {t.code for t in queries.page(session, town.people[name].actor)}
            for name in ("worker", "neighbour", "department", "drainage", "supervisor")
        }
    assert seen == {
        "worker": {west},
        "neighbour": {east},
        "department": {west, east},
        "drainage": set(),
        "supervisor": {west, east},
    }
