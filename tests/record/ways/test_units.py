"""From unit to unit: returns, rulings, assistants, escalation."""

import pytest

from dispatch.record import queries
from dispatch.record.models import Assignment, Timer
from dispatch.rules.workflow import ClockKind
from grid.errors import Conflict, InputError, NotAllowed
from tests.town import (
    COMMUNITY_OFFICE,
    DRAINAGE,
    POLICE,
    SANITATION,
    SECTION,
    STREET_OFFICE,
    Town,
)
from tests.walking import calls, clocks, fires, sent


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
        town.chief.acts(code, "return_answer", lacks="elements", note="写清时间")
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
