"""Timers fire once, never early, after any outage; a moved clock is noticed."""

import threading
import time
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlmodel import col, select

from dispatch.engine import timers
from dispatch.engine.sweeper import Sweeper
from dispatch.engine.timers import ATTEMPTS, ClockWatch, TimerDesk
from dispatch.record import firing
from dispatch.record.models import TicketEvent, Timer
from dispatch.record.oversight.letters import LETTER_DUE
from dispatch.record.reading.together import Together
from grid.models import StandingChange
from tests.engine.conftest import EngineRoom
from tests.town import DISTRICT, Town


def events(town: Town, action: str) -> list[TicketEvent]:
    with town.database.reading() as session:
        return list(session.exec(select(TicketEvent).where(col(TicketEvent.action) == action)))


def test_a_timer_fires_at_its_time_and_once(room: EngineRoom) -> None:
    room.town.worker.reports()
    due_at = min(t.due_at for t in room.timers(pending=True))
    room.town.now = due_at - timedelta(microseconds=1)
    assert room.fire() == 0
    room.town.now = due_at
    assert room.fire() == 1
    assert room.fire() == 0
    assert len(events(room.town, "auto_sign")) == 1
    (fired,) = [timer for timer in room.timers(pending=False) if timer.due_at == due_at]
    assert fired.outcome == firing.DONE, "though what it did stopped its own clock"


def test_after_an_outage_everything_overdue_fires_once(room: EngineRoom) -> None:
    for _ in range(10):
        room.town.worker.reports()
    room.town.later(days=60)
    desks = [TimerDesk(room.tools) for _ in range(4)]

    def all_rungs(desk: TimerDesk) -> None:
        for _ in range(12):
            desk.fire_due()

    threads = [threading.Thread(target=all_rungs, args=(desk,)) for desk in desks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    time.sleep(0.6)  # what was left alone because another desk held its ticket
    all_rungs(desks[0])
    assert all(t.due_at > room.town.now for t in room.timers(pending=True))
    for action in ("auto_sign", "escalated"):
        per_ticket = [e.ticket_id for e in events(room.town, action)]
        assert len(set(per_ticket)) == 10
    rungs = [
        (e.ticket_id, e.given["clock"], e.given["rung"]) for e in events(room.town, "overdue") if e.given
    ]
    assert len(rungs) == len(set(rungs)) == 20  # each ticket's total clock and handling clock turned red once


def test_a_poison_timer_is_given_up_and_spoils_no_other(
    room: EngineRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = room.town.worker.reports(), room.town.worker.reports()
    real = firing.apply

    def fire(batch: Together, timer: Timer, *rest: object) -> str:
        if timer.ticket_id == first.ticket_id:
            raise ZeroDivisionError
        return real(batch, timer, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(firing, "apply", fire)
    room.town.later(hours=3)
    assert room.fire() == 1
    assert {e.ticket_id for e in events(room.town, "auto_sign")} == {second.ticket_id}
    for _ in range(ATTEMPTS):
        room.fire()
    with room.town.database.reading() as session:
        (dead,) = timers.dead_timers(session)
    assert dead.attempts == ATTEMPTS
    monkeypatch.setattr(firing, "apply", real)
    assert room.fire() == 0
    room.town.database.write(lambda s: timers.run_again(s, (DISTRICT, dead.id)))
    assert room.fire() == 1
    assert len(events(room.town, "auto_sign")) == 2


def test_one_desk_leaves_a_failing_timer_alone_for_a_while(
    room: EngineRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.town.worker.reports()
    room.town.later(hours=3)
    runs = []

    def fire(*_: object) -> str:
        runs.append(1)
        raise ZeroDivisionError

    monkeypatch.setattr(firing, "apply", fire)
    desk = TimerDesk(room.tools)
    for _ in range(5):
        desk.fire_due()
    assert len(runs) == 2, "once together with others, once alone"


@pytest.mark.parametrize(("wall_s", "jumped"), [(1.0, False), (5.5, False), (3601.0, True), (-7199.0, True)])
def test_a_moved_clock_is_told_from_time_that_passes(room: EngineRoom, wall_s: float, jumped: bool) -> None:
    steady = iter([100.0, 101.0])
    watch = ClockWatch(monotonic=lambda: next(steady))
    watch.jump_s(room.town.now)
    assert (watch.jump_s(room.town.now + timedelta(seconds=wall_s)) is not None) is jumped


def test_a_jump_is_audited_and_holds_the_timers_for_one_tick(room: EngineRoom) -> None:
    room.town.worker.reports()
    room.drain()
    sweeper = Sweeper(room.tools, threading.Event())
    sweeper.tick()
    room.town.later(hours=3)
    assert sweeper.tick() == 0
    with room.town.database.reading() as session:
        (change,) = session.exec(select(StandingChange).where(col(StandingChange.thing) == "clock")).all()
    assert change.action == "jumped"
    assert sweeper.tick() >= 1
    assert len(events(room.town, "auto_sign")) == 1


def test_two_hours_back_fires_nothing_early_and_nothing_twice(room: EngineRoom) -> None:
    room.town.worker.reports()
    room.town.later(hours=3)
    assert room.fire() == 1
    before = len(room.timers(pending=False))
    room.town.now -= timedelta(hours=2)
    assert room.fire() == 0
    room.town.later(hours=2)
    assert room.fire() == 0
    assert len(room.timers(pending=False)) == before


def test_a_letter_comes_due_though_it_belongs_to_no_ticket(room: EngineRoom) -> None:
    key = f"{LETTER_DUE}:{uuid4()}"
    timer = Timer(intake_district=DISTRICT, id=uuid4(), kind=LETTER_DUE, key=key, due_at=room.town.now)
    with room.town.database.writing() as session:
        session.add(timer)
    assert room.fire() == 1
    (settled,) = room.timers(pending=False)
    assert settled.outcome == firing.VOID, "there is no such letter"
