"""What bulletins are made of: one pass over the histories as of a period's end, for any number of subjects at once."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from dispatch.insight.metrics.measures import keys_of
from dispatch.insight.metrics.periods import Period
from dispatch.insight.metrics.slices import LEVELS
from dispatch.insight.rollups import recomputing
from dispatch.insight.rollups.cells import Counted
from dispatch.insight.rollups.models import DIMENSIONS

TABLES = ("category_code", "street_code", "organisation_code")
_PLACE = {name: number for number, name in enumerate(DIMENSIONS)}
Subject = tuple[str, str] | None


@dataclass
class Gathered:
    """The sums of one subject: of the period and of the one before, by code, by day, and received by place."""

    now: Counter[str] = field(default_factory=Counter)
    before: Counter[str] = field(default_factory=Counter)
    by: dict[str, dict[str, Counter[str]]] = field(
        default_factory=lambda: {name: defaultdict(Counter) for name in TABLES}
    )
    daily: Counter[date] = field(default_factory=Counter)
    received: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, row: Counted, keys: tuple[str, ...], is_now: bool) -> None:
        if not is_now:
            self.before.update(keys)
            return
        self.now.update(keys)
        for name, table in self.by.items():
            table[row.codes[_PLACE[name]]].update(keys)
        if "received" in keys:
            self.daily[row.on] += 1
            self.received.update((name, row.codes[_PLACE[name]]) for name in LEVELS.values())


def gather(
    session: Session, zone: ZoneInfo, at: datetime, period: Period, subjects: Iterable[Subject]
) -> dict[Subject, Gathered]:
    """Every subject's sums; a subject is a column with a code, or None for everything."""
    found = {subject: Gathered() for subject in subjects}
    columns = sorted({subject[0] for subject in found if subject})
    first = period.before.from_on
    for _, row in recomputing.rows(session, at, zone):
        if not first <= row.on <= period.to_on:
            continue
        is_now = row.on >= period.from_on
        if not is_now and row.on > period.before.to_on:
            continue
        keys = keys_of(row.marks)
        for subject in (None, *((name, row.codes[_PLACE[name]]) for name in columns)):
            if subject in found:
                found[subject].add(row, keys, is_now)
    return found
