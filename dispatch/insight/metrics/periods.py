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


def months_of(period: Period) -> list[Period]:
    """Every whole month that a period touches."""
    found = [Period.month(period.from_on.year, period.from_on.month)]
    while found[-1].to_on < period.to_on:
        following = _next_month(found[-1].from_on)
        found.append(Period.month(following.year, following.month))
    return found


@dataclass(frozen=True, slots=True)
class Pieces:
    """A period as whole months, with the days to add and the days to take away again."""

    months: tuple[Period, ...]
    added: tuple[Period, ...]
    taken: tuple[Period, ...]


def pieces(period: Period) -> Pieces:
    """The fewest days: of a month that is more than half in the period, those are taken away that are not."""
    months, added, taken = [], [], []
    for month in months_of(period):
        within = Period(max(month.from_on, period.from_on), min(month.to_on, period.to_on))
        if within.days * 2 <= month.days:
            added.append(within)
            continue
        months.append(month)
        if month.from_on < within.from_on:
            taken.append(Period(month.from_on, within.from_on - timedelta(days=1)))
        if within.to_on < month.to_on:
            taken.append(Period(within.to_on + timedelta(days=1), month.to_on))
    return Pieces(tuple(months), tuple(added), tuple(taken))


def _year_before(day: date) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:  # 29 February
        return day.replace(year=day.year - 1, day=28)
