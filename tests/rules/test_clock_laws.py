"""Laws that every clock keeps, whatever its unit, calendar, pauses and zone."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dispatch.rules.deadlines import (
    Calendar,
    Clock,
    Day,
    DayKind,
    Limit,
    OfficeHours,
    Unit,
    consumed,
    due,
    duty,
    pause,
    percent_at,
    remaining,
    resume,
)
from tests.rules.calendars import CALENDAR

ZONES = ["Asia/Shanghai", "America/New_York", "Europe/London", "Australia/Lord_Howe", "Pacific/Apia"]
FIRST = datetime(2025, 12, 1, tzinfo=UTC)

instants = st.integers(0, 400 * 86400).map(lambda s: FIRST + timedelta(seconds=s))
hours = st.sampled_from([OfficeHours(zone) for zone in ZONES] + [duty(zone) for zone in ZONES])
limits = st.one_of(
    st.builds(Limit, st.integers(1, 20), st.sampled_from(list(Unit))),
    st.builds(Limit, st.sampled_from([0.25, 0.5, 1.5]), st.sampled_from([Unit.HOUR, Unit.WORK_HOUR])),
)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """The official calendar, or one with days swapped at will."""
    if draw(st.booleans()):
        return CALENDAR
    swapped = draw(st.sets(st.integers(0, 60), max_size=12))
    days = {date(2026, 1, 1) + timedelta(days=n) for n in swapped}
    return Calendar({on: Day(DayKind.REST if CALENDAR.day(on).works else DayKind.WORK) for on in days})


@st.composite
def paused_clocks(draw: st.DrawFn) -> Clock:
    at = draw(instants)
    clock = Clock(draw(limits), at)
    for gap_s, length_s in draw(
        st.lists(st.tuples(st.integers(0, 3 * 86400), st.integers(0, 9 * 86400)), max_size=3)
    ):
        begins = at + timedelta(seconds=gap_s)
        at = begins + timedelta(seconds=length_s)
        clock = resume(pause(clock, begins), at)
    return clock


@given(paused_clocks(), calendars(), hours)
def test_remaining_is_nothing_at_the_due_time_and_something_before(
    clock: Clock, calendar: Calendar, office: OfficeHours
) -> None:
    at = due(clock, calendar, office).at
    assert remaining(clock, at, calendar, office) == timedelta()
    assert remaining(clock, at - timedelta(seconds=1), calendar, office) > timedelta()


@given(instants, st.integers(0, 5 * 86400), limits, calendars(), hours)
def test_starting_later_is_never_due_earlier(
    at: datetime, later_s: int, limit: Limit, calendar: Calendar, office: OfficeHours
) -> None:
    later = Clock(limit, at + timedelta(seconds=later_s))
    assert due(Clock(limit, at), calendar, office).at <= due(later, calendar, office).at


@given(paused_clocks(), st.integers(1, 5), calendars(), hours)
def test_a_longer_limit_is_due_later(
    clock: Clock, more: int, calendar: Calendar, office: OfficeHours
) -> None:
    longer = Clock(Limit(clock.limit.amount + more, clock.limit.unit), clock.started_at, clock.pauses)
    assert due(clock, calendar, office).at < due(longer, calendar, office).at


@given(paused_clocks(), instants, calendars(), hours)
def test_pausing_and_resuming_at_once_changes_nothing(
    clock: Clock, at: datetime, calendar: Calendar, office: OfficeHours
) -> None:
    assume(not clock.pauses or at >= (clock.pauses[-1].to_at or at))
    assume(at >= clock.started_at)
    assert due(resume(pause(clock, at), at), calendar, office).at == due(clock, calendar, office).at


@given(instants, limits, calendars(), hours, st.integers(0, 10 * 86400), st.integers(0, 9 * 86400))
def test_a_pause_takes_out_what_would_have_run_meanwhile(
    at: datetime, limit: Limit, calendar: Calendar, office: OfficeHours, after_s: int, length_s: int
) -> None:
    plain = Clock(limit, at)
    begins = at + timedelta(seconds=after_s)
    ends = begins + timedelta(seconds=length_s)
    plain_due = due(plain, calendar, office).at
    assume(begins < plain_due)
    stood = resume(pause(plain, begins), ends)
    missed = consumed(plain, ends, calendar, office) - consumed(plain, begins, calendar, office)
    new_due = due(stood, calendar, office).at
    ran_by_then = consumed(plain, new_due, calendar, office) - missed
    assert ran_by_then == consumed(plain, plain_due, calendar, office)
    if limit.unit in (Unit.HOUR, Unit.URGENT_HOUR, Unit.DAY):
        assert new_due == plain_due + timedelta(seconds=length_s)


@given(paused_clocks(), calendars(), hours, st.integers(0, 100), st.integers(0, 100))
def test_parts_of_a_limit_come_in_order(
    clock: Clock, calendar: Calendar, office: OfficeHours, one: int, other: int
) -> None:
    low, high = sorted((one, other))
    early, late = (percent_at(clock, part / 100, calendar, office) for part in (low, high))
    assert clock.started_at <= early <= late <= due(clock, calendar, office).at


@settings(max_examples=50)
@given(paused_clocks(), calendars(), hours)
def test_the_explanation_counts_what_ran(clock: Clock, calendar: Calendar, office: OfficeHours) -> None:
    got = due(clock, calendar, office)
    assert [step.on for step in got.steps] == sorted(step.on for step in got.steps)
    assert all(step.text.endswith(("计入", "不计", "分", "小时", "不扣除", "节假日")) for step in got.steps)
    if clock.limit.unit is Unit.WORK_DAY and not clock.pauses:
        assert sum(step.counted for step in got.steps) == clock.limit.amount
