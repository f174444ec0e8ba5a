"""Organisations, staff and responsibilities from tables: by row and column what is wrong; all of it or nothing."""

from datetime import date

import pytest
from sqlmodel import col, func, select

from dispatch import duties
from dispatch.seeding import seed
from grid import accounts
from grid.database import Database
from grid.importing.columns import read_hours
from grid.importing.organisations import import_organisations
from grid.importing.report import ImportReport
from grid.importing.sheets import parse_sheet
from grid.importing.staff import import_staff
from grid.models import Account, Organisation, Post, Responsibility, Ruleset, StandingChange
from tests.grid.conftest import NOW

ORGANISATIONS = """单位编码,单位名称,单位类型,上级单位编码,监管单位编码,昼夜值守,值班电话
team,执法一中队,综合执法队,bureau,,否,
bureau,城市管理局,城管执法,,,,0898-1234567
cleaner,保洁公司,环卫,,bureau,是,
village,春和村,村,,,,
"""
STAFF = """登录名,姓名,岗位,单位编码,区域编码,手机号,起始日期,截止日期
wang,王小网,网格员,village,990101001001001,13800000000,2026/1/1,
wang,王小网,网格员,village,990101001001002,13800000000,2026年1月1日,2026-12-31
li,李经办,部门经办人,bureau,,,,
"""
DUTIES = """规则编号,类别编码,主办单位,协办单位,来源,时段,起始日期
r1,2001,类型:环卫,城市管理局;team,,,
r2,200501,bureau,,网格员上报,夜间与节假日,2026-01-01
"""


def organisations(database: Database, text: str = ORGANISATIONS) -> ImportReport:
    kinds = duties.organisation_kinds()
    sheet = parse_sheet("单位.csv", text.encode())
    return database.write(lambda session: import_organisations(session, sheet, kinds, None, NOW))


def staff(database: Database, text: str = STAFF) -> ImportReport:
    return database.write(lambda s: import_staff(s, parse_sheet("人员.csv", text.encode()), None, NOW))


def responsibilities(database: Database, text: str = DUTIES) -> ImportReport:
    sheet = parse_sheet("职责.csv", text.encode())
    return database.write(lambda session: duties.import_duties(session, sheet, None, NOW))


def count(database: Database, table: type[object]) -> int:
    with database.reading() as session:
        return session.exec(select(func.count()).select_from(table)).one()


def test_organisations_arrive_whatever_their_order(database: Database) -> None:
    report = organisations(database)

    assert report.written, report.lines()
    assert report.counts == {"行": 4, "新增": 4}
    with database.reading() as session:
        rows = {row.code: row for row in session.exec(select(Organisation))}
    assert rows["team"].parent_code == "bureau"
    assert (rows["cleaner"].kind, rows["cleaner"].supervised_by, rows["cleaner"].duty_24x7) == (
        "sanitation",
        "bureau",
        True,
    )


def test_a_second_import_updates_only_what_changed(database: Database) -> None:
    organisations(database)
    before = count(database, StandingChange)

    report = organisations(database, ORGANISATIONS.replace("城市管理局,城管", "城市管理和综合执法局,城管"))

    assert report.counts == {"行": 4, "更新": 1, "未变": 3}
    assert count(database, StandingChange) == before + 1


@pytest.mark.parametrize(
    ("wrong", "right", "complaint"),
    [
        ("春和村,村", "春和村,城堡", "第 5 行 “单位类型”列:没有单位类型“城堡”"),
        ("village,春和村", "team,春和村", "第 5 行 “单位编码”列:编码 team 与第 2 行重复"),
        ("村,,,,", "村,nowhere,,,", "第 5 行 “上级单位编码”列:没有编码为 nowhere 的单位"),
        ("cleaner,保洁公司", "cleaner,", "第 4 行 “单位名称”列:必填"),
        ("bureau,是", "bureau,或许", "第 4 行 “昼夜值守”列:“或许”请写"),
        ("0898-1234567", "call me", "第 3 行 “值班电话”列"),
        ("管理局,城管执法,,", "管理局,城管执法,team,", "第 2 行 “上级单位编码”列:上级关系绕成了圈"),
        ("单位编码,单位名称,单位类型", "编号,单位名称,单位类型", "缺少列:单位编码"),
        ("village,春和村", "1.1E+14,春和村", "科学计数"),
    ],
)
def test_each_wrong_cell_of_organisations_is_named_and_nothing_is_kept(
    database: Database, wrong: str, right: str, complaint: str
) -> None:
    assert wrong in ORGANISATIONS

    report = organisations(database, ORGANISATIONS.replace(wrong, right))

    assert complaint in "\n".join(report.lines())
    assert not report.written
    assert count(database, Organisation) == 0


def test_a_comma_without_quotes_is_named_by_its_row(database: Database) -> None:
    report = organisations(database, "单位编码,单位名称,单位类型\nx,甲局,环卫,,\ny,乙局,环卫,西路\n")
    assert [(p.row, p.message) for p in report.problems] == [
        (3, "比首行多出一格“西路”;文字里有逗号时请加英文引号,或用 XLSX")
    ]
    assert not report.written


def test_a_column_that_means_nothing_is_mentioned(database: Database) -> None:
    report = organisations(database, "单位编码,单位名称,单位类型,口号\nx,某局,环卫,为民\n")

    assert report.written
    assert "“口号”列:没有用到这一列" in "\n".join(report.lines())


def test_rows_of_one_person_become_one_account_with_several_posts(database: Database) -> None:
    organisations(database)
    report = staff(database)

    assert report.counts == {"行": 3, "新账号": 2, "新岗位": 3}
    with database.reading() as session:
        wang = session.exec(select(Account).where(Account.login == "wang")).one()
        assert wang.password_hash is None
        ends = {p.to_on for p in session.exec(select(Post).where(Post.account_id == wang.id))}
        assert ends == {None, date(2026, 12, 31)}
        assert accounts.actor_of(session, wang, date(2026, 6, 1)).area_codes == {
            "990101001001001",
            "990101001001002",
        }


def test_importing_staff_again_adds_only_new_posts(database: Database) -> None:
    organisations(database)
    staff(database)

    report = staff(database, STAFF + "li,李经办,部门经办人,cleaner,,,,\n")

    assert report.counts == {"行": 4, "未变": 3, "新岗位": 1}
    assert count(database, Account) == 2


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        (
            "wang,王小网,部门经办人,bureau,,,,",
            "第 5 行 “岗位”列:账号“wang”属巡查类,不能再任办理类岗位(巡办分离)",
        ),
        ("wang,王大网,网格员,village,9,,,", "第 5 行 “姓名”列:登录名“wang”已是“王小网”"),
        ("zhao,赵六,网格员,village,,,,", "第 5 行 “区域编码”列:“网格员”须填"),
        ("zhao,赵六,市长,village,,,,", "第 5 行 “岗位”列:没有岗位“市长”"),
        ("zhao,赵六,部门经办人,nowhere,,,,", "第 5 行 “单位编码”列"),
        ("zhao,赵六,部门经办人,bureau,,,2026-13-01,", "第 5 行 “起始日期”列:“2026-13-01”不是日期"),
        ("zhao,赵六,部门经办人,bureau,,,2026-05-01,2026-04-01", "第 5 行 “截止日期”列:截止日期早于起始日期"),
        ("li,李经办,部门经办人,bureau,,,,", "第 5 行:与第 4 行重复"),
    ],
)
def test_each_wrong_cell_of_staff_is_named_and_nothing_is_kept(
    database: Database, more: str, complaint: str
) -> None:
    organisations(database)

    report = staff(database, STAFF + more + "\n")

    assert complaint in "\n".join(report.lines())
    assert count(database, Account) == 0


@pytest.mark.acceptance("A4")
def test_parking_for_the_community_is_refused_with_its_row(database: Database) -> None:
    database.write(lambda session: seed(session, NOW))
    organisations(database)

    report = responsibilities(database, DUTIES + "r3,200505,类型:社区,,,,\n")

    assert not report.written
    assert [(p.row, p.column) for p in report.problems] == [(4, "主办单位")]
    assert "不得将村(社区)作为" in report.problems[0].message
    assert count(database, Ruleset) == 1


def test_responsibilities_become_a_draft_of_the_next_rules(database: Database) -> None:
    database.write(lambda session: seed(session, NOW))
    organisations(database)

    report = responsibilities(database)

    assert report.written, report.lines()
    assert "已存为第 2 版草稿" in report.lines()[0]
    with database.reading() as session:
        rows = {
            row.id: row
            for row in session.exec(select(Responsibility).where(col(Responsibility.ruleset_version) == 2))
        }
    assert (rows["r1"].main, rows["r1"].assistants) == ("kind:sanitation", "bureau;team")
    assert (rows["r2"].main, rows["r2"].source_kind, rows["r2"].time_band) == ("bureau", "patrol", "night")


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("r3,200505,类型:社区,,,,", "第 4 行 “主办单位”列:“城市管理”类事项不得由村(社区)主办"),
        ("r3,200505,village,,,,", "第 4 行 “主办单位”列"),
        ("r3,2001,bureau,village,,,", "第 4 行 “协办单位”列:“环境整治”类事项不得由村(社区)协办"),
        ("r3,999999,bureau,,,,", "第 4 行 “类别编码”列:没有编码为 999999 的类别"),
        ("r3,2001,某某局,,,,", "第 4 行 “主办单位”列:没有单位“某某局”"),
        ("r1,2001,bureau,,,,", "第 4 行 “规则编号”列:规则编号 r1 与第 2 行重复"),
        ("r3,2001,bureau,,电报,,", "第 4 行 “来源”列:没有来源“电报”"),
    ],
)
def test_each_wrong_responsibility_is_named_and_nothing_is_published(
    database: Database, row: str, complaint: str
) -> None:
    database.write(lambda session: seed(session, NOW))
    organisations(database)

    report = responsibilities(database, DUTIES + row + "\n")

    assert complaint in "\n".join(report.lines())
    assert count(database, Ruleset) == 1


def test_a_wrong_date_hides_no_other_error_of_its_row_or_of_the_file(database: Database) -> None:
    database.write(lambda session: seed(session, NOW))
    organisations(database)

    report = responsibilities(database, DUTIES + "r1,999999,某某局,,,,五月\nr4,2001,,,电报,,\n")

    assert sorted((p.file, p.row, p.column) for p in report.problems) == [
        ("职责.csv", 4, "主办单位"),
        ("职责.csv", 4, "类别编码"),
        ("职责.csv", 4, "规则编号"),
        ("职责.csv", 4, "起始日期"),
        ("职责.csv", 5, "主办单位"),
        ("职责.csv", 5, "来源"),
    ]
    assert count(database, Ruleset) == 1


def test_wrong_cells_of_units_and_staff_are_named_together(database: Database) -> None:
    units = organisations(database, ORGANISATIONS + "inn,客栈,旅馆,nowhere,,或许,\n")
    assert [(p.row, p.column) for p in units.problems] == [
        (6, "单位类型"),
        (6, "昼夜值守"),
        (6, "上级单位编码"),
    ]
    organisations(database)
    people = staff(database, STAFF + "zhao,赵六,网格员,nowhere,,,五月,\nzhao,赵六,网格员,village,,,五月,\n")
    assert [(p.row, p.column) for p in people.problems] == [
        (5, "起始日期"),
        (6, "起始日期"),
        (5, "单位编码"),
        (5, "区域编码"),
        (6, "区域编码"),
    ]
    assert count(database, Account) == 0


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("08:30-11:30,13:00-17:00", "08:30-11:30,13:00-17:00"),
        ("8:30—12:00，14：00-24:00", "8:30-12:00,14:00-24:00"),
    ],
)
def test_office_hours_are_read_as_people_write_them(written: str, kept: str) -> None:
    assert read_hours(written) == kept


@pytest.mark.parametrize("wrong", ["是", "18:00-09:00", "09:00-12:00,11:00-18:00", "09:00-25:00", "09:00"])
def test_impossible_office_hours_are_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="09:00-12:00,14:00-18:00"):
        read_hours(wrong)
