"""Limits against the official calendar: vectors, explanation, escalation, planning backwards."""

from datetime import UTC, date, timedelta
from zoneinfo import ZoneInfo

import pytest
from holidays.countries import China

from dispatch.rules.deadlines import (
    Calendar,
    Clock,
    Day,
    DayKind,
    Limit,
    OfficeHours,
    Rung,
    Unit,
    due,
    duty,
    latest_start,
    pause,
    percent_at,
    remaining,
    resume,
    rung_at,
)
from tests.rules.calendars import CALENDAR, OFFICE, clock, local

VECTORS = [
    ("2026-02-13", 1, "2026-02-14"),
    ("2026-02-13", 5, "2026-02-27"),
    ("2026-02-13", 15, "2026-03-12"),
    ("2026-04-30", 3, "2026-05-08"),
    ("2026-09-18", 1, "2026-09-20"),
    ("2026-09-30", 5, "2026-10-13"),
    ("2025-12-31", 1, "2026-01-04"),
]


@pytest.mark.parametrize("hour", ["00:00", "08:59", "13:10", "17:59", "18:00", "23:59"])
@pytest.mark.parametrize(("start", "work_days", "end"), VECTORS)
def test_work_days_end_at_the_close_of_office(start: str, work_days: int, end: str, hour: str) -> None:
    got = due(clock(work_days, Unit.WORK_DAY, f"{start}T{hour}"), CALENDAR, OFFICE)
    assert got.at == local(f"{end}T18:00")
    assert not got.estimated


def test_year_without_notice_is_estimated_and_says_so() -> None:
    got = due(clock(5, Unit.WORK_DAY, "2026-12-28T10:00"), CALENDAR, OFFICE)
    assert got.at == local("2027-01-05T18:00")
    assert got.estimated
    assert "2027 年还没有放假通知" in got.reason
    assert any("元旦放假(推算)" in step.text for step in got.steps)


def test_importing_the_notice_moves_the_estimate() -> None:
    started = clock(5, Unit.WORK_DAY, "2026-12-28T10:00")
    notice = {date(2027, 1, n): Day(DayKind.REST if n <= 3 else DayKind.WORK) for n in range(1, 32)}
    notice[date(2027, 1, 3)] = Day(DayKind.WORK, "元旦")
    got = due(started, Calendar({**CALENDAR.days, **notice}), OFFICE)
    assert got.at == local("2027-01-04T18:00")
    assert not got.estimated


def test_natural_time_is_never_estimated() -> None:
    assert not due(clock(30, Unit.DAY, "2026-12-28T10:00"), CALENDAR, OFFICE).estimated
    assert not due(clock(4, Unit.WORK_HOUR, "2027-06-01T10:00"), CALENDAR, duty(OFFICE.zone)).estimated


def test_every_day_agrees_with_an_independent_library() -> None:
    on, other, days = date(2008, 1, 1), China(years=range(2008, 2027)), 0
    while on < date(2027, 1, 1):
        assert CALENDAR.day(on).works == other.is_working_day(on), on
        assert not CALENDAR.day(on).estimated
        on, days = on + timedelta(days=1), days + 1
    assert days == 6940


@pytest.mark.parametrize(
    ("amount", "unit", "start", "end"),
    [
        (2, Unit.URGENT_HOUR, "2026-02-16T23:30", "2026-02-17T01:30"),
        (24, Unit.HOUR, "2026-10-01T08:00", "2026-10-02T08:00"),
        (7, Unit.DAY, "2026-02-13T16:20", "2026-02-21T00:00"),
        (4, Unit.WORK_HOUR, "2026-02-13T16:20", "2026-02-14T11:20"),
        (4, Unit.WORK_HOUR, "2026-02-14T17:00", "2026-02-24T12:00"),
        (3, Unit.WORK_HOUR, "2026-03-02T09:00", "2026-03-02T12:00"),
        (3.5, Unit.WORK_HOUR, "2026-03-02T12:30", "2026-03-02T17:30"),
        (0.25, Unit.WORK_HOUR, "2026-03-01T12:00", "2026-03-02T09:15"),
    ],
)
def test_units(amount: float, unit: Unit, start: str, end: str) -> None:
    assert due(clock(amount, unit, start), CALENDAR, OFFICE).at == local(end)


def test_duty_organisation_works_through_the_festival() -> None:
    got = due(clock(4, Unit.WORK_HOUR, "2026-02-16T23:00"), CALENDAR, duty(OFFICE.zone))
    assert got.at == local("2026-02-17T03:00")


def test_explanation_names_each_day() -> None:
    got = due(clock(5, Unit.WORK_DAY, "2026-02-13T15:20"), CALENDAR, OFFICE)
    assert [step.text for step in got.steps] == [
        "2 月 13 日周五上班,起算当日不计",
        "2 月 14 日周六调休上班,计入",
        "2 月 15 日周日至 2 月 23 日周一春节放假,不计",
        "2 月 24 日周二上班,计入",
        "2 月 25 日周三上班,计入",
        "2 月 26 日周四上班,计入",
        "2 月 27 日周五上班,计入",
    ]
    assert sum(step.counted for step in got.steps) == 5
    assert got.reason == "5 工作日,自 2026-02-13 15:20 起算,2026-02-27 18:00 到期"


def test_explanation_of_working_hours_and_a_pause() -> None:
    stood = pause(clock(4, Unit.WORK_HOUR, "2026-02-13T16:20"), local("2026-02-13T17:20"), "待补充")
    got = due(resume(stood, local("2026-02-25T10:00")), CALENDAR, OFFICE)
    assert got.at == local("2026-02-25T15:00")
    assert [step.text for step in got.steps] == [
        "2 月 13 日周五上班,计入 1 小时",
        "2026-02-13 17:20 至 2026-02-25 10:00 暂停(待补充),不计",
        "2 月 25 日周三上班,计入 3 小时",
    ]


def test_paused_clock_has_time_left_but_no_end() -> None:
    stood = pause(clock(4, Unit.WORK_HOUR, "2026-02-13T16:20"), local("2026-02-13T17:20"))
    assert remaining(stood, local("2026-06-01T12:00"), CALENDAR, OFFICE) == timedelta(hours=3)
    with pytest.raises(ValueError, match="暂停中"):
        due(stood, CALENDAR, OFFICE)


def test_pausing_overnight_gains_minutes_and_not_a_day() -> None:
    started = clock(5, Unit.WORK_DAY, "2026-03-02T10:00")
    stood = resume(pause(started, local("2026-03-03T17:59")), local("2026-03-04T09:01"))
    assert due(stood, CALENDAR, OFFICE).at == local("2026-03-10T09:02")


@pytest.mark.parametrize(
    ("rung", "at"),
    [
        (Rung("hint", 50), "2026-02-14T15:00"),
        (Rung("yellow", 80), "2026-02-14T18:00"),
        (Rung("red", 100), "2026-02-24T11:00"),
        (Rung("L2", 100, Limit(1, Unit.WORK_DAY)), "2026-02-25T18:00"),
        (Rung("L3", 100, Limit(5, Unit.WORK_DAY)), "2026-03-02T18:00"),
        (Rung("urgent-L2", 100, Limit(24, Unit.URGENT_HOUR)), "2026-02-25T11:00"),
    ],
)
def test_escalation_in_the_clocks_own_time(rung: Rung, at: str) -> None:
    started = clock(10, Unit.WORK_HOUR, "2026-02-13T17:00")
    assert rung_at(started, rung, CALENDAR, OFFICE) == local(at)


def test_an_urgent_matter_escalates_through_the_festival() -> None:
    urgent = clock(2, Unit.URGENT_HOUR, "2026-02-16T23:30")
    day_later = Rung("L2", 100, Limit(24, Unit.URGENT_HOUR))
    assert rung_at(urgent, day_later, CALENDAR, OFFICE) == local("2026-02-18T01:30")


def test_planning_backwards_from_an_upper_limit() -> None:
    upper = local("2026-02-27T18:00")
    assert latest_start(upper, Limit(5, Unit.WORK_DAY), CALENDAR, OFFICE) == local("2026-02-13T23:59:59")
    assert latest_start(upper, Limit(4, Unit.WORK_HOUR), CALENDAR, OFFICE) == local("2026-02-27T14:00")
    assert latest_start(upper, Limit(2, Unit.URGENT_HOUR), CALENDAR, OFFICE) == local("2026-02-27T16:00")


@pytest.mark.parametrize(
    ("zone", "amount", "unit", "start", "end"),
    [
        # Clocks go forward on 2026-03-08 and back on 2026-11-01 in New York.
        ("America/New_York", 24, Unit.HOUR, "2026-03-07T12:00", "2026-03-08T13:00"),
        ("America/New_York", 24, Unit.HOUR, "2026-10-31T12:00", "2026-11-01T11:00"),
        ("America/New_York", 1, Unit.DAY, "2026-03-07T12:00", "2026-03-09T00:00"),
        ("America/New_York", 1, Unit.WORK_DAY, "2026-03-06T12:00", "2026-03-09T18:00"),
        ("Europe/Berlin", 8, Unit.WORK_HOUR, "2026-10-23T17:00", "2026-10-26T18:00"),
        # Midnight does not exist in Beirut on 2026-03-29.
        ("Asia/Beirut", 1, Unit.DAY, "2026-03-27T12:00", "2026-03-29T01:00"),
    ],
)
def test_summer_time(zone: str, amount: float, unit: Unit, start: str, end: str) -> None:
    town = ZoneInfo(zone)
    got = due(clock(amount, unit, start, town), Calendar(), OfficeHours(zone))
    assert got.at == local(end, town)


def test_all_day_hours_over_summer_time_have_their_true_length() -> None:
    town = ZoneInfo("America/New_York")
    watch = duty("America/New_York")
    start = Clock(Limit(23, Unit.WORK_HOUR), local("2026-03-08T00:00", town))
    assert due(start, Calendar(), watch).at == local("2026-03-09T00:00", town)


def test_percent_is_of_running_time() -> None:
    started = clock(1, Unit.WORK_DAY, "2026-03-06T15:00")
    assert percent_at(started, 0.5, CALENDAR, OFFICE) == local("2026-03-09T11:00")


@pytest.mark.parametrize(
    ("amount", "unit"), [(0, Unit.HOUR), (-1, Unit.DAY), (0.5, Unit.WORK_DAY), (float("inf"), Unit.HOUR)]
)
def test_impossible_limits_are_refused(amount: float, unit: Unit) -> None:
    with pytest.raises(ValueError, match="时限"):
        Limit(amount, unit)


def test_calendar_without_work_days_is_refused_and_not_walked_for_ever() -> None:
    idle = {date(2026, 1, 1) + timedelta(days=n): Day(DayKind.REST) for n in range(800)}
    with pytest.raises(ValueError, match="没有一个工作日"):
        due(clock(1, Unit.WORK_DAY, "2026-01-05T10:00"), Calendar(idle), OFFICE)


def test_naive_instants_and_crossed_pauses_are_refused() -> None:
    with pytest.raises(ValueError, match="带时区"):
        Clock(Limit(1, Unit.HOUR), local("2026-01-05T10:00").replace(tzinfo=None))
    with pytest.raises(ValueError, match="先后"):
        pause(clock(1, Unit.HOUR, "2026-01-05T10:00"), local("2026-01-05T09:00"))
    stood = pause(clock(1, Unit.HOUR, "2026-01-05T10:00"), local("2026-01-05T10:10"))
    with pytest.raises(ValueError, match="已经暂停"):
        pause(stood, local("2026-01-05T10:20"))
    with pytest.raises(ValueError, match="没有暂停"):
        resume(clock(1, Unit.HOUR, "2026-01-05T10:00"), local("2026-01-05T10:20"))


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("09:00-12:00,14:00-18:00", ((540, 720), (840, 1080))),
        ("8:30-24:00", ((510, 1440),)),
        ("24x7", ((0, 1440),)),
    ],
)
def test_office_hours_as_written(text: str, spans: tuple[tuple[int, int], ...]) -> None:
    assert OfficeHours.parse(text, "Asia/Shanghai").spans == spans


@pytest.mark.parametrize("text", ["", "9-12", "12:00-09:00", "09:00-12:00,11:00-18:00", "09:00-25:00"])
def test_wrong_office_hours_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="作息时间"):
        OfficeHours.parse(text, "Asia/Shanghai")


def test_instants_come_back_in_utc() -> None:
    assert due(clock(2, Unit.HOUR, "2026-01-05T10:00"), CALENDAR, OFFICE).at.tzinfo is UTC
