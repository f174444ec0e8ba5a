"""Staff from a table, one row per post: accounts are made, posts added, nobody is removed.

New accounts have no password; each owner sets one by a single-use link.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session, select

from grid import accounts
from grid.accounts.passwords import normal_login
from grid.accounts.people import DUTY_CLASS_LABELS, duty_class_of
from grid.importing.columns import Column, Record, choice, read_code, read_date, read_phone, read_records
from grid.importing.organisations import known_areas
from grid.importing.report import ImportReport
from grid.importing.sheets import Sheet
from grid.models import Account, Organisation, Post
from grid.permissions import ROLES, Actor

COLUMNS = (
    Column("登录名", "login", required=True, read=normal_login, also=("账号", "登录账号", "用户名")),
    Column("姓名", "name", required=True, also=("名字",)),
    Column(
        "岗位", "role", required=True, read=choice({key: role.label for key, role in ROLES.items()}, "岗位")
    ),
    Column("单位编码", "organisation_code", required=True, read=read_code),
    Column("区域编码", "area_code", read=read_code),
    Column("手机号", "phone", read=read_phone, also=("手机", "联系电话")),
    Column("人员标识", "person_key", read=read_code),
    Column("起始日期", "from_on", read=read_date),
    Column("截止日期", "to_on", read=read_date),
)
POST_FIELDS = ("role", "organisation_code", "area_code", "from_on", "to_on")


def import_staff(session: Session, sheet: Sheet, actor: Actor | None, now: datetime) -> ImportReport:
    """Check the table and, when all is right, write all of it; the caller commits."""
    report = ImportReport("人员与岗位")
    records = read_records(sheet, COLUMNS, report)
    organisations = {row.code: row for row in session.exec(select(Organisation))}
    known = {row.login: row for row in session.exec(select(Account))}
    areas = known_areas(session)
    people: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        if record.fields("login", "name", "role"):
            people[record["login"]].append(record)
        _check_post(record, organisations, areas, report)
    for login, rows in people.items():
        _check_person(rows, known.get(login), report)
    if report.is_right and people:
        for login, rows in people.items():
            _write(session, rows, known.get(login), report, actor, now)
        report.written = True
    return report


def _check_post(
    record: Record, organisations: Mapping[str, Organisation], areas: frozenset[str], report: ImportReport
) -> None:
    role = ROLES.get(record["role"])
    if record["organisation_code"] and record["organisation_code"] not in organisations:
        message = f"没有编码为 {record['organisation_code']} 的单位,请先导入单位"
        report.problems.append(record.problem("organisation_code", message))
    if role and role.needs_area and record.fields("area_code") == (None,):
        report.problems.append(record.problem("area_code", f"“{role.label}”须填负责的区域编码"))
    if areas and record["area_code"] and record["area_code"] not in areas:
        message = f"现行边界里没有编码为 {record['area_code']} 的区域"
        report.problems.append(record.problem("area_code", message))
    if record["from_on"] and record["to_on"] and record["to_on"] < record["from_on"]:
        report.problems.append(record.problem("to_on", "截止日期早于起始日期"))


def _check_person(rows: list[Record], known: Account | None, report: ImportReport) -> None:
    first = rows[0]
    wanted = known.duty_class if known else duty_class_of(first["role"])
    name = known.name if known else first["name"]
    seen: dict[tuple[object, ...] | None, int] = {}
    for record in rows:
        found = duty_class_of(record["role"])
        if found is not wanted:
            report.problems.append(
                record.problem(
                    "role",
                    f"账号“{record['login']}”属{DUTY_CLASS_LABELS[wanted]}类,不能再任{DUTY_CLASS_LABELS[found]}类岗位"
                    "(巡办分离);请用另一个登录名,并填同一人员标识",
                )
            )
        if record["name"] != name:
            message = f"登录名“{record['login']}”已是“{name}”,与“{record['name']}”不是同一人"
            report.problems.append(record.problem("name", message))
        key = record.fields(*POST_FIELDS)
        if key in seen:
            report.problems.append(record.problem(None, f"与第 {seen[key]} 行重复"))
        if key:
            seen.setdefault(key, record.row.number)


def _write(
    session: Session,
    rows: list[Record],
    known: Account | None,
    report: ImportReport,
    actor: Actor | None,
    now: datetime,
) -> None:
    posts = tuple(accounts.NewPost(**{field: record[field] for field in POST_FIELDS}) for record in rows)
    if known is None:
        first = rows[0]
        new = accounts.NewAccount(
            login=first["login"],
            name=first["name"],
            posts=posts,
            phone=first["phone"],
            person_key=first["person_key"],
        )
        accounts.create_account(session, new, actor, now)
        report.count("新账号")
        report.count("新岗位", len(posts))
        return
    held = {
        tuple(getattr(post, field) for field in POST_FIELDS)
        for post in session.exec(select(Post).where(Post.account_id == known.id))
    }
    for record, post in zip(rows, posts, strict=True):
        if tuple(record[field] for field in POST_FIELDS) in held:
            report.count("未变")
            continue
        accounts.add_post(session, known, post, actor, now)
        report.count("新岗位")
