"""Whom to ask, when, and what the answers mean: quiet hours, three attempts, one call a person and week.

Whoever could not be reached stays in the count of those asked; an answer not given is never a satisfied one.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dispatch.rules.guards import CALLBACK_ATTEMPTS

PER_PERSON = timedelta(days=7)
CALL_FROM, CALL_TO = time(9), time(20)
LUNCH_FROM, LUNCH_TO = time(12), time(14)
SATISFIED_FROM = 3


@dataclass(frozen=True, slots=True)
class Asking:
    """How a city asks; a setting may give other hours, shares and numbers."""

    zone: str
    sample_share: float = 1.0
    seed: str = "callback"
    attempts: int = CALLBACK_ATTEMPTS

    def __post_init__(self) -> None:
        if not 0 <= self.sample_share <= 1:
            raise ValueError(f"回访抽样比例 {self.sample_share} 须在 0 与 1 之间")


@dataclass(frozen=True, slots=True)
class Askable:
    """One ticket to ask about since it was handled or its limit passed; `person` is one per telephone."""

    ticket: str
    person: str
    since_at: datetime
    attempts: int = 0
    last_attempt_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One call that asks one person about all their matters, not before an instant."""

    person: str
    tickets: tuple[str, ...]
    not_before_at: datetime


def sampled(ticket: str, asking: Asking) -> bool:
    """Whether this ticket is in the sample: by its key and the seed alone, so anyone can check it later."""
    if asking.sample_share >= 1:
        return True
    digest = hashlib.sha256(f"{asking.seed}:{ticket}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64 < asking.sample_share


def next_civil_hour(at: datetime, asking: Asking) -> datetime:
    """The instant itself if people may be called then, else the next one at which they may."""
    zone = ZoneInfo(asking.zone)
    here = at.astimezone(zone)
    clock = here.time()
    if clock < CALL_FROM:
        return _on(here.date(), CALL_FROM, zone)
    if LUNCH_FROM <= clock < LUNCH_TO:
        return _on(here.date(), LUNCH_TO, zone)
    if clock >= CALL_TO:
        return _on(here.date() + timedelta(days=1), CALL_FROM, zone)
    return at.astimezone(UTC)


def next_waking_hour(at: datetime, asking: Asking) -> datetime:
    """The same for a written message, which may come at noon but not at night."""
    zone = ZoneInfo(asking.zone)
    here = at.astimezone(zone)
    if here.time() < CALL_FROM:
        return _on(here.date(), CALL_FROM, zone)
    if here.time() >= CALL_TO:
        return _on(here.date() + timedelta(days=1), CALL_FROM, zone)
    return at.astimezone(UTC)


def attempt_at(matter: Askable, asking: Asking) -> datetime | None:
    """When to try: the day after, then once a day; None when the attempts are used up."""
    if matter.attempts >= asking.attempts:
        return None
    zone = ZoneInfo(asking.zone)
    before = matter.last_attempt_at or matter.since_at
    return _on(before.astimezone(zone).date() + timedelta(days=1), CALL_FROM, zone)


def plan_calls(
    matters: Iterable[Askable], last_called: dict[str, datetime], asking: Asking, now: datetime
) -> list[Call]:
    """Calls to make: all of a person's matters in one, and no person twice within a week.

    `last_called` says when a person last took a call (an attempt that nobody answered is none). A matter that
    comes in within the week waits for its end, and no matter is left out.
    """
    waiting: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for matter in matters:
        at = attempt_at(matter, asking)
        if at is not None and sampled(matter.ticket, asking):
            waiting[matter.person].append((at, matter.ticket))
    calls = []
    for person, tickets in waiting.items():
        reached_at = last_called.get(person)
        earliest = max(min(at for at, _ in tickets), now)
        if reached_at is not None:
            earliest = max(earliest, reached_at + PER_PERSON)
        not_before_at = next_civil_hour(earliest, asking)
        calls.append(Call(person, tuple(sorted(code for _, code in tickets)), not_before_at))
    return sorted(calls, key=lambda call: (call.not_before_at, call.person))


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking: not reached (both None), or what was said."""

    solved: str | None = None
    satisfaction: int | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """Counts with honest denominators: everybody asked, those who said, those who are satisfied."""

    asked: int
    said_solved: int
    solved: int
    partly: int
    rated: int
    satisfied: int

    @property
    def silent(self) -> int:
        """Asked and never rated: among everybody asked, and never among the satisfied."""
        return self.asked - self.rated


def counted(answers: Sequence[Answer]) -> Answered:
    """The answers as counts; a rate of all divides by `asked`, a rate of those who took part by `rated`."""
    rated = [a.satisfaction for a in answers if a.satisfaction is not None]
    return Answered(
        asked=len(answers),
        said_solved=sum(a.solved is not None for a in answers),
        solved=sum(a.solved == "solved" for a in answers),
        partly=sum(a.solved == "partly" for a in answers),
        rated=len(rated),
        satisfied=sum(score >= SATISFIED_FROM for score in rated),
    )


def _on(on: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(on, at, tzinfo=zone).astimezone(UTC)
