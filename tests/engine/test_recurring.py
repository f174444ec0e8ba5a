"""Work that returns is done once a period, again after a crash, and never by two at once."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import col, select

from dispatch.engine import recurring, sweeper
from dispatch.engine.outbox import Tools
from dispatch.engine.timers import DEAD
from dispatch.insight import leasing
from dispatch.record.firing import DONE, VOID
from dispatch.record.models import Timer
from dispatch.upkeep import anchors
from dispatch.upkeep.keeping import keeping
from tests.database.clients import until
from tests.engine.conftest import EngineRoom
from tests.town import Town


def looks(room: EngineRoom, *, times: int = 2) -> int:
    return sum(recurring.look(room.tools) for _ in range(times))


def rows(town: Town) -> list[Timer]:
    with town.database.reading() as session:
        return list(session.exec(select(Timer).where(col(Timer.ticket_id).is_(None))))


def test_each_kind_is_done_once_a_period(room: EngineRoom) -> None:
    room.town.worker.reports()
    assert looks(room) == 0, "nothing is due at ten in the morning but the anchors, and those at five past"
    assert len(rows(room.town)) == len(recurring.ROWS)
    room.town.later(minutes=6)
    assert (looks(room), looks(room)) == (1, 0)
    assert list(anchors.read(anchors.folder_of(room.town.world.settings)))
    room.town.later(hours=17)
    looks(room, times=3)
    with room.town.database.reading() as session:
        kept = keeping(session, room.town.world.settings)
    assert kept.verified_at is not None
    assert kept.wrong == 0
    room.town.later(days=1)
    before = len(rows(room.town))
    looks(room)
    assert len(rows(room.town)) == before + len(recurring.ROWS)


def test_what_an_ended_period_left_undone_is_void(room: EngineRoom) -> None:
    looks(room)
    room.town.later(hours=2, minutes=6)
    looks(room)
    hourly = [timer for timer in rows(room.town) if timer.kind == "anchor_chains"]
    assert [timer.outcome for timer in sorted(hourly, key=lambda timer: timer.due_at)] == [VOID, DONE]
    assert {timer.outcome for timer in rows(room.town) if timer.kind == "prove_chains"} == {None}


def test_what_a_clock_that_was_behind_planned_anew_is_void_when_it_is_right(room: EngineRoom) -> None:
    room.town.later(minutes=6)
    looks(room)
    room.town.later(minutes=-20)
    looks(room, times=1)
    room.town.later(minutes=20)
    looks(room)
    hourly = [timer for timer in rows(room.town) if timer.kind == "anchor_chains"]
    assert [timer.outcome for timer in sorted(hourly, key=lambda timer: timer.due_at)] == [VOID, DONE]


def test_the_desk_of_tickets_leaves_them_alone(room: EngineRoom) -> None:
    looks(room)
    room.town.later(days=2)
    assert room.fire() == 0
    assert {timer.done_at for timer in rows(room.town)} == {None}


def test_a_crash_repeats_it_after_the_lease_and_a_fault_is_given_up(
    room: EngineRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[str] = []

    def crash(_tools: Tools, _now: object) -> None:
        runs.append("run")
        raise KeyboardInterrupt if len(runs) == 1 else ZeroDivisionError

    daily = replace(recurring.ROWS[1], every=timedelta(days=3650), after=timedelta(0), work=crash)
    monkeypatch.setattr(recurring, "ROWS", (daily,))
    recurring.look(room.tools)
    with pytest.raises(KeyboardInterrupt):
        recurring.look(room.tools)
    assert (recurring.look(room.tools), len(runs)) == (0, 1), "leased"
    for _ in range(recurring.ATTEMPTS):
        room.town.later(hours=1)
        recurring.look(room.tools)
    (row,) = rows(room.town)
    assert (row.outcome, row.last_error, len(runs)) == (DEAD, "ZeroDivisionError", recurring.ATTEMPTS)


def test_long_work_keeps_its_lease_and_killed_work_begins_anew_within_ten_seconds(
    room: EngineRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leasing, "RENEW_S", 0.02)
    others: list[int] = []

    def long(tools: Tools, _now: object) -> None:
        for _ in range(3):
            town.later(seconds=leasing.LEASE.total_seconds() * 0.9)
            until(lambda: (rows(town)[0].leased_until or town.now) == town.now + leasing.LEASE)
            others.append(recurring.look(tools))

    town = room.town
    daily = replace(recurring.ROWS[1], every=timedelta(days=3650), after=timedelta(0), work=long)
    monkeypatch.setattr(recurring, "ROWS", (daily,))
    recurring.look(room.tools)
    assert (recurring.look(room.tools), others) == (1, [0, 0, 0])
    assert rows(town)[0].outcome == "done"
    # A kill leaves the lease to run out; the next look comes at most CARE_S later, of a sweeper started within a second.
    assert leasing.LEASE.total_seconds() + sweeper.CARE_S + 1 < 10


def test_what_was_carried_out_long_ago_is_deleted_and_what_waits_is_not(room: EngineRoom) -> None:
    room.town.worker.reports()
    room.drain()
    waiting = room.put("notify", dead_at=room.town.now)
    recurring.prune(room.tools, room.town.now + recurring.KEPT - timedelta(minutes=1))
    assert len(room.rows("notify")) > 1
    recurring.prune(room.tools, room.town.now + recurring.KEPT + timedelta(minutes=1))
    assert [row.id for row in room.rows("notify")] == [waiting]
