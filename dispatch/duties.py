"""Importing who answers for what, held against the negative list of the rules in force."""

import csv
import io
from datetime import datetime

from sqlmodel import Session, select

from dispatch import data
from dispatch.record.models import Source
from dispatch.rules.admission import AdmissionRule, Part, barred, read_parts
from dispatch.rules.rulebook import TimeBand
from grid import models, rulesets
from grid.errors import InputError
from grid.importing.columns import Column
from grid.importing.report import ImportReport
from grid.importing.responsibilities import KIND_PREFIX, Vocabulary, columns, import_responsibilities
from grid.importing.sheets import Sheet
from grid.permissions import Actor

SOURCE_LABELS = {
    Source.PATROL: "网格员上报",
    Source.ON_BEHALF: "代群众上报",
    Source.HOTLINE: "热线",
    Source.RESIDENT: "市民自报",
    Source.UPPER: "上级平台",
}
TIME_BAND_LABELS = {TimeBand.WORKING: "工作时间", TimeBand.NIGHT: "夜间与节假日"}


def organisation_kinds() -> dict[str, str]:
    """Kinds of organisations and their labels."""
    return {row.kind: row.label for row in data.organisation_kinds().rows}


def duty_columns(session: Session) -> tuple[Column, ...]:
    """The columns of a table of responsibilities."""
    return columns(_vocabulary(session, None))


def import_duties(
    session: Session,
    sheet: Sheet,
    actor: Actor | None,
    now: datetime,
    *,
    only_good: bool = False,
) -> ImportReport:
    """Check a table of responsibilities and keep it as a draft; what begins goes through the linter's door."""
    words = _vocabulary(session, now)
    return import_responsibilities(
        session, sheet, words, actor, now, note=f"导入 {sheet.name}", only_good=only_good
    )


def export_duties(session: Session, version: int) -> str:
    """The rows of a set as the table that would bring them in again."""
    kinds = organisation_kinds()
    sources = {str(key): label for key, label in SOURCE_LABELS.items()}
    bands = {str(key): label for key, label in TIME_BAND_LABELS.items()}

    def unit(reference: str) -> str:
        if not reference.startswith(KIND_PREFIX):
            return reference
        kind = reference.removeprefix(KIND_PREFIX)
        return f"类型:{kinds.get(kind, kind)}"

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(column.heading for column in columns(_vocabulary(session, None)))
    for row in sorted(rulesets.rows_of(session, models.Responsibility, version), key=lambda row: str(row.id)):
        writer.writerow(
            (
                row.id,
                row.category_code or "",
                row.area_code or "",
                row.overlay_code or "",
                sources.get(row.source_kind or "", ""),
                bands.get(row.time_band or "", ""),
                unit(row.main),
                ";".join(unit(part.strip()) for part in (row.assistants or "").split(";") if part.strip()),
                row.valid_from or "",
                row.valid_to or "",
                row.note or "",
            )
        )
    return "\ufeff" + text.getvalue()


def draft_with_row(
    session: Session,
    category_code: str | None,
    area_code: str | None,
    main: str,
    note: str | None,
    actor: Actor | None,
    now: datetime,
    *,
    instead_of: str | None = None,
) -> int:
    """A draft of the rules in force with one row more, or with one row changed; checked like an imported one.

    Raises
    ------
    InputError
        The list bars the unit from the category.
    """
    words = _vocabulary(session, now)
    version = rulesets.in_force(session, now) or 0
    kind = main.removeprefix(KIND_PREFIX) if main.startswith(KIND_PREFIX) else None
    unit = session.get(models.Organisation, main) if kind is None else None
    if kind is None and unit is None:
        raise InputError(f"没有单位 {main},请重新选择", {"main": "没有这个单位"})
    if category_code and session.get(models.Category, category_code) is None:
        raise InputError(f"没有类别 {category_code},请重新选择", {"category_code": "没有这个类别"})
    clause = (
        words.forbids(category_code, kind or (unit.kind if unit else ""), "main") if category_code else None
    )
    if clause:
        raise InputError(clause, {"main": clause})
    rows = [
        models.Responsibility(**row.model_dump(exclude={"ruleset_version"}), ruleset_version=0)
        for row in rulesets.rows_of(session, models.Responsibility, version)
    ]
    changed = next((row for row in rows if row.id == instead_of), None)
    if changed is not None:
        changed.main = main
    else:
        rows.append(
            models.Responsibility(
                ruleset_version=0,
                id=_free_id(f"made-{category_code or 'all'}-{area_code or 'all'}", {row.id for row in rows}),
                category_code=category_code,
                area_code=area_code,
                main=main,
                note=note,
            )
        )
    author = actor.name if actor else "命令行"
    text = note or f"新增规则:{category_code or '全部类别'} {area_code or ''} → {main}"
    return rulesets.publish(session, rows, author=author, note=text, actor=actor, now=now, draft=True)


def _free_id(wanted: str, taken: set[str]) -> str:
    found, number = wanted, 1
    while found in taken:
        number += 1
        found = f"{wanted}-{number}"
    return found


def _vocabulary(session: Session, now: datetime | None) -> Vocabulary:
    version = rulesets.in_force(session, now) if now else rulesets.newest_version(session)
    stored = session.exec(select(models.AdmissionRule).where(models.AdmissionRule.ruleset_version == version))
    rules = [
        AdmissionRule(
            r.id, r.matter, r.category_code, r.organisation_kind, read_parts(r.applies_to), r.clause
        )
        for r in stored
    ]
    categories = {row.code: row for row in session.exec(select(models.Category))}

    def forbids(category_code: str, organisation_kind: str, part: str) -> str | None:
        chain: list[str] = []
        step: str | None = category_code
        while step in categories:
            chain.append(step)
            step = categories[step].parent_code
        enforcement = categories[category_code].enforcement
        found = barred(
            rules,
            categories=chain,
            enforcement=enforcement,
            organisation_kind=organisation_kind,
            part=Part(part),
        )
        return found.sentence if found else None

    return Vocabulary(
        kinds=organisation_kinds(),
        sources={str(k): label for k, label in SOURCE_LABELS.items()},
        time_bands={str(k): label for k, label in TIME_BAND_LABELS.items()},
        forbids=forbids,
    )
