"""Effects happen once, whoever raises, races or is killed; what cannot be done is given up and can be revived."""

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlmodel import Session

from dispatch.engine import outbox
from dispatch.engine.claiming import Due, LostRace, mark_done
from dispatch.engine.outbox import EFFECT_ATTEMPTS, EFFECTS
from dispatch.record.models import Notice
from dispatch.record.world import World
from grid.errors import Unavailable
from tests.engine.conftest import EngineRoom
from tests.town import DISTRICT, GARBAGE, SANITATION


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Topic "poison": an effect that writes a notice and then always raises; the list counts its runs."""
    runs: list[int] = []

    def effect(session: Session, rows: Sequence[Due], world: World, now: datetime) -> None:
        for row in rows:
            runs.append(1)
            session.add(
                Notice(intake_district=DISTRICT, id=row.id, outbox_id=row.id, text="毒", created_at=now)
            )
        session.flush()
        raise ZeroDivisionError

    monkeypatch.setitem(EFFECTS, "poison", effect)
    return runs


def test_a_dispatch_reaches_the_unit_once(room: EngineRoom) -> None:
    code = room.town.worker.reports().code
    assert room.drain() == 1
    assert room.drain() == 0
    (row,) = room.rows("notify")
    assert (row.done_at, row.attempts) == (room.town.now, 0)
    (notice,) = room.notices(organisation_code=SANITATION)
    assert code in notice.text
    assert "暴露垃圾" in notice.text
    assert "井巷第一网格" in notice.text


def test_a_poison_row_spoils_only_itself_and_is_given_up(room: EngineRoom, poison: list[int]) -> None:
    code = room.town.worker.reports().code
    bad = room.put("poison")
    room.town.worker.reports()
    assert room.drain() == 2
    assert len(room.notices(organisation_code=SANITATION)) == 2
    assert room.row(bad).attempts == 1
    room.drain()
    assert room.row(bad).attempts == 1, "a row that failed is not due again at once"
    for _ in range(EFFECT_ATTEMPTS):
        room.town.later(hours=1)
        room.drain()
    row = room.row(bad)
    assert (row.attempts, row.done_at, row.last_error) == (EFFECT_ATTEMPTS, None, "ZeroDivisionError")
    runs = len(poison)
    room.town.later(hours=1)
    assert room.drain() == 0
    assert len(poison) == runs
    assert not [n for n in room.notices() if n.text == "毒"], "nothing of a failed effect remains"
    assert room.town.ticket(code).state == "dispatched"


def test_a_dead_letter_is_shown_and_runs_again(room: EngineRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = room.put("from-a-newer-version")
    for _ in range(EFFECT_ATTEMPTS):
        room.drain()
        room.town.later(hours=1)
    with room.town.database.reading() as session:
        (dead,) = outbox.dead_letters(session)
    assert dead.id == unknown
    assert "from-a-newer-version" in (dead.last_error or "")
    monkeypatch.setitem(EFFECTS, "from-a-newer-version", lambda *_: None)
    assert room.drain() == 0
    key = (DISTRICT, unknown)
    assert room.town.database.write(lambda s: outbox.run_again(s, key, room.town.now))
    assert room.drain() == 1
    assert not room.town.database.write(lambda s: outbox.run_again(s, key, room.town.now))


def test_the_fence_lets_nothing_through_twice(room: EngineRoom) -> None:
    room.town.worker.reports()
    room.drain()
    (row,) = room.rows("notify")
    key = (row.intake_district, row.id)

    def again(session: Session) -> None:
        session.add(
            Notice(
                intake_district=DISTRICT, id=row.id, outbox_id=row.id, text="二", created_at=row.created_at
            )
        )
        mark_done(session, key, room.town.now)

    with pytest.raises(LostRace):
        room.town.database.write(again)
    assert not [n for n in room.notices() if n.text == "二"]


def test_many_drainers_share_the_work(room: EngineRoom) -> None:
    for _ in range(30):
        room.town.worker.reports(GARBAGE)
    done: list[int] = []
    threads = [threading.Thread(target=lambda: done.append(room.drain())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    room.drain()
    assert len(room.notices(organisation_code=SANITATION)) == 30
    assert all(row.done_at for row in room.rows("notify"))


def test_a_lost_database_is_nobodys_failure(room: EngineRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    room.town.worker.reports()

    def gone(*_: object) -> None:
        raise Unavailable("数据库暂时不可用")

    monkeypatch.setitem(EFFECTS, "notify", gone)
    with pytest.raises(Unavailable):
        room.drain()
    (row,) = room.rows("notify")
    assert (row.attempts, row.done_at) == (0, None)


def test_the_pause_doubles_with_jitter_and_has_an_end() -> None:
    samples = [outbox.pause_s(5) for _ in range(200)]
    assert 8.0 <= min(samples) < max(samples) <= 16.0
    assert len(set(samples)) > 100
    assert outbox.pause_s(60) <= outbox.LONGEST_PAUSE_S


def test_rows_are_not_due_before_their_time(room: EngineRoom) -> None:
    room.town.worker.reports()
    (row,) = room.rows("notify")
    room.town.now -= timedelta(seconds=1)
    assert (room.drain(), room.row(row.id).attempts) == (0, 0)
    room.town.now += timedelta(seconds=1)
    assert room.drain() == 1
