"""Redis wakes a worker and can do no harm: not when it is wiped, away or in hostile hands."""

import io
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import redis
from PIL import Image
from rq import Queue
from rq.serializers import JSONSerializer, PickleSerializer

from dispatch.engine import jobs
from dispatch.engine.health import job_times
from dispatch.engine.health.measuring import Labels
from dispatch.engine.parts.children import Forked
from dispatch.engine.parts.redis_server import RedisServer
from dispatch.record.evidence import photos
from dispatch.record.models import OutboxRow, StoredPhoto
from grid.models import Heartbeat
from grid.settings import Settings
from tests.engine.conftest import EngineRoom
from tests.services import private_folder, private_redis
from tests.town import SANITATION

PATIENCE_S = 15.0


def within(check: Callable[[], object], seconds: float = PATIENCE_S) -> None:
    """Wait until `check` holds."""
    give_up_at = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < give_up_at, "did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def settings(room: EngineRoom, redis_url: str, tmp_path: Path) -> Settings:
    jobs._leave_alone_until_s.clear()
    url = room.town.database.engine.url.render_as_string(hide_password=False)
    return replace(
        room.town.world.settings,
        database_url=url,
        redis_url=redis_url,
        photo_url=f"file://{tmp_path / 'photos'}",
    )


def start_worker(settings: Settings, log: Path) -> Forked:
    def work() -> None:
        stop = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        jobs.work(settings, stop)
        os._exit(0)

    return Forked(work, env=dict(os.environ), output=log.open("ab"))


@pytest.fixture
def worker(room: EngineRoom, settings: Settings, tmp_path: Path) -> Iterator[Forked]:
    child = start_worker(settings, tmp_path / "worker.log")
    within(lambda: heartbeats(room, "worker"))
    with redis.Redis.from_url(str(settings.redis_url)) as client:
        within(lambda: client.scard("rq:workers"))
    yield child
    child.send_signal(signal.SIGKILL)
    child.wait()


def heartbeats(room: EngineRoom, part: str) -> list[Heartbeat]:
    from sqlmodel import col, select

    with room.town.database.reading() as session:
        return list(session.exec(select(Heartbeat).where(col(Heartbeat.part) == part)))


def told(settings: Settings) -> dict[str, list[tuple[Labels, float]]]:
    return {one.name: one.samples for one in job_times.measures(settings) if one.samples}


def undone(room: EngineRoom) -> list[OutboxRow]:
    return [row for row in room.rows("notify") if row.done_at is None]


def test_a_wake_up_drains_within_moments_and_sigterm_ends_the_worker(
    room: EngineRoom, settings: Settings, worker: Forked
) -> None:
    room.town.worker.reports()
    assert jobs.wake(settings)
    within(lambda: not undone(room), 5.0)
    assert len(room.notices(organisation_code=SANITATION)) == 1
    within(lambda: "grid_redis_job_seconds_count" in told(settings))
    assert ({"job": "drain"}, 1.0) in told(settings)["grid_redis_job_seconds_count"]
    worker.send_signal(signal.SIGTERM)
    within(lambda: worker.poll() is not None)
    assert worker.returncode == 0


def test_many_commits_make_one_job(room: EngineRoom, settings: Settings) -> None:
    for _ in range(20):
        assert jobs.wake(settings)
    with redis.Redis.from_url(str(settings.redis_url)) as client:
        assert client.llen("rq:queue:wake") == 1


def test_a_hostile_redis_runs_nothing(
    room: EngineRoom, settings: Settings, worker: Forked, tmp_path: Path
) -> None:
    marker = tmp_path / "marker"
    command = f"touch {marker}"
    with redis.Redis.from_url(str(settings.redis_url)) as client:
        for name in (jobs.WAKE, jobs.HEAVY):
            plain = Queue(name, connection=client, serializer=JSONSerializer)
            plain.enqueue("os.system", command)
            plain.enqueue("drain", command, "two")
            plain.enqueue("drain", kwargs={"command": command})
            plain.enqueue("dispatch.engine.jobs.drain")
            Queue(name, connection=client, serializer=PickleSerializer).enqueue(os.system, command)
            job = plain.enqueue("drain")
            client.hset(job.key, "success_callback_name", "os.system")
            client.hset(job.key, "webhooks", '[{"url": "http://127.0.0.1:9/", "job_status": "finished"}]')
            job = plain.enqueue("drain")
            client.hset(job.key, "data", b"\x80garbage")
            client.rpush(f"rq:queue:{name}", "no-such-job", b"\xff\xfe")
        within(lambda: client.llen("rq:queue:wake") == client.llen("rq:queue:heavy") == 0)
    room.town.worker.reports()
    within(lambda: jobs.wake(settings) and not undone(room))
    assert not marker.exists()


def test_thumbnails_are_made_by_the_worker(room: EngineRoom, settings: Settings, worker: Forked) -> None:
    out = io.BytesIO()
    Image.new("RGB", (900, 600)).save(out, "JPEG")
    photo = photos.store(room.town.database, settings, out.getvalue(), None, room.town.now)
    assert all(jobs.ask_for(settings, "make_thumbnails") for _ in range(3))

    def made() -> bool:
        with room.town.database.reading() as session:
            return session.get_one(StoredPhoto, photo.sha256).thumb_at is not None

    within(made)
    with room.town.database.reading() as session:
        kept = session.get_one(StoredPhoto, photo.sha256)
    assert Image.open(io.BytesIO(photos.read_served(settings, kept, thumb=True))).size == (480, 320)


def test_after_a_wiped_redis_the_next_wake_up_works(
    room: EngineRoom, settings: Settings, worker: Forked
) -> None:
    with redis.Redis.from_url(str(settings.redis_url)) as client:
        client.flushall()
    room.town.worker.reports()
    jobs.wake(settings)
    within(lambda: not undone(room))


def test_a_heavy_job_runs_in_a_fork_that_may_be_killed(
    room: EngineRoom, settings: Settings, worker: Forked
) -> None:
    with redis.Redis.from_url(str(settings.redis_url)) as client:
        queue = Queue(jobs.HEAVY, connection=client, job_class=jobs.AllowedJob, serializer=JSONSerializer)
        job = queue.enqueue("collect_photos", result_ttl=60)
        within(lambda: job.is_finished or job.is_failed)
        assert job.is_finished, job.latest_result()
    room.town.worker.reports()
    jobs.wake(settings)
    within(lambda: not undone(room))


def test_an_absent_redis_costs_a_report_next_to_nothing(settings: Settings, tmp_path: Path) -> None:
    away = replace(settings, redis_url=f"unix://{tmp_path}/nobody.sock")
    began_s = time.monotonic()
    assert not any(jobs.wake(away) for _ in range(1000))
    assert time.monotonic() - began_s < 1.0
    assert not jobs.wake(replace(settings, redis_url=None))


def test_a_worker_outlives_its_redis(room: EngineRoom, settings: Settings, tmp_path: Path) -> None:
    folder = private_folder("redis")
    server: RedisServer = private_redis(folder)
    own = replace(settings, redis_url=server.url)
    child = start_worker(own, tmp_path / "worker.log")
    try:
        with redis.Redis.from_url(server.url) as client:
            within(lambda: client.scard("rq:workers"))
        server.kill()
        time.sleep(0.5)
        server.start()
        with redis.Redis.from_url(server.url) as client:
            within(lambda: client.scard("rq:workers"))
        room.town.worker.reports()
        jobs._leave_alone_until_s.clear()
        within(lambda: jobs.wake(own) and not undone(room))
        assert child.poll() is None, (tmp_path / "worker.log").read_text()
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
        server.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_an_idle_worker_does_not_poll(settings: Settings, worker: Forked) -> None:
    with redis.Redis.from_url(str(settings.redis_url)) as client:
        time.sleep(0.5)
        before = client.info("stats")["total_commands_processed"]
        time.sleep(2.0)
        assert client.info("stats")["total_commands_processed"] - before < 20
