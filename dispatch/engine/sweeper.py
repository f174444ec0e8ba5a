"""The sweeper: looks every half second for what is due and carries it out. Several may run; none is needed twice.

It never ends before it is told to: without a database it waits, longer each time, and goes on when it is back.
"""

import contextlib
import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from dispatch.engine import outbox, recurring, standing_work, timers
from dispatch.engine.outbox import Tools
from dispatch.engine.parts.heartbeats import BEAT_SECONDS, beat
from dispatch.engine.sending import delivering
from dispatch.insight.rollups import keeping
from grid.settings import Settings

log = logging.getLogger(__name__)

TICK_S = 0.5
# With the lease of long work (6 s) this is how soon what was killed begins anew.
CARE_S = 2.0
MAPS_EVERY = 10
LONGEST_PAUSE_S = 1.0


def run(settings: Settings, stop: threading.Event) -> None:
    """Sweep until `stop` is set. Sends to the outside and the work that returns have threads of their own: neither a
    slow gateway nor a proof of all chains delays a timer."""
    tools = Tools.open(settings)
    sender = threading.Thread(target=_send_loop, args=(settings, stop), name="sender", daemon=True)
    sender.start()
    threading.Thread(target=_care_loop, args=(settings, stop), name="caretaker", daemon=True).start()
    sweeper = Sweeper(tools, stop)
    try:
        repeat(sweeper.tick, stop)
    finally:
        sender.join(timeout=delivering.LEASE.total_seconds())
        tools.database.dispose()


def _send_loop(settings: Settings, stop: threading.Event) -> None:
    tools = Tools.open(settings)
    try:
        repeat(lambda: delivering.send(tools), stop)
    finally:
        tools.database.dispose()


def _care_loop(settings: Settings, stop: threading.Event) -> None:
    tools = Tools.open(settings)
    looks = 0
    try:
        while not stop.wait(CARE_S):
            for look in (recurring.look, standing_work.look):
                with contextlib.suppress(Exception):  # without a database the next look is soon enough
                    look(tools)
            if looks % MAPS_EVERY == 0:
                with contextlib.suppress(Exception):
                    standing_work.draw_maps(tools)
            looks += 1
    finally:
        tools.database.dispose()


def repeat(look: Callable[[], int], stop: threading.Event) -> None:
    """Look again and again: at once while there is work, each tick when idle, ever more rarely while it fails."""
    failures = 0
    pause_s = 0.0
    while not stop.wait(pause_s):
        try:
            pause_s = 0.0 if look() else TICK_S
            failures = 0
        except Exception as error:
            failures += 1
            pause_s = min(TICK_S * 2.0**failures, LONGEST_PAUSE_S) * random.uniform(0.5, 1.0)  # noqa: S311
            log.warning("sweep failed (%s), trying again in %.1f s", type(error).__name__, pause_s)


@dataclass
class Sweeper:
    """One sweeper's memory between ticks."""

    tools: Tools
    stop: threading.Event
    watch: timers.ClockWatch = field(default_factory=timers.ClockWatch)
    part: str = "sweeper"
    _beat_s: float = float("-inf")

    def __post_init__(self) -> None:
        self.desk = timers.TimerDesk(self.tools)

    def tick(self) -> int:
        """One look at everything; the answer is how much was done."""
        self._beat()
        if self._clock_jumped():
            return 0
        done = self.desk.fire_due(stop=self.stop.is_set)
        done += outbox.drain(self.tools, stop=self.stop.is_set)
        return done + keeping.catch_up(self.tools.database, self.tools.world.settings.zone, batches=1)

    def _clock_jumped(self) -> bool:
        with self.tools.database.reading() as session:
            now = self.tools.clock(session)
        by_s = self.watch.jump_s(now)
        if by_s is None:
            return False
        log.warning("the clock jumped by %+.1f s: timers are held for one tick", by_s)
        with self.tools.database.writing() as session:
            timers.record_jump(session, now, by_s)
        return True

    def _beat(self) -> None:
        if time.monotonic() - self._beat_s < BEAT_SECONDS:
            return
        with self.tools.database.writing() as session:
            beat(session, part=self.part, now=self.tools.clock(session))
        self._beat_s = time.monotonic()
