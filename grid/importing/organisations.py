"""Organisations from a table: new ones added, known ones updated by code, none removed."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from grid.areas.generations import active_generation
from grid.auditing import record_change, values_of
from grid.importing.columns import (
    Column,
    Record,
    choice,
    read_code,
    read_date,
    read_flag,
    read_hours,
    read_phone,
    read_records,
)
from grid.importing.report import ImportReport
from grid.importing.sheets import Sheet
from grid.models import Area, Organisation
from grid.permissions import Actor


def columns(kinds: Mapping[str, str]) -> tuple[Column, ...]:
    """The table's columns; `kinds` maps keys of organisation kinds to their labels."""
    return (
        Column("单位编码", "code", required=True, read=read_code),
        Column("单位名称", "name", required=True),
        Column("单位类型", "kind", required=True, read=choice(kinds, "单位类型")),
        Column("上级单位编码", "parent_code", read=read_code),
        Column("所辖区域编码", "area_code", read=read_code),
        Column("监管单位编码", "supervised_by", read=read_code),
        Column("昼夜值守", "duty_24x7", read=read_flag),
        Column("作息时间", "office_hours", read=read_hours),
        Column("值班电话", "phone", read=read_phone),
        Column("撤销日期", "closed_on", read=read_date),
    )


def import_organisations(
    session: Session, sheet: Sheet, kinds: Mapping[str, str], actor: Actor | None, now: datetime
) -> ImportReport:
    """Check the table and, when all is right, write all of it; the caller commits."""
    report = ImportReport("单位")
    records = read_records(sheet, columns(kinds), report)
    known = {row.code: row for row in session.exec(select(Organisation))}
    areas = known_areas(session)
    by_code: dict[str, Record] = {}
    for record in records:
        if record["code"] in by_code:
            other = by_code[record["code"]].row.number
            report.problems.append(record.problem("code", f"编码 {record['code']} 与第 {other} 行重复"))
        if record["code"]:
            by_code.setdefault(record["code"], record)
    for record in records:
        for field in ("parent_code", "supervised_by"):
            if record[field] and record[field] not in by_code and record[field] not in known:
                report.problems.append(record.problem(field, f"没有编码为 {record[field]} 的单位"))
        if areas and record["area_code"] and record["area_code"] not in areas:
            message = f"现行边界里没有编码为 {record['area_code']} 的区域"
            report.problems.append(record.problem("area_code", message))
    report.problems += [
        by_code[code].problem("parent_code", "上级关系绕成了圈,请更正")
        for code in _in_circles(by_code, known)
    ]
    if report.is_right and by_code:
        for record in _parents_first(by_code):
            _write(session, record, known, report, actor, now)
        report.written = True
    return report


def known_areas(session: Session) -> frozenset[str]:
    """Codes of the areas in force; empty while there are none."""
    generation = active_generation(session)
    if generation is None:
        return frozenset()
    return frozenset(session.exec(select(col(Area.code)).where(Area.generation_id == generation.id)))


def _write(
    session: Session,
    record: Record,
    known: Mapping[str, Organisation],
    report: ImportReport,
    actor: Actor | None,
    now: datetime,
) -> None:
    values: dict[str, Any] = {**record.values, "duty_24x7": bool(record["duty_24x7"])}
    old = known.get(record["code"])
    before = values_of(old) if old else None
    row = old or Organisation(**values)
    for name, value in values.items():
        setattr(row, name, value)
    after = values_of(row)
    if before == after:
        report.count("未变")
        return
    session.add(row)
    session.flush()
    report.count("更新" if old else "新增")
    action = "update" if old else "create"
    record_change(session, actor, "organisation", row.code, action, before=before, after=after, now=now)


def _in_circles(by_code: Mapping[str, Record], known: Mapping[str, Organisation]) -> Iterator[str]:
    above = {code: row.parent_code for code, row in known.items()}
    above |= {code: record["parent_code"] for code, record in by_code.items()}
    for code in by_code:
        step, passed = above.get(code), {code}
        while step and step not in passed:
            passed.add(step)
            step = above.get(step)
        if step == code:
            yield code


def _parents_first(by_code: Mapping[str, Record]) -> Iterable[Record]:
    done: set[str] = set()
    waiting = list(by_code.values())
    while waiting:
        ready = [r for r in waiting if r["parent_code"] in done or r["parent_code"] not in by_code]
        yield from ready
        done.update(r["code"] for r in ready)
        waiting = [r for r in waiting if r["code"] not in done]
