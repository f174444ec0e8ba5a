"""Importing who answers for what, held against the negative list of the rules in force."""

from datetime import datetime

from sqlmodel import Session, select

from dispatch import data
from dispatch.record.models import Source
from dispatch.rules.admission import AdmissionRule, Part, barred, read_parts
from dispatch.rules.rulebook import TimeBand
from grid import models, rulesets
from grid.importing.report import ImportReport
from grid.importing.responsibilities import Vocabulary, import_responsibilities
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


def import_duties(session: Session, sheet: Sheet, actor: Actor | None, now: datetime) -> ImportReport:
    """Check a table of responsibilities and publish it as the next set of rules."""
    return import_responsibilities(session, sheet, _vocabulary(session), actor, now)


def _vocabulary(session: Session) -> Vocabulary:
    version = rulesets.newest_version(session)
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
