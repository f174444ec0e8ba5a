"""The side exits and ways back of a ticket, each walked once on both databases."""

from datetime import timedelta

import pytest

from dispatch.record import auditing, queries
from dispatch.record.effects.sorting import children
from dispatch.record.firing import fire
from dispatch.record.intake import Mode
from dispatch.record.models import Assignment, LinkKind, OutboxRow, Source, Ticket, TicketClock, Timer
from dispatch.rules.workflow import ClockKind
from grid.errors import Conflict, InputError, NotAllowed
from tests.town import (
    BUILDING,
    COMMUNITY_OFFICE,
    CONSULT,
    COVER,
    DRAINAGE,
    GARBAGE,
    NOBODYS,
    POLICE,
    SANITATION,
    SCRAPS,
    SECTION,
    STREET_OFFICE,
    Town,
)


def calls(town: Town, category: str = GARBAGE, **more: object) -> str:
    given = {
        "source": Source.HOTLINE,
        "reporter_name": "赵大爷",
        "reporter_phone": "13800009999",
        "consented": True,
        "text": "门口垃圾三天没清",
        "notice_version": "1",
        **more,
    }
    return town.operator.reports(category, **given).code


def fires(town: Town, code: str, kind: str) -> str:
    """Let the pending timer of that kind be due, and fire it as the sweeper would."""
    ticket = town.ticket(code)
    with town.database.writing() as session:
        rows = [t for t in queries.rows(session, Timer, ticket) if t.kind == kind and t.done_at is None]
        (timer,) = rows[-1:]
        town.now = max(town.now, timer.due_at)
        timer.outcome = fire(session, timer, town.world, town.now)
        timer.done_at = town.now if timer.outcome != "later" else None
        return str(timer.outcome)


def handled(town: Town, code: str) -> None:
    town.department.acts(code, "contact", outcome="reached")
    town.department.acts(code, "handle", solved="solved", answer="已清运", photos=(town.photo("b" * 64),))


def verified(town: Town, code: str) -> None:
    handled(town, code)
    town.later(hours=1).worker.acts(code, "verify_pass", photos=(town.photo("c" * 64),))


def clocks(town: Town, code: str, kind: ClockKind = ClockKind.HANDLE) -> list[TicketClock]:
    with town.database.reading() as session:
        return [c for c in queries.rows(session, TicketClock, town.ticket(code)) if c.kind is kind]


@pytest.fixture(autouse=True)
def _whole(town: Town) -> object:
    """Whatever a test did, the record holds."""
    yield
    with town.database.reading() as session:
        assert list(auditing.audit(session)) == []


class TestBeforeFiling:
    def test_a_public_report_is_verified_before_it_is_filed(self, town: Town) -> None:
        code = calls(town, SCRAPS)
        assert town.ticket(code).state == "verifying_pre"
        town.worker.acts(code, "confirm_report", photos=(town.photo(),))
        assert (town.ticket(code).state, town.ticket(code).main_code) == ("dispatched", SANITATION)

    def test_what_is_not_there_goes_back_to_intake_which_may_refuse(self, town: Town) -> None:
        code = calls(town, SCRAPS)
        town.worker.acts(code, "deny_report", note="现场没有", photos=(town.photo(),))
        assert town.ticket(code).state == "submitted"
        town.operator.acts(code, "reject", reason_code="R7", reason="现场没有", new_danger="no")
        assert town.ticket(code).state == "rejected"

    def test_an_urgent_one_is_dispatched_first_and_verified_beside(self, town: Town) -> None:
        code = calls(town, COVER)
        assert town.ticket(code).state == "dispatched"
        town.worker.acts(code, "verify_beside", finding="worse", photos=(town.photo(),))
        assert (town.ticket(code).state, town.ticket(code).checked_beside_at) == ("dispatched", town.now)
        with pytest.raises(Conflict, match="已经核实过"):
            town.worker.acts(code, "verify_beside", finding="true", photos=(town.photo(),))

    @pytest.mark.parametrize("reason", ["R4", "R5", "R6"])
    def test_some_refusals_need_a_second_person(self, town: Town, reason: str) -> None:
        code = calls(town, mode=Mode.HOLD)
        given = {"reason_code": reason, "reason": "与前件相同", "new_danger": "no"}
        with pytest.raises(InputError):
            town.operator.acts(code, "reject", **given)
        town.operator.acts(code, "propose_rejection", **given)
        with pytest.raises(NotAllowed, match="第二人"):
            town.operator.acts(code, "confirm_rejection")
        town.operator2.acts(code, "confirm_rejection")
        assert town.ticket(code).state == "rejected"

    def test_new_danger_is_always_accepted_and_urgent_never_refused(self, town: Town) -> None:
        code = calls(town, mode=Mode.HOLD)
        with pytest.raises(InputError, match="一律受理"):
            town.operator.acts(code, "reject", reason_code="R2", reason="已进信访", new_danger="yes")
        urgent = calls(town, COVER, mode=Mode.HOLD)
        with pytest.raises(Conflict, match="紧急"):
            town.operator.acts(urgent, "reject", reason_code="R2", reason="已进信访", new_danger="no")
        assert town.ticket(code).state == town.ticket(urgent).state == "submitted"

    def test_the_second_person_may_overrule(self, town: Town) -> None:
        code = calls(town, mode=Mode.HOLD)
        town.operator.acts(code, "propose_rejection", reason_code="R5", reason="不属职责", new_danger="no")
        town.dispatcher.acts(code, "overrule_rejection", reason="属于环卫职责")
        assert town.ticket(code).state == "dispatched"

    def test_answered_at_once_and_called_back_by_somebody_else(self, town: Town) -> None:
        code = calls(town, CONSULT, mode=Mode.HOLD)
        town.operator.acts(code, "answer_instantly", answer="办理地点是区政务中心")
        assert town.ticket(code).state == "instant"
        with pytest.raises(NotAllowed):
            town.operator.acts(code, "record_instant_answer", solved="solved")
        town.agent.acts(code, "record_instant_answer", solved="solved", satisfaction="5")
        assert town.ticket(code).satisfaction == 5

    def test_a_call_handed_to_the_fire_brigade_leaves_a_ticket_to_follow(self, town: Town) -> None:
        code = calls(town, COVER)
        town.operator.acts(code, "transfer_call", line="119", received_by="值班员 7", received_at=town.now)
        assert town.ticket(code).state == "dispatched"

    def test_passed_to_a_neighbour_it_waits_for_the_receipt(self, town: Town) -> None:
        code = calls(town, mode=Mode.HOLD)
        town.operator.acts(code, "pass_on", place="neighbour", receiver="邻区热线", reason="地点在邻区")
        assert town.ticket(code).state == "refer_pending"
        town.operator.acts(code, "record_receipt", receipt="LQ-2026-17")
        assert town.ticket(code).state == "referred"


class TestMoreInformation:
    @pytest.mark.acceptance("D18")
    def test_twice_at_most_with_a_reason_and_the_clocks_stand_still(self, town: Town) -> None:
        code = calls(town)
        before = town.ticket(code).due_at
        with pytest.raises(InputError):
            town.department.acts(code, "ask_more")
        for _ in range(2):
            town.later(hours=1).department.acts(code, "ask_more", reason="请补充门牌号,便于找到")
            assert (town.ticket(code).state, town.ticket(code).owner_code) == ("need_info", "centre")
            assert all(c.paused_at for c in clocks(town, code) + clocks(town, code, ClockKind.TOTAL))
            town.later(days=1).operator.acts(code, "supply", text="12 号")
        assert town.ticket(code).state == "in_progress"
        with pytest.raises(Conflict, match="已要求补充 2 次"):
            town.department.acts(code, "ask_more", reason="再补充")
        assert before is not None
        assert town.ticket(code).due_at == before + timedelta(days=2)
        assert town.ticket(code).supplements == 2

    def test_what_never_comes_does_not_hold_the_matter_up(self, town: Town) -> None:
        code = calls(town)
        town.department.acts(code, "ask_more", reason="请补充门牌号")
        assert fires(town, code, "stage_end") == "done"
        assert (town.ticket(code).state, town.ticket(code).owner_code) == ("in_progress", SANITATION)


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


def sent(town: Town, code: str) -> list[str]:
    with town.database.reading() as session:
        rows = queries.rows(session, OutboxRow, town.ticket(code))
    return [row.payload["happening"] for row in rows if row.topic == "notify"]


class TestSeveral:
    def test_merged_each_reporter_is_asked_and_one_unsatisfied_is_taken_up_alone(self, town: Town) -> None:
        main, other, third = (calls(town, reporter_phone=f"1380000000{n}") for n in range(3))
        for code in (other, third):
            town.dispatcher.acts(code, "merge", into=main)
            assert (town.ticket(code).state, town.ticket(code).main_code) == ("merged", None)
        assert town.ticket(main).merged_count == 2
        verified(town, main)
        assert {town.ticket(code).state for code in (main, other, third)} == {"verified"}
        town.agent.acts(other, "answer_unsolved", solved="unsolved", satisfaction="1")
        for code in (main, third):
            town.agent.acts(code, "answer_satisfied", solved="solved", satisfaction="5")
        town.clerk2.acts(other, "uphold_dissatisfaction", reason="他家门口还有")
        assert [town.ticket(code).state for code in (main, other, third)] == ["closed", "rework", "closed"]

    def test_when_the_first_reporter_withdraws_the_others_go_on(self, town: Town) -> None:
        main, other = calls(town), calls(town, reporter_phone="13800000001")
        town.dispatcher.acts(other, "merge", into=main)
        town.operator.acts(main, "withdraw")
        assert (town.ticket(main).state, town.ticket(main).merged_count) == ("withdrawn", 0)
        assert (town.ticket(other).state, town.ticket(other).main_code) == ("dispatched", SANITATION)

    def test_another_reporter_of_the_same_matter_has_a_ticket_merged_at_once(self, town: Town) -> None:
        main = calls(town)
        other = calls(town, reporter_phone="13800000001", joins=main)
        assert (town.ticket(other).state, town.ticket(main).merged_count) == ("merged", 1)
        with town.database.reading() as session:
            assigned = queries.rows(session, Assignment, town.ticket(other))
        assert assigned == [], "no unit was troubled twice"
        verified(town, main)
        assert {town.ticket(code).state for code in (main, other)} == {"verified"}
        with pytest.raises(NotAllowed, match="不能并单"):
            town.worker.reports(joins=main)

    def test_undone_it_is_as_if_it_had_never_been_merged(self, town: Town) -> None:
        main, other = calls(town), calls(town, reporter_phone="13800000001")
        before = town.ticket(other).total_due_at
        town.dispatcher.acts(other, "merge", into=main)
        town.later(hours=3).dispatcher.acts(other, "unmerge", reason="不是同一处")
        ticket = town.ticket(other)
        assert (ticket.state, ticket.main_code, ticket.total_due_at) == ("dispatched", SANITATION, before)
        assert town.ticket(main).merged_count == 0

    def test_no_merge_into_closed_merged_or_itself(self, town: Town) -> None:
        main, other, third = (calls(town, reporter_phone=f"1380000000{n}") for n in range(3))
        town.dispatcher.acts(other, "merge", into=main)
        version = town.ticket(third).version
        with pytest.raises(InputError, match="已并入别件"):
            town.dispatcher.acts(third, "merge", into=other)
        with pytest.raises(InputError, match="本件自己"):
            town.dispatcher.acts(third, "merge", into=third)
        with pytest.raises(InputError, match="没有找到工单"):
            town.dispatcher.acts(third, "merge", into="不存在")
        town.operator.acts(main, "withdraw")
        with pytest.raises(InputError, match="已经办结"):
            town.dispatcher.acts(third, "merge", into=main)
        assert (town.ticket(third).state, town.ticket(third).version) == ("dispatched", version)

    def test_two_matters_in_one_ticket_become_two(self, town: Town) -> None:
        code = calls(town)
        town.operator.acts(code, "split", category=COVER, text="另外井盖坏了")
        with town.database.reading() as session:
            ((kind, made),) = children(session, town.ticket(code))
            reporters = queries.reporters(session, made)
        assert (kind, made.state, made.main_code) == (LinkKind.SPLIT, "dispatched", DRAINAGE)
        assert [r.phone for r in reporters] == ["13800009999"]

    def test_ownerless_is_made_safe_first_and_given_an_owner_afterwards(self, town: Town) -> None:
        code = calls(town, NOBODYS)
        assert (town.ticket(code).state, town.ticket(code).main_code) == ("making_safe", SANITATION)
        assert [(c.amount, c.unit) for c in clocks(town, code)] == [(2.0, "urgent_hour")]
        town.later(hours=1).department.acts(code, "made_safe", photos=(town.photo(),))
        assert (town.ticket(code).state, town.ticket(code).queue) == ("owner_pending", "ownership")
        town.dispatcher.acts(code, "settle_owner", organisation=DRAINAGE, basis="台账")
        assert (town.ticket(code).state, town.ticket(code).main_code) == ("dispatched", DRAINAGE)


class TestUnits:
    @pytest.mark.acceptance("C3")
    def test_three_units_are_whistled_for_and_each_reports_on_its_own_clock(self, town: Town) -> None:
        code = calls(town)
        town.department.acts(
            code, "object", reason_code="territory", organisation=STREET_OFFICE, basis="街道管养"
        )
        town.dispatcher.acts(code, "uphold_objection", organisation=STREET_OFFICE)
        units = {DRAINAGE: town.drainage, SANITATION: town.department, POLICE: town.officer}
        town.street.acts(code, "whistle", organisations=tuple(units), reason="须共同清理")
        assists = clocks(town, code, ClockKind.ASSIST)
        assert sorted((c.organisation_code, c.stage) for c in assists) == sorted(
            (unit, stage) for unit in units for stage in ("assist", "assist_sign")
        )
        town.street.acts(code, "contact", outcome="reached")
        town.later(minutes=20)
        for person in units.values():
            person.acts(code, "sign_in_to_help")
        with pytest.raises(Conflict, match="还有协办单位没有反馈"):
            town.street.acts(code, "handle", solved="solved", answer="好了", photos=(town.photo(),))
        town.drainage.acts(code, "report_help", helped="done", work="疏通")
        town.department.acts(code, "report_help", helped="done", work="清运")
        with pytest.raises(InputError):
            town.street.acts(code, "waive_assistant", organisation=POLICE)
        town.street.acts(code, "waive_assistant", organisation=POLICE, reason="现场已无须执法")
        town.street.acts(code, "handle", solved="solved", answer="好了", photos=(town.photo(),))
        town.street.acts(code, "rate_unit", organisation=DRAINAGE, score="5")
        with pytest.raises(NotAllowed):
            town.department.acts(code, "rate_unit", organisation=DRAINAGE, score="1")
        with town.database.reading() as session:
            assert queries.ratings(session, DRAINAGE) == {5: 1}
        assert all(c.stopped_at for c in clocks(town, code, ClockKind.ASSIST))

    @pytest.mark.acceptance("B9")
    def test_raised_to_the_upper_level_the_old_lead_helps_and_its_clock_is_frozen(self, town: Town) -> None:
        code = calls(town)
        town.department.acts(
            code, "object", reason_code="territory", organisation=STREET_OFFICE, basis="街道管养"
        )
        town.dispatcher.acts(code, "uphold_objection", organisation=STREET_OFFICE)
        town.later(hours=2).street.acts(code, "ask_raise", organisation=DRAINAGE, reason="管网须改造")
        town.dispatcher.acts(code, "grant_raise", organisation=DRAINAGE)
        ticket = town.ticket(code)
        assert (ticket.main_code, ticket.assistant_codes) == (DRAINAGE, STREET_OFFICE)
        frozen = [c for c in clocks(town, code) if c.organisation_code == STREET_OFFICE]
        assert [c.frozen for c in frozen] == [True]
        with town.database.reading() as session:
            pending = [t for t in queries.rows(session, Timer, ticket) if t.done_at is None]
        assert frozen[0].id not in {t.clock_id for t in pending}
        town.later(days=20)
        for kind in ("clock_hint", "clock_yellow", "clock_red"):
            fires(town, code, kind)
        with town.database.reading() as session:
            street = [
                a for a in queries.rows(session, Assignment, ticket) if a.organisation_code == STREET_OFFICE
            ]
        assert [(a.part, a.outcome) for a in street] == [("main", "raised"), ("assist", None)]

    def test_within_a_unit_it_is_handed_on_and_the_leader_approves_the_answer(self, town: Town) -> None:
        code = calls(town)
        town.department.acts(code, "assign_within", organisation=SECTION, note="请一所办")
        with pytest.raises(InputError, match="二级单位"):
            town.department.acts(code, "assign_within", organisation=DRAINAGE)
        town.approves(SANITATION)
        town.section.acts(code, "contact", outcome="reached")
        answer = {"solved": "solved", "answer": "已清运", "photos": (town.photo(),)}
        with pytest.raises(Conflict, match="分管领导审核"):
            town.section.acts(code, "handle", **answer)
        town.section.acts(code, "draft_answer", **answer)
        assert town.ticket(code).state == "answer_pending"
        town.chief.acts(code, "return_answer", note="写清时间")
        town.section.acts(code, "draft_answer", **answer)
        town.chief.acts(code, "approve_answer")
        assert town.ticket(code).state == "handled"

    def test_a_community_is_never_given_a_forbidden_matter_by_any_path(self, town: Town) -> None:
        code = town.worker.reports("200505").code
        town.police.acts(
            code, "object", reason_code="function", organisation=COMMUNITY_OFFICE, basis="属社区"
        )
        for action in ("uphold_objection",):
            with pytest.raises(InputError, match="不得"):
                town.dispatcher.acts(code, action, organisation=COMMUNITY_OFFICE, reason="x")
        town.dispatcher.acts(code, "refuse_objection", reason="属执法")
        with pytest.raises(InputError, match="不得"):
            town.dispatcher.acts(code, "add_assistants", organisations=(COMMUNITY_OFFICE,))
        town.officer.acts(code, "ask_raise", organisation=COMMUNITY_OFFICE, reason="x")
        with pytest.raises(InputError, match="不得"):
            town.dispatcher.acts(code, "grant_raise", organisation=COMMUNITY_OFFICE)
        assert town.ticket(code).main_code == POLICE

    def test_urging_is_counted_and_told_once_a_day(self, town: Town) -> None:
        code = calls(town)
        for _ in range(3):
            town.operator.acts(code, "urge")
        assert town.ticket(code).urged == 3
        assert sent(town, code).count("reminder") == 1
        town.later(days=1).operator.acts(code, "urge")
        assert sent(town, code).count("reminder") == 2

    def test_exclusion_is_judged_by_somebody_outside_the_assessed_unit(self, town: Town) -> None:
        code = calls(town)
        town.department.acts(code, "ask_exclusion", reason_code="force_majeure", reason="台风期间")
        with pytest.raises(NotAllowed):
            town.department.acts(code, "grant_exclusion", reason="同意")
        town.supervisor.acts(code, "grant_exclusion", reason="台风期间属实")
        assert town.ticket(code).exclusion == "granted"


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
