"""The real calendar and a few clocks' makings, shared by the tests of deadlines."""

from datetime import datetime
from zoneinfo import ZoneInfo

from dispatch.rules.deadlines import Calendar, Clock, Day, DayKind, Limit, OfficeHours, Unit
from grid.calendar import library_days

SHANGHAI = ZoneInfo("Asia/Shanghai")
OFFICE = OfficeHours("Asia/Shanghai")
CALENDAR = Calendar({row.on: Day(DayKind(row.kind), row.name) for row in library_days()})


def local(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def clock(amount: float, unit: Unit, started: str, zone: ZoneInfo = SHANGHAI) -> Clock:
    return Clock(Limit(amount, unit), local(started, zone))
