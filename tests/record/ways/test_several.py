"""Several tickets or callers in one matter."""

import pytest

from dispatch.record import queries
from dispatch.record.effects.sorting import children
from dispatch.record.models import Assignment, LinkKind
from grid.errors import InputError, NotAllowed
from tests.town import (
    COVER,
    DRAINAGE,
    NOBODYS,
    SANITATION,
    Town,
)
from tests.walking import calls, clocks, verified


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
