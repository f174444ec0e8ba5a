"""The work calendar's rows: seeding, importing a notice, and what an import says has changed."""

from datetime import date

import pytest
from sqlmodel import Session, SQLModel, create_engine

from grid.calendar import library_days, library_years, put_days, read_notice, stored_days, years_covered
from grid.errors import InputError
from grid.models import CalendarDay

NOTICE = "date,kind,name\n2027-01-01,放假,元旦\n2027-02-06,放假,春节\n2027-02-14,上班,春节调休\n"


@pytest.fixture
def session() -> Session:
    engine = create_engine("sqlite://")
    SQLModel.metadata.create_all(engine, tables=[CalendarDay.__table__])
    return Session(engine)


def test_library_covers_whole_years() -> None:
    assert list(library_years())[:1] == [2004]
    days = list(library_days([2026]))
    assert len(days) == 365
    assert {day.kind for day in days} == {"work", "rest"}
    make_up = next(day for day in days if day.on == date(2026, 2, 14))
    assert (make_up.kind, make_up.name) == ("work", "春节")


def test_a_year_that_the_library_lacks_is_refused_with_the_cure() -> None:
    with pytest.raises(InputError, match="没有 2027 年,请导入"):
        list(library_days([2027]))


def test_a_notice_fills_its_whole_year_and_says_what_changed(session: Session) -> None:
    put_days(session, library_days([2026]))
    changed = put_days(session, read_notice(NOTICE, "国办发明电〔2026〕号(测试)"))
    session.commit()
    assert len(changed) == 365
    assert years_covered(session) == [2026, 2027]
    stored = stored_days(session, date(2027, 2, 13), date(2027, 2, 15))
    assert [(on.day, row.kind) for on, row in sorted(stored.items())] == [
        (13, "rest"),
        (14, "work"),
        (15, "work"),
    ]
    assert put_days(session, read_notice(NOTICE, "国办发明电〔2026〕号(测试)")) == []
    corrected = read_notice(NOTICE.replace("2027-02-14,上班", "2027-02-14,放假"), "更正")
    assert put_days(session, corrected) == [date(2027, 2, 14)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("on,what\n", "首行须是列名"),
        ("date,kind,name\n", "没有一行日期"),
        ("date,kind,name\n2027/1/1,放假,\n", "第 2 行:日期"),
        ("date,kind,name\n2027-01-01,停工,\n", "第 2 行:“停工”不是"),
        ("date,kind,name\n2027-01-01,放假,\n2027-01-01,上班,\n", "第 3 行:2027-01-01 重复"),
    ],
)
def test_wrong_notices_are_refused_by_row(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_notice(text, "测试")
