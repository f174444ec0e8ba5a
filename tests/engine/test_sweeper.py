"""The sweeper goes on by itself: through work, through an absent database, until it is told to stop."""

import threading
import time
from dataclasses import replace
from pathlib import Path

from sqlalchemy import select as core_select
from sqlmodel import col, select

from dispatch.engine import sweeper
from dispatch.engine.sweeper import repeat
from dispatch.record.models import Ticket
from grid.models import Heartbeat
from tests.engine.conftest import EngineRoom
from tests.engine.test_jobs import undone, within
from tests.services import PostgresCluster
from tests.town import SANITATION, Town, found_town, open_town


def start(town: Town, folder: Path) -> tuple[threading.Thread, threading.Event]:
    stop = threading.Event()
    url = town.database.engine.url.render_as_string(hide_password=False)
    settings = replace(town.world.settings, database_url=url, instance_path=folder)
    thread = threading.Thread(target=sweeper.run, args=(settings, stop), daemon=True)
    thread.start()
    return thread, stop


def test_it_carries_out_beats_and_stops(room: EngineRoom, tmp_path: Path) -> None:
    thread, stop = start(room.town, tmp_path)
    room.town.worker.reports()
    within(lambda: not undone(room) and room.notices(organisation_code=SANITATION), 5.0)
    with room.town.database.reading() as session:
        assert session.exec(select(Heartbeat).where(col(Heartbeat.part) == "sweeper")).all()
    stop.set()
    thread.join(timeout=5)
    assert not thread.is_alive()


def test_two_sweepers_do_everything_once(room: EngineRoom, tmp_path: Path) -> None:
    running = [start(room.town, tmp_path) for _ in range(2)]
    for _ in range(20):
        room.town.worker.reports()
    try:
        within(lambda: not undone(room))
    finally:
        for thread, stop in running:
            stop.set()
            thread.join(timeout=10)
    told = [n.ticket_id for n in room.notices(organisation_code=SANITATION) if "已派给" in n.text]
    assert len(told) == len(set(told)) == 20


def test_it_outlives_its_database(tmp_path: Path) -> None:
    cluster = PostgresCluster(durable=True)
    cluster.create()
    cluster.start()
    try:
        url = cluster.url(cluster.new_database())
        found_town(url, tmp_path)
        town = open_town(url, tmp_path)
        thread, stop = start(town, tmp_path)
        town.worker.reports()
        cluster.kill()
        time.sleep(1.0)
        assert thread.is_alive()
        cluster.start()
        town.database.dispose()
        room = EngineRoom(town, None, None)  # type: ignore[arg-type]
        town.worker.reports()
        within(lambda: not undone(room), 12.0)
        stop.set()
        thread.join(timeout=10)
        assert not thread.is_alive()
        town.database.dispose()
    finally:
        cluster.remove()


def test_failing_it_neither_ends_nor_spins() -> None:
    stop, looks = threading.Event(), []

    def fails() -> int:
        looks.append(time.monotonic())
        raise RuntimeError

    thread = threading.Thread(target=repeat, args=(fails, stop))
    thread.start()
    time.sleep(3.0)
    stop.set()
    thread.join(timeout=6)
    assert not thread.is_alive()
    assert 2 <= len(looks) <= 6


def test_writers_and_the_view_of_the_world_do_not_wait_in_a_ring(town: Town) -> None:
    """One holds the database and asks for the world, the other the world and asks for the database."""
    waiting = threading.Thread(
        target=lambda: town.database.write(lambda session: town.world.refresh(session, at_once=True))
    )
    began_s = time.monotonic()
    with town.database.writing() as session:
        session.execute(core_select(col(Ticket.id)))
        waiting.start()
        time.sleep(0.3)
        town.world.refresh(session, at_once=True)
    waiting.join(timeout=10)
    assert time.monotonic() - began_s < 5.0


def test_after_an_outage_a_backlog_goes_down_without_a_pause(room: EngineRoom) -> None:
    for _ in range(60):
        room.town.worker.reports()
    room.town.later(days=30)
    due = len([t for t in room.timers(pending=True) if t.due_at <= room.town.now])
    assert due == 180
    fired = room.fire()
    assert fired == due, "one look settles everything that was due, and nothing that came up meanwhile"
