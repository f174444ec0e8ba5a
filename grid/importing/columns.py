"""What the columns of a table mean: heading → field, read strictly, every wrong cell named."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from grid.importing.report import ImportReport, Problem
from grid.importing.sheets import Row, Sheet

_SPAN = re.compile(r"(\d{1,2}):([0-5]\d)-(\d{1,2}):([0-5]\d)")
YES, NO = frozenset({"是", "1", "true", "yes", "y", "√"}), frozenset({"否", "0", "false", "no", "n"})


@dataclass(frozen=True)
class Column:
    """A column: its Chinese heading, the field it fills and how its text is read (`ValueError`: says why not).

    `also` are headings that mean the same.
    """

    heading: str
    field: str
    required: bool = False
    read: Callable[[str], Any] = str
    also: tuple[str, ...] = ()

    def found_in(self, sheet: Sheet) -> str | None:
        """The heading of the sheet that means this column: as somebody said it, else by name."""
        said = sheet.meant.get(self.heading)
        names = (said,) if said else (self.heading, *self.also)
        return next((name for name in names if name in sheet.headings), None)


@dataclass(frozen=True)
class Record:
    """One row read, with the means to complain about it; a cell in `wrong` was named already and has no value."""

    row: Row
    values: Mapping[str, Any]
    sheet_name: str
    headings: Mapping[str, str]
    wrong: frozenset[str] = frozenset()

    def __getitem__(self, field: str) -> Any:
        return self.values[field]

    def fields(self, *names: str) -> tuple[Any, ...] | None:
        """These cells to be compared with another row's, None where one of them could not be read."""
        return None if self.wrong.intersection(names) else tuple(self.values[name] for name in names)

    def problem(self, field: str | None, message: str) -> Problem:
        column = self.headings[field] if field else None
        return Problem(message, file=self.sheet_name, row=self.row.number, column=column)


def read_records(sheet: Sheet, columns: Sequence[Column], report: ImportReport) -> list[Record]:
    """Every row as values; a wrong cell is reported and left empty, so that the rest of its row is still checked."""
    headings = {c.field: c.found_in(sheet) or c.heading for c in columns}
    missing = missing_headings(sheet, columns)
    if missing:
        wanted = "、".join(c.heading + ("(必填)" if c.required else "") for c in columns)
        message = f"缺少列:{'、'.join(missing)}。首行应有:{wanted}"
        report.problems.append(Problem(message, file=sheet.name))
        return []
    known = set(headings.values())
    report.remarks += [
        Problem("没有用到这一列", file=sheet.name, column=heading)
        for heading in sheet.headings
        if heading not in known
    ]
    records = []
    for row in sheet:
        values: dict[str, Any] = {}
        wrong = set()
        if row.beyond:
            message = f"比首行多出一格“{row.beyond[:20]}”;文字里有逗号时请加英文引号,或用 XLSX"
            report.problems.append(Problem(message, sheet.name, row.number))
        for column in columns:
            heading = headings[column.field]
            text = row.get(heading)
            values[column.field] = None
            try:
                values[column.field] = column.read(text) if text else None
                complaint = "必填,不能为空" if column.required and not text else None
            except ValueError as error:
                complaint = str(error)
            if complaint:
                wrong.add(column.field)
                report.problems.append(Problem(complaint, sheet.name, row.number, heading))
        report.count("行")
        records.append(Record(row, values, sheet.name, headings, frozenset(wrong)))
    return records


def missing_headings(sheet: Sheet, columns: Sequence[Column]) -> list[str]:
    """Required columns that no heading of the sheet means."""
    return [c.heading for c in columns if c.required and c.found_in(sheet) is None]


def read_date(text: str) -> date:
    """2026-01-02, 2026/1/2, 2026.1.2 or 2026年1月2日."""
    plain = text.replace("年", "-").replace("月", "-").replace("日", "").replace("/", "-").replace(".", "-")
    try:
        year, month, day = (int(part) for part in plain.split("-"))
        return date(year, month, day)
    except ValueError:
        raise ValueError(f"“{text}”不是日期,请写成 2026-01-02") from None


def read_flag(text: str) -> bool:
    """是 or 否."""
    if text.lower() in YES:
        return True
    if text.lower() in NO:
        return False
    raise ValueError(f"“{text}”请写“是”或“否”")


def read_code(text: str) -> str:
    """A code: no spaces, at most 32 characters, not a number that a spreadsheet has rounded."""
    if len(text) > 32 or " " in text:
        raise ValueError(f"编码“{text[:40]}”不能有空格,最多 32 个字符")
    if "E+" in text.upper() and text.upper().replace("E+", "").replace(".", "").isdigit():
        raise ValueError(f"编码“{text}”被表格软件改成了科学计数,请把这一列设为文本后重新填写")
    return text


def choice(known: Mapping[str, str], what: str) -> Callable[[str], str]:
    """A reader that accepts a label or its key and gives the key."""
    by_label = {label: key for key, label in known.items()}

    def read(text: str) -> str:
        if text in known:
            return text
        if text in by_label:
            return by_label[text]
        shown = "、".join(list(by_label)[:12])
        raise ValueError(f"没有{what}“{text}”,可用的有:{shown}{'…' if len(by_label) > 12 else ''}")

    return read


def read_phone(text: str) -> str:
    """A telephone number: digits, spaces, +, - and brackets."""
    if not 3 <= sum(c.isdigit() for c in text) <= 20 or any(c not in "0123456789+-() " for c in text):
        raise ValueError(f"“{text[:30]}”不像电话号码,请核对")
    return text


def read_hours(text: str) -> str:
    """Office hours as spans of local time, in order and apart: 09:00-12:00,14:00-18:00."""
    plain = text.replace("，", ",").replace("：", ":").replace("—", "-").replace("–", "-").replace(" ", "")
    wrong = ValueError(f"“{text[:40]}”请写成 09:00-12:00,14:00-18:00,按先后排列、互不重叠")
    ends: list[int] = []
    for span in plain.split(","):
        found = _SPAN.fullmatch(span)
        if found is None:
            raise wrong
        hours = [int(part) for part in found.groups()]
        ends += [hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]]
    if any(a >= b for a, b in pairwise(ends)) or ends[-1] > 24 * 60:
        raise wrong
    return plain
