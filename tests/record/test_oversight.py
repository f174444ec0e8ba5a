"""Letters, plans, inspections, re-checks, cross verification: what stands above single tickets, on both databases."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlmodel import col, select

from dispatch.record import queries
from dispatch.record.firing import fire
from dispatch.record.models import OutboxRow, Source, Ticket, TicketEvent, Timer
from dispatch.record.oversight import inspections, letters, plans, rechecks
from dispatch.record.oversight.inspections import Place, Task
from dispatch.record.oversight.models import InspectionVisit, LetterKind, LetterState, PlanKind, PointResult
from dispatch.record.oversight.plans import Plan
from dispatch.rules.callbacks import Asking, sampled
from grid.errors import Conflict, InputError, NotAllowed, NotFound
from grid.permissions import ROLES, role_scopes
from tests.town import (
    COMMUNITY_OFFICE,
    EAST,
    GARBAGE,
    LAT,
    LON,
    PARKING,
    PATROL,
    SANITATION,
    STREET_OFFICE,
    Town,
)
from tests.walking import calls, fires, verified


def overdue(town: Town, *kinds: str) -> str:
    code = town.worker.reports().code
    for kind in ("clock_hint", "clock_yellow", "clock_red", *kinds):
        assert fires(town, code, kind) == "done"
    return code


def closed(town: Town) -> str:
    code = town.worker.reports().code
    town.department.acts(code, "handle", solved="solved", answer="好", photos=(town.photo(),))
    town.worker.acts(code, "verify_pass", photos=(town.photo(),))
    assert town.ticket(code).state == "closed"
    return code


def registers(town: Town, number: str, kind: PlanKind, to_on: date = date(2026, 12, 31)) -> None:
    plan = Plan(number, kind, "消防器材巡查", "年度计划〔2026〕1 号", SANITATION, date(2026, 1, 1), to_on)
    with town.database.writing() as session:
        plans.register(session, plan, town.supervisor.actor, town.now)


def letter_fires(town: Town) -> str:
    with town.database.writing() as session:
        timer = session.exec(select(Timer).where(col(Timer.kind) == letters.LETTER_DUE)).one()
        town.now = timer.due_at
        outcome = fire(session, timer, town.world, town.now)
        timer.done_at, timer.outcome = town.now, outcome
        return outcome


class TestLetters:
    @pytest.mark.acceptance("B8")
    def test_drafted_from_overdue_tickets_signed_and_escalated_when_unanswered(self, town: Town) -> None:
        codes = {overdue(town, "escalate_2"), overdue(town, "escalate_2")}
        with town.database.reading() as session:
            (draft,) = letters.listed(session, town.supervisor.actor)
            assert (draft.kind, draft.organisation_code) == (LetterKind.SUPERVISE, SANITATION)
            assert {t.code for t in letters.tickets(session, draft)} == codes
            assert letters.listed(session, town.department.actor) == []
            assert letters.number(draft) is None
        with town.database.writing() as session, pytest.raises(InputError, match="督办要求"):
            letters.sign(session, draft.id, " ", town.supervisor.actor, town.world, town.now)
        with town.database.writing() as session, pytest.raises(NotAllowed):
            letters.sign(session, draft.id, "限期清运", town.department.actor, town.world, town.now)
        with town.database.writing() as session:
            signed = letters.sign(session, draft.id, "限期清运", town.supervisor.actor, town.world, town.now)
        assert letters.number(signed) == "督办〔2026〕1 号"
        assert signed.due_at is not None
        assert signed.due_at > town.now
        assert letter_fires(town) == "done"
        with town.database.reading() as session:
            waiting = letters.todo(session, town.supervisor.actor)
            assert [(x.kind, x.state) for x in waiting if x.id != draft.id] == [
                (LetterKind.RECTIFY, LetterState.DRAFT)
            ]
            assert draft.id in {x.id for x in waiting}
            told = [r.payload["happening"] for r in session.exec(select(OutboxRow)) if r.topic == "notify"]
        assert {"letter_signed", "letter_overdue"} <= set(told)

    def test_answered_in_time_it_is_cleared_and_nothing_follows(self, town: Town) -> None:
        overdue(town, "escalate_2")
        with town.database.writing() as session:
            (draft,) = letters.listed(session, town.supervisor.actor)
            letters.sign(session, draft.id, "限期清运", town.supervisor.actor, town.world, town.now)
        with town.database.writing() as session, pytest.raises(NotFound):
            letters.answer(session, draft.id, "已清运", town.drainage.actor, town.now)
        with town.database.writing() as session:
            letters.answer(session, draft.id, "已清运", town.department.actor, town.now)
        with town.database.writing() as session, pytest.raises(Conflict):
            letters.answer(session, draft.id, "再答", town.department.actor, town.now)
        with town.database.writing() as session:
            assert letters.clear(session, draft.id, town.supervisor.actor, town.now).cleared_at == town.now
        assert letter_fires(town) == "void"

    def test_five_work_days_call_for_the_next_kind_and_a_third_rework_for_one_too(self, town: Town) -> None:
        overdue(town, "escalate_2", "escalate_3")
        code = town.worker.reports().code
        for _ in range(3):
            town.department.acts(code, "handle", solved="solved", answer="好", photos=(town.photo(),))
            town.worker.acts(code, "verify_fail", note="没有做到")
        with town.database.reading() as session:
            found = {
                x.kind: sorted(letters.grounds(session, x).values())
                for x in letters.listed(session, town.supervisor.actor)
            }
        assert found == {
            LetterKind.SUPERVISE: ["第三次返工", "超过承办时限 1 工作日"],
            LetterKind.RECTIFY: ["超过承办时限 5 工作日"],
        }


class TestPlans:
    @pytest.mark.acceptance("D21")
    def test_no_task_without_a_registered_plan(self, town: Town) -> None:
        with pytest.raises(InputError, match="不得在计划外开展"):
            publishes(town, "2026-9", 1)
        registers(town, "2026-1", PlanKind.INSPECTION)
        registers(town, "2026-2", PlanKind.RECHECK)
        registers(town, "2026-3", PlanKind.INSPECTION, to_on=date(2026, 2, 1))
        for number in ("2026-2", "2026-3"):
            with pytest.raises(InputError, match=number):
                publishes(town, number, 1)
        publishes(town, "2026-1", 1)
        with town.database.reading() as session:
            assert [(e.number, tasks) for e, tasks, _ in plans.totals(session)] == [
                ("2026-1", 1),
                ("2026-2", 0),
                ("2026-3", 0),
            ]

    def test_a_community_is_not_given_what_the_list_forbids(self, town: Town) -> None:
        registers(town, "2026-1", PlanKind.INSPECTION)
        with pytest.raises(InputError, match="不得由"):
            publishes(town, "2026-1", 1, category=PARKING, executor=COMMUNITY_OFFICE)


def publishes(
    town: Town,
    plan: str,
    points: int,
    *,
    category: str = GARBAGE,
    executor: str = PATROL,
    by: str = "department",
) -> object:
    places = tuple(
        Place(key=f"shop-{n}", name=f"商户 {n}", lon=LON + 0.004 + n / 10_000, lat=LAT + 0.005)
        for n in range(points)
    )
    task = Task(plan, "自备消防器材是否过期", category, SANITATION, executor, places)
    actor = town.people[by].actor
    with town.database.writing() as session:
        return inspections.create(session, task, actor, town.world, town.now)


def visits(town: Town, by: str = "worker") -> list[tuple[InspectionVisit, list[object]]]:
    week_on = town.now.date() - timedelta(days=town.now.weekday())
    with town.database.reading() as session:
        return list(inspections.visits(session, town.people[by].actor, week_on))  # type: ignore[arg-type]


class TestInspections:
    @pytest.mark.acceptance("A11")
    def test_twenty_points_two_abnormal_make_two_tickets(self, town: Town) -> None:
        registers(town, "2026-1", PlanKind.INSPECTION)
        task = publishes(town, "2026-1", 20)
        photo = town.photo()
        for number, (_, (point,)) in enumerate(visits(town)[:10]):
            result = (
                PointResult.ABNORMAL
                if number < 2
                else PointResult.NO_ENTRY
                if number == 2
                else PointResult.NORMAL
            )
            with town.database.writing() as session:
                inspections.check(
                    session, point.id, result, town.worker.actor, town.world, town.now, photos=(photo,)
                )
        with town.database.reading() as session:
            done = inspections.progress(session, task.id)
            codes = inspections.found_tickets(session, task.id)
        assert (done.checked, done.total, done.share) == (10, 20, 0.5)
        assert len(codes) == 2
        assert {town.ticket(code).state for code in codes} == {"dispatched"}

    @pytest.mark.acceptance("D20")
    def test_two_units_at_one_place_in_one_week_are_one_visit_with_two_lists(self, town: Town) -> None:
        registers(town, "2026-1", PlanKind.INSPECTION)
        publishes(town, "2026-1", 2)
        publishes(town, "2026-1", 1, by="drainage")
        assert sorted(len(points) for _, points in visits(town)) == [1, 2]
        town.later(days=7)
        publishes(town, "2026-1", 1)
        assert [len(points) for _, points in visits(town)] == [1]

    def test_a_point_is_looked_at_once_and_by_its_own_grid(self, town: Town) -> None:
        registers(town, "2026-1", PlanKind.INSPECTION)
        publishes(town, "2026-1", 1)
        ((_, (point,)),) = visits(town)
        assert visits(town, "neighbour") == []
        with town.database.writing() as session, pytest.raises(NotFound):
            inspections.check(
                session, point.id, PointResult.NORMAL, town.neighbour.actor, town.world, town.now
            )
        abnormal, photo = PointResult.ABNORMAL, (town.photo(),)
        answers = []
        for _ in range(2):  # the first receipt got lost on the way
            with town.database.writing() as session:
                found = inspections.check(
                    session, point.id, abnormal, town.worker.actor, town.world, town.now, photos=photo
                )
                answers.append(found.code if found else None)
        assert answers[0] is not None
        assert answers[0] == answers[1]
        with town.database.writing() as session, pytest.raises(Conflict, match="已经登记过:异常"):
            inspections.check(session, point.id, PointResult.NORMAL, town.worker.actor, town.world, town.now)


class TestRechecks:
    def draws(self, town: Town, percent: float = 100) -> list[str]:
        since = town.now - timedelta(days=30)
        with town.database.writing() as session:
            found = rechecks.draw(
                session,
                "2026-7",
                percent=percent,
                seed="三月",
                closed_since=since,
                actor=town.supervisor.actor,
                world=town.world,
                now=town.now,
            )
            return [ticket.code for ticket in found]

    @pytest.mark.acceptance("C2")
    def test_unseen_by_the_unit_and_a_failed_one_reopens_as_false_completion(self, town: Town) -> None:
        code = closed(town)
        with pytest.raises(InputError, match="不得在计划外"):
            self.draws(town)
        registers(town, "2026-7", PlanKind.RECHECK)
        assert self.draws(town) == [code]
        with town.database.reading() as session:
            assert rechecks.waiting(session, town.department.actor) == []
            assert [t.code for _, t in rechecks.waiting(session, town.supervisor.actor)] == [code]
            history = [line.event.action for line in queries.history(session, town.ticket(code))]
        assert not any("recheck" in action for action in history)
        with pytest.raises(InputError, match="计划"):
            town.supervisor.acts(code, "recheck_fail", plan="没有", note="还在", photos=(town.photo(),))
        town.supervisor.acts(code, "recheck_fail", plan="2026-7", note="还在", photos=(town.photo(),))
        ticket = town.ticket(code)
        assert (ticket.state, ticket.false_completion, ticket.owner_code) == ("rework", True, SANITATION)

    def test_not_by_those_who_patrol_or_handle(self) -> None:
        allowed = {role for role in ROLES if role_scopes(role, "ticket:recheck")}
        assert {str(ROLES[role].duty_class) for role in allowed} == {"oversight"}

    def test_the_same_seed_draws_the_same(self, town: Town) -> None:
        for _ in range(4):
            closed(town)
        registers(town, "2026-7", PlanKind.RECHECK)
        first = self.draws(town, 50)
        assert len(first) == 2
        assert self.draws(town, 50) == first


class TestCrossVerification:
    def switched_on(self, town: Town) -> None:
        town.world.settings = replace(town.world.settings, cross_check_percent=100)
        town.approves(STREET_OFFICE)  # a change of the standing world, so that it is read anew

    @pytest.mark.acceptance("A10")
    def test_a_neighbour_verifies_not_the_own_grid_nor_the_reporter(self, town: Town) -> None:
        self.switched_on(town)
        code = town.worker.reports().code
        town.department.acts(code, "handle", solved="solved", answer="好", photos=(town.photo(),))
        assert town.ticket(code).verify_grid == EAST
        with pytest.raises(NotAllowed):
            town.worker.acts(code, "verify_pass", photos=(town.photo(),))
        town.neighbour.acts(code, "verify_pass", photos=(town.photo(),))
        assert town.ticket(code).state == "closed"

    def test_where_nobody_can_be_sent_it_stays_and_says_so(self, town: Town) -> None:
        self.switched_on(town)
        code = town.neighbour.reports(at={"lon": LON + 0.005, "lat": LAT + 0.005}).code
        town.department.acts(code, "handle", solved="solved", answer="好", photos=(town.photo(),))
        assert town.ticket(code).verify_grid is None
        with town.database.reading() as session:
            query = select(TicketEvent).where(col(TicketEvent.action) == "handle")
            reasons = session.exec(query).one().reasons
        assert "退回本网格" in reasons["cross_check"]
        town.worker.acts(code, "verify_pass", photos=(town.photo(),))

    def test_off_by_default(self, town: Town) -> None:
        code = town.worker.reports().code
        town.department.acts(code, "handle", solved="solved", answer="好", photos=(town.photo(),))
        assert town.ticket(code).verify_grid is None


@pytest.mark.acceptance("B3")
def test_the_sample_can_be_drawn_again_and_nobody_is_asked_twice_a_week(town: Town) -> None:
    town.world.settings = replace(town.world.settings, callback_percent=30, callback_seed="三月")
    town.approves(STREET_OFFICE)
    codes = [calls(town, reporter_phone=f"1380000{n:04}") for n in range(6)]
    for code in codes:
        verified(town, code)
    expected = {code for code in codes if sampled(code, Asking("Asia/Shanghai", 0.3, "三月"))}
    with town.database.reading() as session:
        tickets = {t.code: t for t in session.exec(select(Ticket))}
        asked = {
            code
            for code in codes
            for row in queries.rows(session, OutboxRow, tickets[code])
            if row.topic == "ask_reporter"
        }
    assert asked == expected
    assert {code for code in codes if tickets[code].state == "closed"} == set(codes) - expected
    assert all(tickets[code].satisfaction is None for code in codes)
    town.world.settings = replace(town.world.settings, callback_percent=100)
    town.approves(STREET_OFFICE)
    again = [calls(town, source=Source.HOTLINE, reporter_phone="13900000000") for _ in range(2)]
    for code in again:
        verified(town, code)
    with town.database.reading() as session:
        sent = [
            row.available_at
            for code in again
            for row in queries.rows(session, OutboxRow, town.ticket(code))
            if row.topic == "ask_reporter"
        ]
    assert sent[1] - sent[0] >= timedelta(days=7)
