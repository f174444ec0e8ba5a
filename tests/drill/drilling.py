"""One drill on one database: start, load, kill, let it settle, stop, count."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from tests.drill.audit import ZERO, Findings, audit, unfinished
from tests.drill.clients import Client, Handler, Ledger, Reporter
from tests.drill.lateness import Lateness, lateness
from tests.drill.service import Service, prepare

REPORTERS = 3
PAUSE_S = (0.2, 1.0)
IDLE_S = 10.0
FLUSH_EVERY = 12
STUCK_S = 30.0


@dataclass
class Outcome:
    """What one drill did and found."""

    database: str
    kills: int
    findings: Findings
    killed: dict[str, int] = field(default_factory=dict)
    answers: dict[int, int] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    seconds: float = 0.0
    settled_s: float = 0.0
    longest_gap_s: float = 0.0
    late: Lateness | None = None
    exit_code: int = 0

    def wrong(self) -> list[str]:
        """Everything that must not be; empty when the drill was passed."""
        counted = [f"{name} {getattr(self.findings, name)}" for name in ZERO if getattr(self.findings, name)]
        return counted + self.findings.details + self.complaints[:5]

    def as_json(self) -> dict[str, Any]:
        figures = asdict(self.findings)
        figures.pop("details")
        own = {
            k: v for k, v in asdict(self).items() if k not in ("findings", "complaints", "database", "late")
        }
        own["answers"] = {str(status): count for status, count in sorted(self.answers.items())}
        late = self.late.as_json() if self.late else {}
        return {**figures, **own, **late, "complaints": len(self.complaints)}


def drill(
    kind: str,
    *,
    kills: int,
    seed: int,
    pause_s: tuple[float, float] = PAUSE_S,
    tell: Callable[[str], None] = print,
) -> Outcome:
    """Kill `kills` times on a database of this kind; everything is removed afterwards."""
    service = prepare(kind)
    try:
        service.start()
        return _drill(service, kind, kills, seed, pause_s, tell)
    finally:
        service.remove()


def _drill(
    service: Service,
    kind: str,
    kills: int,
    seed: int,
    pause_s: tuple[float, float],
    tell: Callable[[str], None],
) -> Outcome:
    dice, began_s = random.Random(seed), time.monotonic()
    ledger, stop = Ledger(), threading.Event()
    people = [Reporter(Client(service.url, "worker", ledger, stop), seed + n) for n in range(REPORTERS)]
    crowd: list[threading.Thread] = [*people, Handler(Client(service.url, "department", ledger, stop), seed)]
    for one in crowd:
        one.start()
    done = 0
    while done < kills:
        _let_it_work(ledger, dice, pause_s)
        done += service.kill_one(dice) is not None
        if done % FLUSH_EVERY == 0:
            service.wipe_redis()
        if done % 20 == 0:
            tell(f"{kind}: {done} kills, {len(ledger.tickets)} reports acknowledged")
    stop.set()
    for one in crowd:
        one.join(timeout=120)
    with service.database.reading() as session:
        judged_at = service.database.now(session)
    settled_s = settle(service, judged_at)
    code = service.stop()
    with service.database.reading() as session:
        findings = audit(session, service.settings, ledger, judged_at)
        late = lateness(session, service.outages())
    return Outcome(
        database=kind,
        kills=done,
        findings=findings,
        killed=service.killed,
        answers=ledger.answers,
        complaints=ledger.complaints,
        seconds=round(time.monotonic() - began_s, 1),
        settled_s=round(settled_s, 1),
        longest_gap_s=round(ledger.longest_gap_s(), 2),
        late=late,
        exit_code=code,
    )


def _let_it_work(ledger: Ledger, dice: random.Random, pause_s: tuple[float, float]) -> None:
    """The next kill comes at a random moment, but never before something was acknowledged since the last one."""
    before, give_up_at = len(ledger.tickets), time.monotonic() + IDLE_S
    time.sleep(dice.uniform(*pause_s))
    while len(ledger.tickets) <= before and time.monotonic() < give_up_at:
        time.sleep(dice.uniform(0.0, 0.1))


def settle(service: Service, judged_at: datetime) -> float:
    """Wait until nothing that was due at `judged_at` is left undone, or no more is being done."""
    began_s = moved_s = time.monotonic()
    left = -1
    while left and time.monotonic() - moved_s < STUCK_S:
        with service.database.reading() as session:
            before, left = left, unfinished(session, judged_at)
        if left != before:
            moved_s = time.monotonic()
        time.sleep(0.2)
    return time.monotonic() - began_s
