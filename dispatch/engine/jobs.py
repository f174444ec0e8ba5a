"""What Redis is for: waking a worker at once, and heavy work. Losing it loses nothing.

A job names a function of `ALLOWED` and at most one row id; whatever else stands in Redis is refused, since whoever
can write there could otherwise run anything. Progress and results live in the database.
"""

import contextlib
import logging
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.exceptions import DeserializationError
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.timeouts import JobTimeoutException
from rq.worker import SimpleWorker

from dispatch.engine import outbox, standing_work
from dispatch.engine.health import job_times
from dispatch.engine.outbox import Tools
from dispatch.engine.parts.children import die_with_parent
from dispatch.engine.parts.heartbeats import BEAT_SECONDS, beat
from dispatch.record.evidence import photos
from grid.settings import Settings

log = logging.getLogger(__name__)

WAKE, HEAVY = "wake", "heavy"
ASKED, ASKED_MS = "grid:asked:", 2000
REDIS_TIMEOUT_S = 1.0
FIRST_PAUSE_S, LEAVE_ALONE_S = 0.5, 5.0
WORKER_TTL_S = 30
DRAIN_TIMEOUT_S = 60
HEAVY_TIMEOUT_S = 3600

_here = threading.local()
_clients: dict[str, Redis] = {}
_leave_alone_until_s: dict[str, float] = {}


class RefusedJob(Exception):
    """A job that is not one of ours."""


def drain() -> None:
    """Carry out what is due: the one job behind every wake-up."""
    outbox.drain(_tools())


def make_thumbnails() -> None:
    """Make the small copies of photos that came in."""
    standing_work.make_thumbnails(_tools())


def collect_photos() -> None:
    """Delete photos that no ticket came to refer to."""
    tools = _tools()
    with tools.database.reading() as session:
        now = tools.clock(session)
    photos.collect(tools.database, tools.world.settings, now=now)


def rehearse() -> None:
    """Carry out the rehearsals that wait."""
    standing_work.rehearse(_tools())


def index_borders() -> None:
    """Build the indexes of drafts that wait for one."""
    standing_work.build_indexes(_tools())


# Light jobs run in the worker itself; heavy ones in a fork that may crash or grow without harm.
LIGHT: dict[str, Callable[..., None]] = {"drain": drain, "make_thumbnails": make_thumbnails}
WEIGHTY: dict[str, Callable[..., None]] = {
    "collect_photos": collect_photos,
    "rehearse": rehearse,
    "index_borders": index_borders,
}
ALLOWED: dict[str, Callable[..., None]] = {**LIGHT, **WEIGHTY}


class AllowedJob(Job):
    """A job that can only be one of `ALLOWED`, with at most one id: nothing is imported by a name from Redis."""

    @property
    def func(self) -> Callable[..., None]:
        one_id = len(self.args) == 0 or (len(self.args) == 1 and isinstance(self.args[0], str | int))
        if self.func_name not in ALLOWED or self.instance or self.kwargs or not one_id:
            raise RefusedJob("not an allowed function with at most one row id")
        return ALLOWED[self.func_name]

    def restore(self, raw_data: Any) -> Any:
        """Read the job without what would call something else: callbacks and webhooks."""
        restored = super().restore(raw_data)
        self._success_callback_name = self._failure_callback_name = self._stopped_callback_name = None
        self.webhooks = []
        return restored


def wake(settings: Settings) -> bool:
    """Hint that something was committed; called after the commit. The sweeper finds it anyway."""
    return _hint(settings, WAKE, "drain", ttl=60, job_timeout=DRAIN_TIMEOUT_S)


def ask_for(settings: Settings, name: str) -> bool:
    """Hint that work waits in the database; the care-taker finds it anyway."""
    return _hint(settings, HEAVY, name, job_timeout=HEAVY_TIMEOUT_S)


def _hint(settings: Settings, queue: str, name: str, **limits: int) -> bool:
    """Never raises and never waits long. Many hints before the job begins make one job; the flag that says so runs
    out by itself, should the job be lost."""
    url = settings.redis_url
    if not url or _leave_alone_until_s.get(url, 0.0) > time.monotonic():
        return False
    try:
        client = _client(settings)
        if client.set(ASKED + name, 1, nx=True, px=ASKED_MS):
            jobs = Queue(queue, connection=client, job_class=AllowedJob, serializer=JSONSerializer)
            jobs.enqueue(name, result_ttl=0, failure_ttl=60, **limits)
    except (RedisError, OSError) as error:
        _leave_alone_until_s[url] = time.monotonic() + LEAVE_ALONE_S
        log.warning("no hint through Redis (%s); the sweeper looks by itself", type(error).__name__)
        return False
    return True


def work(settings: Settings, stop: threading.Event) -> None:
    """Work off jobs until told to stop; without Redis, wait for it."""
    _here.tools = Tools.open(settings)
    beats = threading.Thread(target=_beat_loop, args=(settings, stop), name="heartbeat", daemon=True)
    beats.start()
    pause_s = FIRST_PAUSE_S
    while not stop.is_set():
        began_s = time.monotonic()
        try:
            with _own_handlers():
                _worker(settings, stop).work(logging_level="WARNING")
        except (RedisError, OSError) as error:
            log.warning("worker lost Redis (%s)", type(error).__name__)
        steady = time.monotonic() - began_s > LEAVE_ALONE_S
        pause_s = FIRST_PAUSE_S if steady else min(pause_s * 2, LEAVE_ALONE_S)
        stop.wait(pause_s * random.uniform(0.5, 1.0))  # noqa: S311
    _here.tools.database.dispose()
    _here.tools = None


class OwnWorker(Worker):
    """Runs light jobs in its own process, where everything is loaded and connected, and forks for heavy ones."""

    max_connection_wait_time = LEAVE_ALONE_S
    stop_event: threading.Event

    def execute_job(self, job: Job, queue: Queue) -> None:
        began_s = time.monotonic()
        # Whatever is committed from here on gets a hint of its own.
        with contextlib.suppress(RedisError):
            self.connection.delete(ASKED + _name_of(job))
        if _name_of(job) in LIGHT and not (job.args or job.kwargs or job.instance):
            self._carry_out(job, queue)
        elif _name_of(job) in WEIGHTY:
            super().execute_job(job, queue)
        else:
            SimpleWorker.execute_job(self, job, queue)  # type: ignore[arg-type]
        with contextlib.suppress(RedisError):
            job_times.note(self.connection, _name_of(job), time.monotonic() - began_s)

    def _carry_out(self, job: Job, queue: Queue) -> None:
        """A hint needs no records of its execution, which would cost more than it and delay it: should it fail or be
        killed, the sweeper does the same within a second."""
        try:
            with self.death_penalty_class(DRAIN_TIMEOUT_S, JobTimeoutException, job_id=job.id):
                LIGHT[str(job.func_name)]()
        except Exception as error:
            log.warning("%s failed (%s); the sweeper goes on", job.func_name, type(error).__name__)
        with self.connection.pipeline(transaction=False) as pipe:
            pipe.lrem(queue.intermediate_queue_key, 1, job.id)
            pipe.delete(job.key)
            pipe.execute()

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        die_with_parent()
        # The connections belong to the parent: leave them open for it and make our own.
        _tools().database.engine.dispose(close=False)
        super().main_work_horse(job, queue)

    def dequeue_job_and_maintain_ttl(self, *args: Any, **more: Any) -> Any:
        if self.stop_event.is_set():
            return None
        return super().dequeue_job_and_maintain_ttl(*args, **more)

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        self.stop_event.set()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    def _install_signal_handlers(self) -> None:
        if threading.current_thread() is threading.main_thread():
            super()._install_signal_handlers()  # type: ignore[no-untyped-call]


def _name_of(job: Job) -> str:
    """One of ours, or `refused`: what else stands in Redis becomes no label of ours."""
    try:
        return job.func_name if job.func_name in ALLOWED else job_times.REFUSED
    except DeserializationError:
        return job_times.REFUSED


@contextlib.contextmanager
def _own_handlers() -> Iterator[None]:
    """Give the stop signals back when the worker has ended: its handlers mean nothing outside its loop."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _worker(settings: Settings, stop: threading.Event) -> OwnWorker:
    connection = _connect(settings, timeout_s=None)
    worker = OwnWorker(
        [WAKE, HEAVY],
        connection=connection,
        job_class=AllowedJob,
        serializer=JSONSerializer,
        worker_ttl=WORKER_TTL_S,
        default_result_ttl=0,
        log_job_description=False,
    )
    worker.stop_event = stop
    return worker


def _beat_loop(settings: Settings, stop: threading.Event) -> None:
    tools = Tools.open(settings)
    while not stop.is_set():
        with contextlib.suppress(Exception), tools.database.writing() as session:
            beat(session, part="worker", now=tools.clock(session))
        stop.wait(BEAT_SECONDS)
    tools.database.dispose()


def _tools() -> Tools:
    tools: Tools | None = getattr(_here, "tools", None)
    if tools is None:
        raise RuntimeError("jobs run inside `work` only")
    return tools


def _client(settings: Settings) -> Redis:
    url = str(settings.redis_url)
    if url not in _clients:
        _clients[url] = _connect(settings, timeout_s=REDIS_TIMEOUT_S)
    return _clients[url]


def _connect(settings: Settings, *, timeout_s: float | None) -> Redis:
    url = str(settings.redis_url)
    over_network = {} if url.startswith("unix:") else {"socket_connect_timeout": REDIS_TIMEOUT_S}
    return Redis.from_url(url, socket_timeout=timeout_s, **over_network)
