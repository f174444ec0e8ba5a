"""A clock as a value: a limit that runs in its own unit, stands still in pauses, and can be measured at any time.

How each unit counts, and why (Civil Code of the PRC, articles 201 and 203: the first day is not counted, and
the last one ends at 24:00 or, where there are business hours, at their close):

| unit | runs | ends |
|---|---|---|
| `urgent_hour`, `hour` | always | to the second |
| `day` | always | 24:00 of the Nth date after the start |
| `work_hour` | office hours of work days (duty organisations: always) | to the second |
| `work_day` | office hours of work days | close of office of the Nth work day after the start |

A clock is measured in the time it runs, not in dates: a pause takes out exactly what would have run meanwhile,
so that pausing at 17:59 and resuming at 09:01 gains two minutes and not a day. After a pause the end of a
`work_day` limit may therefore fall within a day.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from math import isfinite
from typing import NamedTuple

from dispatch.rules.worktime import (
    Calendar,
    OfficeHours,
    Stretch,
    dates_from,
    day_end,
    local_date,
    open_length,
    open_on,
)

# A calendar without a single work day would be walked for ever.
MOST_REST_DAYS = 400


class Unit(StrEnum):
    URGENT_HOUR = "urgent_hour"
    WORK_HOUR = "work_hour"
    WORK_DAY = "work_day"
    HOUR = "hour"
    DAY = "day"


UNIT_LABELS = {
    Unit.URGENT_HOUR: "紧急工作时",
    Unit.WORK_HOUR: "工作时",
    Unit.WORK_DAY: "工作日",
    Unit.HOUR: "小时",
    Unit.DAY: "自然日",
}
BY_CALENDAR = frozenset({Unit.WORK_HOUR, Unit.WORK_DAY})
WHOLE = frozenset({Unit.WORK_DAY, Unit.DAY})


@dataclass(frozen=True)
class Limit:
    """So much time of a unit."""

    amount: float
    unit: Unit

    def __post_init__(self) -> None:
        if not (isfinite(self.amount) and self.amount > 0):
            raise ValueError(f"时限 {self.amount} 须是正数")
        if self.unit in WHOLE and self.amount != int(self.amount):
            raise ValueError(
                f"时限 {self.amount} {UNIT_LABELS[self.unit]}须是整数;不足一日的请用工作时或小时"
            )

    @property
    def label(self) -> str:
        """As people say it: `5 工作日`, `30 分钟`."""
        if self.unit not in WHOLE and self.amount < 1:
            tail = "(工作时)" if self.unit is Unit.WORK_HOUR else ""
            return f"{self.amount * 60:g} 分钟{tail}"
        return f"{self.amount:g} {UNIT_LABELS[self.unit]}"


class Pause(NamedTuple):
    """A stretch in which a clock stood still; open while `to_at` is missing."""

    from_at: datetime
    to_at: datetime | None
    reason: str = ""


@dataclass(frozen=True)
class Clock:
    """A limit that began to run at an instant, with its pauses in order."""

    limit: Limit
    started_at: datetime
    pauses: tuple[Pause, ...] = ()

    def __post_init__(self) -> None:
        ends = [self.started_at, *(at for p in self.pauses for at in (p.from_at, p.to_at) if at)]
        if any(at.tzinfo is None for at in ends):
            raise ValueError("计时的起止须是带时区的时刻")
        self._keep_utc()
        if ends != sorted(ends) or any(p.to_at is None for p in self.pauses[:-1]):
            raise ValueError("暂停须按先后排列、互不重叠、不早于起算,只有最后一个可以尚未恢复")

    def _keep_utc(self) -> None:
        # Two instants of one zone subtract by the wall clock in Python, which is wrong across summer time.
        kept = tuple(
            p._replace(from_at=p.from_at.astimezone(UTC), to_at=p.to_at and p.to_at.astimezone(UTC))
            for p in self.pauses
        )
        object.__setattr__(self, "started_at", self.started_at.astimezone(UTC))
        object.__setattr__(self, "pauses", kept)

    @property
    def paused(self) -> bool:
        """Whether it stands still now."""
        return bool(self.pauses) and self.pauses[-1].to_at is None


def pause(clock: Clock, at: datetime, reason: str = "") -> Clock:
    """The same clock, standing still from `at`."""
    if clock.paused:
        raise ValueError("计时已经暂停,不能再次暂停")
    return replace(clock, pauses=(*clock.pauses, Pause(at, None, reason)))


def resume(clock: Clock, at: datetime) -> Clock:
    """The same clock, running again from `at`."""
    if not clock.paused:
        raise ValueError("计时没有暂停,无须恢复")
    return replace(clock, pauses=(*clock.pauses[:-1], clock.pauses[-1]._replace(to_at=at)))


def total(clock: Clock, calendar: Calendar, hours: OfficeHours) -> timedelta:
    """All the time that the clock has to run."""
    limit, started_at = clock.limit, clock.started_at
    if limit.unit not in WHOLE:
        return timedelta(hours=limit.amount)
    start_on = local_date(started_at, hours)
    if limit.unit is Unit.DAY:
        return day_end(start_on + timedelta(days=int(limit.amount)), hours) - started_at
    today = _stretches_on(start_on, Clock(limit, started_at), hours) if calendar.day(start_on).works else ()
    rest_of_today = sum((s.to_at - s.from_at for s in today), timedelta())
    following = work_days_after(start_on, calendar)
    return rest_of_today + sum(
        (open_length(next(following), hours) for _ in range(int(limit.amount))), timedelta()
    )


def consumed(clock: Clock, at: datetime, calendar: Calendar, hours: OfficeHours) -> timedelta:
    """How long the clock had run at an instant."""
    spent = timedelta()
    for stretch in _running(clock, calendar, hours):
        if stretch.from_at >= at:
            break
        spent += min(stretch.to_at, at) - stretch.from_at
    return spent


def remaining(clock: Clock, at: datetime, calendar: Calendar, hours: OfficeHours) -> timedelta:
    """How long the clock still has to run; negative once it is overdue."""
    return total(clock, calendar, hours) - consumed(clock, at, calendar, hours)


def percent_at(clock: Clock, fraction: float, calendar: Calendar, hours: OfficeHours) -> datetime:
    """The first instant at which that part of the limit has run, in the clock's own time."""
    return run_until(clock, fraction, calendar, hours)[-1].to_at


def run_until(clock: Clock, fraction: float, calendar: Calendar, hours: OfficeHours) -> list[Stretch]:
    """The stretches in which that part of the limit runs; the last one is cut where it is reached.

    Raises
    ------
    ValueError
        The clock is paused: it has time `remaining`, but no end until it is resumed.
    """
    used: list[Stretch] = []
    left = total(clock, calendar, hours) * fraction
    for stretch in _running(clock, calendar, hours):
        length = stretch.to_at - stretch.from_at
        if length >= left:
            return [*used, stretch._replace(to_at=stretch.from_at + left)]
        used.append(stretch)
        left -= length
    raise ValueError("计时暂停中,恢复之前没有到期时间")


def work_days_after(on: date, calendar: Calendar) -> Iterator[date]:
    """The work days after a date, in order."""
    rested = 0
    for day in dates_from(on + timedelta(days=1)):
        if calendar.day(day).works:
            rested = 0
            yield day
        elif (rested := rested + 1) > MOST_REST_DAYS:
            raise ValueError(f"工作日历自 {on} 起 {MOST_REST_DAYS} 天没有一个工作日,请检查导入的日历")


def _running(clock: Clock, calendar: Calendar, hours: OfficeHours) -> Iterator[Stretch]:
    """Every stretch in which the clock runs, from its start on; ends only if a pause is still open."""
    start_on = local_date(clock.started_at, hours)
    if clock.limit.unit not in BY_CALENDAR:
        endless = Stretch(start_on, clock.started_at, datetime.max.replace(tzinfo=UTC))
        yield from _without_pauses(endless, clock.pauses)
        return
    for on in _open_dates(start_on, clock.limit.unit, calendar, hours):
        yield from _stretches_on(on, clock, hours)
        if clock.paused and day_end(on, hours) > clock.pauses[-1].from_at:
            return


def _open_dates(first_on: date, unit: Unit, calendar: Calendar, hours: OfficeHours) -> Iterator[date]:
    if hours.every_day and unit is Unit.WORK_HOUR:
        return dates_from(first_on)
    return work_days_after(first_on - timedelta(days=1), calendar)


def _stretches_on(on: date, clock: Clock, hours: OfficeHours) -> Iterator[Stretch]:
    for stretch in open_on(on, hours):
        if stretch.to_at > clock.started_at:
            begun = stretch._replace(from_at=max(stretch.from_at, clock.started_at))
            yield from _without_pauses(begun, clock.pauses)


def _without_pauses(stretch: Stretch, pauses: Sequence[Pause]) -> Iterator[Stretch]:
    for stood in pauses:
        if stood.from_at >= stretch.to_at:
            break
        if stood.to_at is not None and stood.to_at <= stretch.from_at:
            continue
        if stretch.from_at < stood.from_at:
            yield stretch._replace(to_at=stood.from_at)
        if stood.to_at is None or stood.to_at >= stretch.to_at:
            return
        stretch = stretch._replace(from_at=stood.to_at)
    if stretch.from_at < stretch.to_at:
        yield stretch
