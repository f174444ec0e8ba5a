"""Who answers for what, from a table: the whole set is checked, then a draft of the next rules."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session, col, select

from grid import rulesets
from grid.areas.generations import active_generation
from grid.importing.columns import Column, Record, choice, read_code, read_date, read_records
from grid.importing.organisations import known_areas
from grid.importing.report import ImportReport
from grid.importing.sheets import Sheet
from grid.models import Category, Organisation, OverlayArea, Responsibility
from grid.permissions import Actor

KIND_PREFIX = "kind:"


@dataclass(frozen=True)
class Vocabulary:
    """What the rows may speak of besides the tables: keys and their labels.

    `forbids(category_code, organisation_kind, part)` is the clause that bars such a unit, None where nothing does;
    the part is `main` or `assistant`.
    """

    kinds: Mapping[str, str]
    sources: Mapping[str, str]
    time_bands: Mapping[str, str]
    forbids: Callable[[str, str, str], str | None]


def columns(words: Vocabulary) -> tuple[Column, ...]:
    return (
        Column("规则编号", "id", read=read_code),
        Column("类别编码", "category_code", read=read_code),
        Column("区域编码", "area_code", read=read_code),
        Column("叠加面编码", "overlay_code", read=read_code),
        Column("来源", "source_kind", read=choice(words.sources, "来源")),
        Column("时段", "time_band", read=choice(words.time_bands, "时段")),
        Column("主办单位", "main", required=True),
        Column("协办单位", "assistants"),
        Column("起始日期", "valid_from", read=read_date),
        Column("截止日期", "valid_to", read=read_date),
        Column("备注", "note"),
    )


def import_responsibilities(
    session: Session,
    sheet: Sheet,
    words: Vocabulary,
    actor: Actor | None,
    now: datetime,
    *,
    note: str,
    only_good: bool = False,
) -> ImportReport:
    """Check the table and, when all is right, store it as a draft of the next rules; the caller commits.

    With `only_good` the rows that are right are taken, and the report still names every other one.
    """
    report = ImportReport("职责")
    records = read_records(sheet, columns(words), report)
    check = _Check(session, words, report)
    rows = [check.row(record) for record in records]
    ids: dict[str, int] = {}
    for record, row in zip(records, rows, strict=True):
        if row.id in ids:
            report.problems.append(record.problem("id", f"规则编号 {row.id} 与第 {ids[row.id]} 行重复"))
        ids.setdefault(row.id, record.row.number)
    _same_time(records, rows, report)
    if only_good:
        wrong = {problem.row for problem in report.problems}
        rows = [row for record, row in zip(records, rows, strict=True) if record.row.number not in wrong]
    if (report.is_right or only_good) and rows:
        author = actor.name if actor else "命令行"
        version = rulesets.publish(session, rows, author=author, note=note, actor=actor, now=now, draft=True)
        report.count("规则", len(rows))
        report.details["ruleset_version"] = version
        report.tail = f";已存为第 {version} 版草稿,检查、演练后再启用"
        report.written = True
    return report


def _same_time(records: list[Record], rows: list[Responsibility], report: ImportReport) -> None:
    """Rows that say of the same thing different units on the same days."""
    groups: dict[object, list[tuple[Record, Responsibility]]] = {}
    for record, row in zip(records, rows, strict=True):
        key = record.fields("category_code", "area_code", "overlay_code", "source_kind", "time_band")
        if key is None or not record.fields("main", "valid_from", "valid_to"):
            continue
        for other, before in groups.get(key, ()):
            begins = max(row.valid_from or date.min, before.valid_from or date.min)
            ends = min(row.valid_to or date.max, before.valid_to or date.max)
            if begins <= ends and row.main != before.main:
                message = f"与第 {other.row.number} 行同样具体、日期重叠而主办单位不同,请改日期或写得更具体"
                report.problems.append(record.problem("main", message))
        groups.setdefault(key, []).append((record, row))


class _Check:
    def __init__(self, session: Session, words: Vocabulary, report: ImportReport) -> None:
        self.words, self.report = words, report
        self.organisations = {row.code: row for row in session.exec(select(Organisation))}
        self.categories = {row.code: row for row in session.exec(select(Category))}
        self.areas = known_areas(session)
        generation = active_generation(session)
        self.overlays = frozenset(
            session.exec(select(col(OverlayArea.code)).where(OverlayArea.generation_id == generation.id))
            if generation
            else ()
        )

    def row(self, record: Record) -> Responsibility:
        """The row as it would be stored; everything wrong with it goes to the report."""
        for field, known, what in (
            ("category_code", self.categories, "类别"),
            ("area_code", self.areas, "区域"),
            ("overlay_code", self.overlays, "叠加面"),
        ):
            if record[field] and record[field] not in known:
                self.report.problems.append(record.problem(field, f"没有编码为 {record[field]} 的{what}"))
        if record["valid_from"] and record["valid_to"] and record["valid_to"] < record["valid_from"]:
            self.report.problems.append(record.problem("valid_to", "截止日期早于起始日期"))
        main = self._unit(record, "main", record["main"]) if record["main"] else ""
        named = re.split("[;\uff1b、]", record["assistants"] or "")
        assistants = [self._unit(record, "assistants", text.strip()) for text in named if text.strip()]
        plain = {k: v for k, v in record.values.items() if k not in ("id", "main", "assistants")}
        return Responsibility(
            ruleset_version=0,
            id=record["id"] or f"row-{record.row.number}",
            main=main,
            assistants=";".join(assistants) or None,
            **plain,
        )

    def _unit(self, record: Record, field: str, text: str) -> str:
        """An organisation's code from its code or name, or a kind: `类型:环卫`."""
        kind, reference = self._found(text)
        if kind is None:
            message = f"没有单位“{text}”;可写单位编码、唯一的单位名称,或“类型:环卫”"
            self.report.problems.append(record.problem(field, message))
        elif record["category_code"] in self.categories:
            part = "main" if field == "main" else "assistant"
            clause = self.words.forbids(record["category_code"], kind, part)
            if clause:
                self.report.problems.append(record.problem(field, clause))
        return reference

    def _found(self, text: str) -> tuple[str | None, str]:
        prefix, _, rest = text.replace("\uff1a", ":").partition(":")
        if prefix in ("类型", "kind"):
            labels = {label: key for key, label in self.words.kinds.items()}
            key = rest if rest in self.words.kinds else labels.get(rest)
            return key, f"{KIND_PREFIX}{key}"
        if text in self.organisations:
            return self.organisations[text].kind, text
        named = [row for row in self.organisations.values() if row.name == text]
        return (named[0].kind, named[0].code) if len(named) == 1 else (None, text)
