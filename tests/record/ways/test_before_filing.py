"""Before a ticket is filed, and what is asked for more."""

from datetime import timedelta

import pytest

from dispatch.record.intake import Mode
from dispatch.rules.workflow import ClockKind
from grid.errors import Conflict, InputError, NotAllowed
from tests.town import (
    CONSULT,
    COVER,
    SANITATION,
    SCRAPS,
    Town,
)
from tests.walking import calls, clocks, fires


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
