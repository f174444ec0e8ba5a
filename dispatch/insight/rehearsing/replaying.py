"""One past ticket asked twice, by the rules in force and by the draft; equal questions are asked only once.

Registers are left as they are: a ticket that went to the owner of an asset, or to a team on shift, keeps what was
found then, so that a difference is the draft's own.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from dispatch.record.world import Standing
from dispatch.rules.routing import Facts, Routed, Unrouted, route
from dispatch.rules.rulebook import RuleBook, TimeBand
from dispatch.rules.worktime import local_date, open_on

MOST_SAMPLES = 40
MOST_POINTS = 1500
NOBODY = ""


class Past(NamedTuple):
    """What is known of a past ticket for its routing: areas from narrow to wide, overlays by priority."""

    code: str
    category_code: str
    source: str
    at: datetime
    areas: tuple[str, ...]
    overlays: tuple[str, ...]
    asset_owner: str | None
    lon: float
    lat: float


class Answer(NamedTuple):
    """To whom a ticket goes (`NOBODY`: to the queue of what has no unit) and by which row, with the sentence."""

    main: str
    rule: str
    reason: str


class Moved(NamedTuple):
    """A ticket that would go elsewhere."""

    past: Past
    before: Answer
    after: Answer


@dataclass
class Comparison:
    """Everything counted while the tickets pass."""

    total: int = 0
    moved: int = 0
    matrix: Counter[tuple[str, str]] = field(default_factory=Counter)
    load_before: Counter[str] = field(default_factory=Counter)
    load_after: Counter[str] = field(default_factory=Counter)
    samples: list[Moved] = field(default_factory=list)
    points: list[tuple[float, float, str]] = field(default_factory=list)

    def add(self, past: Past, before: Answer, after: Answer) -> Moved | None:
        self.total += 1
        self.load_before[before.main] += 1
        self.load_after[after.main] += 1
        if before.main == after.main:
            return None
        self.moved += 1
        pair = (before.main, after.main)
        self.matrix[pair] += 1
        moved = Moved(past, before, after)
        if len(self.samples) < MOST_SAMPLES and self.matrix[pair] <= 3:
            self.samples.append(moved)
        if len(self.points) < MOST_POINTS:
            self.points.append((round(past.lon, 6), round(past.lat, 6), past.code))
        return moved


class Asker:
    """Asks one book, and remembers every answer: the days between two dates on which rows change are alike."""

    def __init__(self, book: RuleBook, standing: Standing) -> None:
        self.book, self.standing = book, standing
        self._answers: dict[object, Answer] = {}
        self._breaks = sorted(_breaks(book))
        self._segments: dict[date, int] = {}

    def ask(self, past: Past, on: date, band: TimeBand) -> Answer:
        """To whom the ticket goes by this book."""
        segment = self._segments.get(on)
        if segment is None:
            segment = self._segments[on] = sum(one <= on for one in self._breaks)
        key = (past.category_code, past.areas, past.overlays, past.source, past.asset_owner, band, segment)
        found = self._answers.get(key)
        if found is None:
            found = self._answers[key] = _answer(self._routed(past, on, band))
        return found

    def _routed(self, past: Past, on: date, band: TimeBand) -> Routed | Unrouted:
        facts = Facts(
            categories=self.standing.lineage(past.category_code),
            areas=past.areas,
            on=on,
            overlays=past.overlays,
            source=past.source,
            time_band=band,
            enforcement=self.standing.categories[past.category_code].enforcement,
            asset_owner=past.asset_owner,
        )
        return route(facts, self.book)


def replay(
    tickets: Iterable[Past],
    before: RuleBook,
    after: RuleBook,
    standing: Standing,
    *,
    placed: Callable[[Past], Past] | None = None,
    comparison: Comparison,
) -> Iterator[Moved]:
    """Compare ticket by ticket; `placed` is the ticket in the draft's borders. Counts go into `comparison`."""
    old, new = Asker(before, standing), Asker(after, standing)
    days = Days(standing)
    for past in tickets:
        on, band = days.of(past.at)
        one = old.ask(past, on, band)
        other = new.ask(placed(past) if placed else past, on, band)
        moved = comparison.add(past, one, other)
        if moved is not None:
            yield moved


class Days:
    """The local date and time of day of instants; each day's office hours are worked out once."""

    def __init__(self, standing: Standing) -> None:
        self._hours = standing.hours(None)
        self._standing = standing
        self._open: dict[date, tuple[tuple[datetime, datetime], ...]] = {}
        self._minutes: dict[int, tuple[date, TimeBand]] = {}

    def of(self, at: datetime) -> tuple[date, TimeBand]:
        """Office hours begin and end on full minutes, so each minute is asked once."""
        minute = int(at.timestamp() // 60)
        found = self._minutes.get(minute)
        if found is None:
            found = self._minutes[minute] = self._of(at)
        return found

    def _of(self, at: datetime) -> tuple[date, TimeBand]:
        on = local_date(at, self._hours)
        stretches = self._open.get(on)
        if stretches is None:
            works = self._standing.calendar.day(on).works
            stretches = tuple((s.from_at, s.to_at) for s in open_on(on, self._hours)) if works else ()
            self._open[on] = stretches
        working = any(begins <= at < ends for begins, ends in stretches)
        return on, TimeBand.WORKING if working else TimeBand.NIGHT


def unit_name(standing: Standing, code: str) -> str:
    """How people call where a ticket would go."""
    if code == NOBODY:
        return "待确定承办单位"
    found = standing.organisations.get(code)
    return found.name if found else code


def _answer(found: Routed | Unrouted) -> Answer:
    if isinstance(found, Unrouted):
        return Answer(NOBODY, "", found.reason)
    return Answer(found.main, found.rule, found.reason)


def _breaks(book: RuleBook) -> Iterator[date]:
    """Dates from which another set of rows or units holds."""
    for rule in book.rules:
        if rule.valid_from is not None:
            yield rule.valid_from
        if rule.valid_to is not None and rule.valid_to < date.max:
            yield date.fromordinal(rule.valid_to.toordinal() + 1)
    for organisation in book.organisations.values():
        if organisation.closed_on is not None:
            yield organisation.closed_on


def plain(comparison: Comparison, standing: Standing) -> Mapping[str, object]:
    """The comparison as plain values, for the database and the page."""

    def name(code: str) -> str:
        return unit_name(standing, code)

    units = sorted({*comparison.load_before, *comparison.load_after})
    return {
        "total": comparison.total,
        "moved": comparison.moved,
        "matrix": [
            {"from": a, "to": b, "from_name": name(a), "to_name": name(b), "number": number}
            for (a, b), number in comparison.matrix.most_common()
        ],
        "load": [
            {
                "unit": unit,
                "name": name(unit),
                "before": comparison.load_before[unit],
                "after": comparison.load_after[unit],
            }
            for unit in units
        ],
        "samples": [
            {
                "code": one.past.code,
                "category": standing.categories[one.past.category_code].name,
                "grid": one.past.areas[0] if one.past.areas else None,
                "before": {
                    "name": name(one.before.main),
                    "rule": one.before.rule,
                    "reason": one.before.reason,
                },
                "after": {"name": name(one.after.main), "rule": one.after.rule, "reason": one.after.reason},
            }
            for one in comparison.samples
        ],
        "points": [list(point) for point in comparison.points],
    }
