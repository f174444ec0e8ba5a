"""Putting right what kind of matter it is: limits follow, what moved one is counted, and a share is looked at again."""

import pytest

from dispatch.insight.metrics import counting
from dispatch.insight.metrics.periods import Period
from dispatch.insight.metrics.slices import Slice
from dispatch.insight.rollups import keeping, recomputing
from dispatch.record import queries
from dispatch.record.effects import correcting
from dispatch.record.models import TicketClock
from dispatch.record.reading import stuck
from dispatch.rules.workflow import ClockKind
from grid.errors import Conflict, NotAllowed
from tests.town import COVER, GARBAGE, STREET_OFFICE, Town
from tests.walking import calls

MOVES = ("limit_moved", "correction_audited", "correction_improper")


def objected(town: Town) -> str:
    """A ticket whose unit says that it is another's."""
    code = calls(town, GARBAGE)
    town.department.acts(code, "object", reason_code="function", organisation=STREET_OFFICE, basis="不归我们")
    return code


def handling(town: Town, code: str) -> TicketClock:
    with town.database.reading() as session:
        rows = queries.rows(session, TicketClock, town.ticket(code))
    return next(row for row in rows if row.kind is ClockKind.HANDLE)


def counts(town: Town) -> list[int]:
    keeping.catch_up(town.database, town.world.settings.zone, town.now)
    today = town.now.astimezone(town.world.settings.zone).date()
    with town.database.reading() as session:
        assert recomputing.mismatches(session, town.now, town.world.settings.zone) == []
        found = counting.totals(session, Slice(Period(today, today)), MOVES)
    return [found[key] for key in MOVES]


def test_limits_follow_and_a_past_instant_is_counted_as_it_was(town: Town) -> None:
    code = objected(town)
    before, then = handling(town, code), town.now
    town.later(minutes=30).dispatcher.acts(
        code, "reclassify", category=COVER, nature="complaint", reason="是井盖破损"
    )
    ticket, after = town.ticket(code), handling(town, code)
    assert (ticket.category_code, ticket.nature, ticket.state) == (COVER, "complaint", "objected")
    assert after.started_at == before.started_at
    assert after.due_at != before.due_at
    assert ticket.due_at == after.due_at
    assert ticket.urgent
    assert counts(town) == [1, 0, 0]
    with town.database.reading() as session:
        (story,) = recomputing.stories(session, town.now)
    assert [c.due_at for c in story.as_of(then).clocks if c.kind == "handle"] == [before.due_at]
    assert [c.due_at for c in story.as_of(town.now).clocks if c.kind == "handle"] == [after.due_at]


def test_what_moves_no_limit_is_not_counted(town: Town) -> None:
    code = objected(town)
    town.dispatcher.acts(code, "reclassify", category=GARBAGE, nature="help", reason="不是投诉")
    assert counts(town) == [0, 0, 0]
    assert not town.ticket(code).correction_drawn


def test_a_share_is_drawn_and_looked_at_by_the_oversight_alone(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(correcting, "DRAWN_PERCENT", 100)
    code = objected(town)
    with pytest.raises(Conflict, match="没有抽中"):
        town.supervisor.acts(code, "audit_correction", finding="proper")
    town.dispatcher.acts(code, "reclassify", category=COVER, reason="是井盖破损")
    with town.database.reading() as session:
        (listed,) = stuck.stuck(session, town.supervisor.actor, town.now, only="to_audit")
    assert (listed.ticket.code, "抽中待审" in "".join(listed.reasons)) == (code, True)
    with pytest.raises(NotAllowed):
        town.dispatcher.acts(code, "audit_correction", finding="proper")
    town.supervisor.acts(code, "audit_correction", finding="improper", note="仍是垃圾")
    assert not town.ticket(code).correction_drawn
    assert counts(town) == [1, 1, 1]


def test_nobody_corrects_what_a_unit_has_in_work(town: Town) -> None:
    code = calls(town, GARBAGE)
    with pytest.raises(Conflict):
        town.dispatcher.acts(code, "reclassify", category=COVER, reason="x")
    with pytest.raises(NotAllowed):
        town.department.acts(code, "reclassify", category=COVER, reason="x")
