"""When a limit runs out, explained day by day, and when people are told that it will.

The arithmetic is `clocks`, the days and hours are `worktime`; this is the door to all three.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dispatch.rules.clocks import (
    BY_CALENDAR,
    Clock,
    Limit,
    Pause,
    Unit,
    consumed,
    pause,
    percent_at,
    remaining,
    resume,
    run_until,
)
from dispatch.rules.worktime import (
    OFFICE_SPANS,
    SATURDAY,
    WEEKDAYS,
    Calendar,
    Day,
    DayKind,
    OfficeHours,
    Stretch,
    day_end,
    duty,
    local_date,
    open_length,
)

__all__ = [
    "OFFICE_SPANS",
    "Calendar",
    "Clock",
    "Day",
    "DayKind",
    "Due",
    "Limit",
    "OfficeHours",
    "Pause",
    "Rung",
    "Step",
    "Unit",
    "consumed",
    "due",
    "duty",
    "latest_start",
    "pause",
    "percent_at",
    "remaining",
    "resume",
    "rung_at",
]


class Step(NamedTuple):
    """One line of the explanation: what a day, a run of days or a pause did to the clock."""

    on: date
    counted: bool
    text: str


@dataclass(frozen=True)
class Due:
    """When a limit runs out; `estimated` if it crosses days that no official notice covers yet."""

    at: datetime
    estimated: bool
    steps: tuple[Step, ...]
    reason: str


def due(clock: Clock, calendar: Calendar, hours: OfficeHours) -> Due:
    """When the limit runs out, with every day that counted or did not.

    Raises
    ------
    ValueError
        The clock is paused: it has time `remaining`, but no end until it is resumed.
    """
    used = run_until(clock, 1, calendar, hours)
    at = used[-1].to_at
    start_on, due_on = local_date(clock.started_at, hours), local_date(at - timedelta.resolution, hours)
    crossed = [start_on + timedelta(days=n) for n in range((due_on - start_on).days + 1)]
    by_calendar = clock.limit.unit in BY_CALENDAR and not _runs_day_and_night(clock, hours)
    guessed = [on for on in crossed if by_calendar and calendar.day(on).estimated]
    steps = (
        _day_steps(clock, used, crossed, calendar, hours) if by_calendar else [_plain_step(clock, start_on)]
    )
    steps = sorted([*steps, *_pause_steps(clock, at, hours)], key=lambda step: step.on)
    reason = f"{clock.limit.label},自 {_moment(clock.started_at, hours)} 起算,{_end(at, hours)} 到期"
    if guessed:
        years = "、".join(str(year) for year, _ in groupby(guessed, key=lambda on: on.year))
        reason += f";{years} 年还没有放假通知,按周一至周五和固定节日推算,导入通知后重算"
    return Due(at, bool(guessed), tuple(steps), reason)


def latest_start(due_at: datetime, limit: Limit, calendar: Calendar, hours: OfficeHours) -> datetime:
    """Planning backwards: the last whole second at which a limit may start and still end by `due_at`."""

    def fits(started_at: datetime) -> bool:
        return percent_at(Clock(limit, started_at), 1, calendar, hours) <= due_at

    due_at = due_at.astimezone(UTC)
    span_s = 1
    while not fits(due_at - timedelta(seconds=span_s)):
        span_s *= 2
    too_late_s, fits_s = span_s // 2, span_s
    while fits_s - too_late_s > 1:
        middle_s = (fits_s + too_late_s) // 2
        too_late_s, fits_s = (
            (too_late_s, middle_s) if fits(due_at - timedelta(seconds=middle_s)) else (middle_s, fits_s)
        )
    return due_at - timedelta(seconds=fits_s)


class Rung(NamedTuple):
    """A rung of the escalation ladder: at a part of the limit, or a limit of its own after that."""

    name: str
    percent: int
    after: Limit | None = None


def rung_at(clock: Clock, rung: Rung, calendar: Calendar, hours: OfficeHours) -> datetime:
    """When a rung is reached: its part in the clock's own time, what follows in that of its own limit."""
    at = percent_at(clock, rung.percent / 100, calendar, hours)
    return percent_at(Clock(rung.after, at), 1, calendar, hours) if rung.after else at


def _runs_day_and_night(clock: Clock, hours: OfficeHours) -> bool:
    return hours.every_day and clock.limit.unit is Unit.WORK_HOUR


def _plain_step(clock: Clock, on: date) -> Step:
    if clock.limit.unit is Unit.DAY:
        return Step(on, True, f"{_date(on)}起算,当日不计,连续计 {clock.limit.label},节假日不扣除")
    return Step(on, True, f"{_date(on)}起连续计时 {clock.limit.label},不分昼夜和节假日")


def _day_steps(
    clock: Clock, used: Sequence[Stretch], crossed: Sequence[date], calendar: Calendar, hours: OfficeHours
) -> list[Step]:
    ran = {
        on: sum((s.to_at - s.from_at for s in stretches), timedelta())
        for on, stretches in groupby(used, key=lambda s: s.on)
    }
    judged = [
        (on, *_judged(on, ran.get(on), clock, calendar.day(on), hours))
        for on in crossed
        if not (clock.pauses and _paused_all_day(on, clock, hours))
    ]
    return list(_runs_of_days(judged))


def _judged(on: date, ran: timedelta | None, clock: Clock, day: Day, hours: OfficeHours) -> tuple[bool, str]:
    """Whether one day counted, and what became of it, without its date."""
    kind = _day_kind(on, day) + ("(推算)" if day.estimated else "")
    if clock.limit.unit is Unit.WORK_DAY and on == local_date(clock.started_at, hours):
        return False, f"{kind},起算当日不计" if day.works else f"{kind},不计"
    if ran is None:
        return False, f"{kind},没有剩下的工作时间,不计" if day.works else f"{kind},不计"
    whole = ran == open_length(on, hours)
    return True, f"{kind},计入" if whole else f"{kind},计入 {_length(ran)}"


def _day_kind(on: date, day: Day) -> str:
    weekend = on.weekday() >= SATURDAY
    if day.works:
        return "调休上班" if weekend else "上班"
    return f"{day.name}放假" if day.name else "休息" if weekend else "放假"


def _paused_all_day(on: date, clock: Clock, hours: OfficeHours) -> bool:
    begins, ends = day_end(on - timedelta(days=1), hours), day_end(on, hours)
    return any(p.from_at <= begins and p.to_at is not None and p.to_at >= ends for p in clock.pauses)


def _runs_of_days(judged: Sequence[tuple[date, bool, str]]) -> Iterator[Step]:
    """Days off in a row that read the same become one line."""
    for (counted, text), run in groupby(judged, key=lambda j: (j[1], j[2])):
        days = [on for on, _, _ in run]
        if counted or len(days) == 1:
            yield from (Step(on, counted, _dated(on, text)) for on in days)
        else:
            yield Step(days[0], False, f"{_date(days[0])}至 {_dated(days[-1], text)}")


def _pause_steps(clock: Clock, at: datetime, hours: OfficeHours) -> Iterator[Step]:
    for stood in clock.pauses:
        if stood.to_at is not None and stood.from_at < at:
            why = f"({stood.reason})" if stood.reason else ""
            text = f"{_moment(stood.from_at, hours)} 至 {_moment(stood.to_at, hours)} 暂停{why},不计"
            yield Step(local_date(stood.from_at, hours), False, text)


def _dated(on: date, words: str) -> str:
    return f"{on.month} 月 {on.day} 日{WEEKDAYS[on.weekday()]}{words}"


def _date(on: date) -> str:
    return f"{on.month} 月 {on.day} 日{WEEKDAYS[on.weekday()]}"


def _moment(at: datetime, hours: OfficeHours) -> str:
    return f"{at.astimezone(ZoneInfo(hours.zone)):%Y-%m-%d %H:%M}"


def _end(at: datetime, hours: OfficeHours) -> str:
    """The same for an end: midnight belongs to the day that it ends."""
    last_on = local_date(at - timedelta.resolution, hours)
    return f"{last_on:%Y-%m-%d} 24:00" if at == day_end(last_on, hours) else _moment(at, hours)


def _length(ran: timedelta) -> str:
    hours, minutes = divmod(round(ran.total_seconds() / 60), 60)
    if hours and minutes:
        return f"{hours} 小时 {minutes} 分"
    return f"{hours} 小时" if hours else f"{minutes} 分" if minutes else "不足 1 分"
