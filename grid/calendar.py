"""The work calendar: one row per date that an official notice covers.

Seeded from the maintained `chinesecalendar`, overridden by importing a notice; a date without a row is estimated
by whoever reads it. Nothing here decides a deadline.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from importlib.metadata import version

import chinese_calendar.constants as chinese
from sqlmodel import Session, col, select

from grid.errors import InputError
from grid.models import CalendarDay

WORK, REST = "work", "rest"
SATURDAY = 5
KINDS = {"上班": WORK, "调休上班": WORK, "work": WORK, "放假": REST, "休息": REST, "rest": REST}


def library_years() -> range:
    """The years whose notice the library knows."""
    return range(min(chinese.holidays).year, max(chinese.holidays).year + 1)


def library_days(years: Iterable[int] | None = None) -> Iterator[CalendarDay]:
    """Every date of the years that the library covers."""
    source = f"chinesecalendar {version('chinesecalendar')}(国务院办公厅各年放假通知)"
    for year in library_years() if years is None else years:
        if year not in library_years():
            raise InputError(f"工作日历:随附的日历没有 {year} 年,请导入该年国务院放假通知")
        named = {on: chinese.Holiday(h).chinese for on, h in {**chinese.holidays, **chinese.workdays}.items()}
        listed = {on: (REST, named[on]) for on in chinese.holidays if on.year == year}
        listed |= {on: (WORK, named[on]) for on in chinese.workdays if on.year == year}
        yield from whole_year(year, listed, source)


def whole_year(year: int, listed: dict[date, tuple[str, str]], source: str) -> Iterator[CalendarDay]:
    """A row for each date: as the notice lists it, else by its weekday."""
    on = date(year, 1, 1)
    while on.year == year:
        kind, name = listed.get(on, (REST if on.weekday() >= SATURDAY else WORK, None))
        yield CalendarDay(on=on, kind=kind, name=name, source=source)
        on += timedelta(days=1)


def read_notice(text: str, source: str) -> list[CalendarDay]:
    """Read a notice as CSV (`date,kind,name`): the days off and the make-up days of whole years.

    Raises
    ------
    InputError
        One sentence per wrong row in `fields`; nothing is read then.
    """
    listed: dict[date, tuple[str, str]] = {}
    problems: dict[str, str] = {}
    rows = csv.DictReader(io.StringIO(text.lstrip("\ufeff")))
    if not {"date", "kind"} <= set(rows.fieldnames or ()):
        raise InputError("放假通知:首行须是列名 date,kind,name,请补上")
    for number, row in enumerate(rows, start=2):
        kind = KINDS.get((row["kind"] or "").strip())
        try:
            on = date.fromisoformat((row["date"] or "").strip())
        except ValueError:
            problems[f"row{number}"] = f"第 {number} 行:日期“{row['date']}”写法不对,请写成 2027-02-06"
            continue
        if kind is None:
            problems[f"row{number}"] = f"第 {number} 行:“{row['kind']}”不是放假或上班,请改正"
        elif on in listed:
            problems[f"row{number}"] = f"第 {number} 行:{on} 重复,请只留一行"
        else:
            listed[on] = (kind, (row.get("name") or "").strip() or ("放假" if kind == REST else "调休上班"))
    if not listed and not problems:
        raise InputError("放假通知:没有一行日期,请检查文件")
    if problems:
        raise InputError("放假通知有错,没有导入任何一行:" + ";".join(problems.values()), problems)
    years = sorted({on.year for on in listed})
    return [day for year in years for day in whole_year(year, listed, source)]


def put_days(session: Session, days: Iterable[CalendarDay]) -> list[date]:
    """Write days over what is there; the dates that became something else (not committed).

    A date that had no row counts as changed: open deadlines that cross it were estimated.
    """
    given = {day.on: day for day in days}
    there = {day.on: day for day in session.exec(select(CalendarDay)) if day.on in given}
    changed = []
    for on, day in given.items():
        old = there.get(on)
        if old is None:
            session.add(day)
            changed.append(on)
        elif (old.kind, old.name, old.source) != (day.kind, day.name, day.source):
            if old.kind != day.kind:
                changed.append(on)
            old.kind, old.name, old.source = day.kind, day.name, day.source
            session.add(old)
    return sorted(changed)


def stored_days(session: Session, from_on: date, to_on: date) -> dict[date, CalendarDay]:
    """The rows of a stretch of dates, both ends included."""
    rows = session.exec(
        select(CalendarDay).where(col(CalendarDay.on) >= from_on, col(CalendarDay.on) <= to_on)
    )
    return {row.on: row for row in rows}


def years_covered(session: Session) -> list[int]:
    """Years that have rows, for the page that says which ones are missing."""
    return sorted({on.year for on in session.exec(select(col(CalendarDay.on)))})
