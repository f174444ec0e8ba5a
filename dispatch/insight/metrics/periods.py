"""Stretches of local days, and those they are compared with."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Period:
    """From one local day to another, both included."""

    from_on: date
    to_on: date

    @classmethod
    def last_days(cls, days: int, today: date) -> "Period":
        return cls(today - timedelta(days=days - 1), today)

    @classmethod
    def month(cls, year: int, month: int) -> "Period":
        first = date(year, month, 1)
        return cls(first, _next_month(first) - timedelta(days=1))

    @property
    def days(self) -> int:
        return (self.to_on - self.from_on).days + 1

    @property
    def before(self) -> "Period":
        """As many days, just before; a whole month's is the whole month before."""
        last = self.from_on - timedelta(days=1)
        if self == Period.month(self.from_on.year, self.from_on.month):
            return Period.month(last.year, last.month)
        return Period(last - timedelta(days=self.days - 1), last)

    @property
    def last_year(self) -> "Period":
        """The same days of the year before."""
        return Period(_year_before(self.from_on), _year_before(self.to_on))

    def ends_at(self, zone: str) -> datetime:
        """The instant after which the last day is over."""
        local = datetime.combine(self.to_on + timedelta(days=1), time(), ZoneInfo(zone))
        return local.astimezone(UTC)

    def begins_at(self, zone: str) -> datetime:
        return datetime.combine(self.from_on, time(), ZoneInfo(zone)).astimezone(UTC)


def _next_month(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)


def months_within(period: Period) -> tuple[list[date], list["Period"]]:
    """The whole months of a period by their first days, and what is left over at its ends."""
    first = period.from_on if period.from_on.day == 1 else _next_month(period.from_on.replace(day=1))
    whole: list[date] = []
    while (following := _next_month(first)) - timedelta(days=1) <= period.to_on:
        whole.append(first)
        first = following
    if not whole:
        return [], [period]
    rest = []
    if period.from_on < whole[0]:
        rest.append(Period(period.from_on, whole[0] - timedelta(days=1)))
    if first <= period.to_on:
        rest.append(Period(first, period.to_on))
    return whole, rest


def _year_before(day: date) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:  # 29 February
        return day.replace(year=day.year - 1, day=28)
