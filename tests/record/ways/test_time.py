"""Time: pauses, extensions, plans, calendars."""

from datetime import timedelta

import pytest

from dispatch.record import queries
from dispatch.record.models import Source
from dispatch.rules.workflow import ClockKind
from grid.errors import Conflict, InputError
from tests.town import (
    BUILDING,
    Town,
)
from tests.walking import calls, clocks, fires, sent


class TestTime:
    def test_one_extension_before_the_end_granted_by_somebody_else(self, town: Town) -> None:
        code = calls(town)
        before = town.ticket(code).due_at
        town.department.acts(code, "contact", outcome="reached")
        town.department.acts(code, "ask_extension", days="3", reason="等车辆")
        assert (town.ticket(code).state, town.ticket(code).due_at) == ("ext_pending", before)
        town.dispatcher.acts(code, "grant_extension", days="3")
        assert before is not None
        # Monday 2 March + 5 work days is Monday 9 March; 3 work days more are Thursday 12 March.
        assert town.ticket(code).due_at == before + timedelta(days=3)
        with pytest.raises(Conflict, match="已延期"):
            town.department.acts(code, "ask_extension", days="1", reason="再等")

    def test_no_extension_after_the_end_nor_beyond_the_longest(self, town: Town) -> None:
        code = calls(town)
        town.department.acts(code, "start")
        town.department.acts(code, "ask_extension", days="15", reason="等车辆")
        with pytest.raises(InputError, match="最晚到"):
            town.dispatcher.acts(code, "grant_extension", days="15")
        town.dispatcher.acts(code, "refuse_extension", reason="不同意")
        with pytest.raises(Conflict, match="已经到期"):
            town.later(days=20).department.acts(code, "ask_extension", days="1", reason="晚了")

    @pytest.mark.acceptance("D25")
    def test_suspended_with_a_plan_it_resumes_by_itself(self, town: Town) -> None:
        code = calls(town)
        town.department.acts(code, "contact", outcome="reached")
        plan = {"plan_until": town.now + timedelta(days=30), "person": "张工", "reason_code": "funds"}
        with pytest.raises(InputError, match="计划完成日"):
            town.department.acts(code, "ask_suspension", person="张工", reason_code="funds", reason="等资金")
        with pytest.raises(InputError, match="将来"):
            town.department.acts(code, "ask_suspension", **{**plan, "plan_until": town.now}, reason="等资金")
        town.department.acts(code, "ask_suspension", **plan, reason="排水管须改造,等资金")
        with pytest.raises(InputError, match="须先告知"):
            town.dispatcher.acts(code, "grant_suspension", told="none")
        left = town.ticket(code).due_at
        town.dispatcher.acts(code, "grant_suspension", told="phone")
        assert (town.ticket(code).state, town.ticket(code).due_at) == ("suspended", None)
        town.department.acts(code, "report_progress", progress="设计已完成")
        assert fires(town, code, "resume_planned") == "done"
        ticket = town.ticket(code)
        assert (ticket.state, ticket.overdue) == ("in_progress", False)
        assert left is not None
        assert ticket.due_at is not None
        assert ticket.due_at > town.now
        told = [m for m in sent(town, code) if m == "suspended"]
        assert told == ["suspended"]

    def test_staged_limits_give_each_step_its_own(self, town: Town) -> None:
        code = town.worker.reports(BUILDING).code
        assert [(c.amount, c.unit) for c in clocks(town, code)] == [(4.0, "work_hour")]
        for _ in range(2):
            town.officer.acts(code, "start") if town.ticket(code).state == "dispatched" else None
            town.officer.acts(code, "finish_step", photos=(town.photo(),))
        assert [(c.amount, c.unit) for c in clocks(town, code)] == [
            (4.0, "work_hour"),
            (7.0, "work_day"),
            (20.0, "work_day"),
        ]
        with pytest.raises(Conflict, match="最后阶段"):
            town.officer.acts(code, "finish_step", photos=(town.photo(),))
        alone = {"case_number": "综执罚〔2026〕8 号"}
        for officers in ({}, {"officers": "张三"}, {"officers": "张三、张三"}):
            with pytest.raises(InputError):
                town.officer.acts(code, "hand_to_enforcement", **alone, **officers)
        town.officer.acts(code, "hand_to_enforcement", **alone, officers="张三、李四")
        assert clocks(town, code)[-1].amount == 30
        assert town.ticket(code).state == "in_progress"

    def test_upper_tickets_are_planned_backwards_from_their_end(self, town: Town) -> None:
        end = town.now + timedelta(days=3)
        code = calls(town, source=Source.UPPER, upper_code="SJ-1", upper_due_at=end)
        (total,) = clocks(town, code, ClockKind.TOTAL)
        (handle,) = clocks(town, code)
        assert abs(total.due_at - end) < timedelta(seconds=1)
        assert handle.due_at < end - timedelta(hours=8)

    def test_progress_is_asked_when_the_limit_has_passed(self, town: Town) -> None:
        code = calls(town)
        with pytest.raises(Conflict, match="没有期满"):
            town.agent.acts(code, "ask_progress", progress="knows")
        for kind in ("clock_hint", "clock_yellow", "clock_red"):
            assert fires(town, code, kind) == "done"
        assert town.ticket(code).overdue
        town.later(days=1)
        town.now = town.now.replace(hour=2)
        town.agent.acts(code, "ask_progress", progress="not_told")
        assert town.ticket(code).progress_due_at is None


def test_an_estimated_end_is_recomputed_when_the_calendar_comes(town: Town) -> None:
    from datetime import date

    from dispatch.record import recalculating
    from grid.auditing import record_change
    from grid.models import CalendarDay

    code = calls(town)
    assert all(c.estimated for c in clocks(town, code))
    before = town.ticket(code).due_at
    with town.database.writing() as session:
        session.add(CalendarDay(on=date(2026, 3, 4), kind="rest", source="test"))
        record_change(session, None, "calendar", "2026", "import", now=town.now)
    assert recalculating.recalculate(town.database, town.world, town.now) == 1
    assert before is not None
    assert town.ticket(code).due_at == before + timedelta(days=1)
    with town.database.reading() as session:
        last = queries.history(session, town.ticket(code))[-1].event
    assert last.action == "calendar_changed"
