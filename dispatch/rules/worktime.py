"""Work days and office hours as values: which stretches of time a clock runs in.

A day is `work` or `rest` by an official notice; a day that no notice covers is estimated from its weekday
and the holidays with a fixed date, and whoever asks is told so.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple
from zoneinfo import ZoneInfo

WEEKDAYS = ["周一", "周二", "周三", "周四", "周五", "周六", "周日"]
SATURDAY = 5
MINUTES_A_DAY = 24 * 60

# 全国年节及纪念日放假办法(国务院令第 795 号,2025-01-01 起施行):日期固定的全体公民节日。
# 春节、清明、端午、中秋随农历和节气,没有通知时不推算。
FIXED_HOLIDAYS: Mapping[tuple[int, int], str] = MappingProxyType(
    {
        (1, 1): "元旦",
        (5, 1): "劳动节",
        (5, 2): "劳动节",
        (10, 1): "国庆节",
        (10, 2): "国庆节",
        (10, 3): "国庆节",
    }
)


class DayKind(StrEnum):
    WORK = "work"
    REST = "rest"


class Day(NamedTuple):
    """What one date is, and whether an official notice says so."""

    kind: DayKind
    name: str | None = None
    estimated: bool = False

    @property
    def works(self) -> bool:
        return self.kind is DayKind.WORK


@dataclass(frozen=True)
class Calendar:
    """Dates that official notices cover; every other date is estimated."""

    days: Mapping[date, Day] = field(default_factory=dict)

    def day(self, on: date) -> Day:
        """The day's kind; `estimated` where no notice covers it."""
        known = self.days.get(on)
        if known is not None:
            return known
        name = FIXED_HOLIDAYS.get((on.month, on.day))
        rests = name is not None or on.weekday() >= SATURDAY
        return Day(DayKind.REST if rests else DayKind.WORK, name, estimated=True)


Spans = tuple[tuple[int, int], ...]
OFFICE_SPANS: Spans = ((9 * 60, 12 * 60), (14 * 60, 18 * 60))
ALL_DAY: Spans = ((0, MINUTES_A_DAY),)


@dataclass(frozen=True)
class OfficeHours:
    """When an organisation works: spans in local minutes from midnight; `every_day` for duty organisations."""

    zone: str
    spans: Spans = OFFICE_SPANS
    every_day: bool = False

    def __post_init__(self) -> None:
        ends = [0, *(minute for span in self.spans for minute in span), MINUTES_A_DAY]
        if not self.spans or ends != sorted(ends) or any(a >= b for a, b in self.spans):
            raise ValueError(f"作息时间 {self.spans} 须按先后排列、互不重叠,例如 9:00–12:00、14:00–18:00")

    @classmethod
    def parse(cls, text: str, zone: str) -> "OfficeHours":
        """Read `09:00-12:00,14:00-18:00`; `24x7` is a duty organisation."""
        if text.strip().lower() == "24x7":
            return duty(zone)
        try:
            spans = tuple(
                (_minutes(opens), _minutes(closes))
                for opens, closes in (part.split("-") for part in text.split(","))
            )
        except ValueError as error:
            raise ValueError(f"作息时间“{text}”写法不对,请写成 09:00-12:00,14:00-18:00 或 24x7") from error
        return cls(zone, spans)


def duty(zone: str) -> OfficeHours:
    """The hours of an organisation that is on duty day and night."""
    return OfficeHours(zone, ALL_DAY, every_day=True)


def _minutes(text: str) -> int:
    hours, minutes = (int(part) for part in text.strip().split(":"))
    if not (0 <= minutes < 60 and 0 <= hours * 60 + minutes <= MINUTES_A_DAY):
        raise ValueError(text)
    return hours * 60 + minutes


class Stretch(NamedTuple):
    """One uninterrupted stretch of open time, and the local date that it belongs to."""

    on: date
    from_at: datetime
    to_at: datetime


def local_date(at: datetime, hours: OfficeHours) -> date:
    """The date on the wall where the organisation sits."""
    return at.astimezone(ZoneInfo(hours.zone)).date()


def day_end(on: date, hours: OfficeHours) -> datetime:
    """Midnight at the end of a local date, as an instant."""
    return _instant(on, MINUTES_A_DAY, hours.zone)


@lru_cache(maxsize=8192)
def open_on(on: date, hours: OfficeHours) -> tuple[Stretch, ...]:
    """The open stretches of one date, were it a working day.

    Ends are local times turned into instants one by one, so a stretch over a change to or from summer time
    has its true length.
    """
    ends = ((_instant(on, a, hours.zone), _instant(on, b, hours.zone)) for a, b in hours.spans)
    return tuple(Stretch(on, from_at, to_at) for from_at, to_at in ends if from_at < to_at)


@lru_cache(maxsize=8192)
def open_length(on: date, hours: OfficeHours) -> timedelta:
    """How long the organisation is open on that date, were it a working day."""
    return sum((s.to_at - s.from_at for s in open_on(on, hours)), timedelta())


def dates_from(on: date) -> Iterator[date]:
    """Every date from the given one on."""
    while True:
        yield on
        on += timedelta(days=1)


def _instant(on: date, minute: int, zone: str) -> datetime:
    moment = time(minute % MINUTES_A_DAY // 60, minute % 60)
    shifted = on + timedelta(days=minute // MINUTES_A_DAY)
    return datetime.combine(shifted, moment, tzinfo=ZoneInfo(zone)).astimezone(UTC)
