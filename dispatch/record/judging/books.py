"""The rows of responsibility and of the list as the rules of routing want them, for any set of rules."""

from collections.abc import Iterable

from sqlmodel import Session, select

from dispatch import data
from dispatch.rules import admission, rulebook
from dispatch.rules.rulebook import RuleBook
from grid.models import AdmissionRule, Organisation, Responsibility


def book_of(
    responsibilities: Iterable[Responsibility],
    organisations: Iterable[Organisation],
    barring: Iterable[AdmissionRule],
) -> RuleBook:
    """Arrange rows for the rules of routing."""
    return RuleBook(
        tuple(as_rule(row) for row in responsibilities),
        {
            o.code: rulebook.Organisation(o.code, o.name, o.kind, o.area_code, o.parent_code, o.closed_on)
            for o in organisations
        },
        tuple(
            admission.AdmissionRule(
                row.id,
                row.matter,
                row.category_code,
                row.organisation_kind,
                admission.read_parts(row.applies_to),
                row.clause,
            )
            for row in barring
        ),
        {row.kind: row.label for row in data.organisation_kinds().rows},
    )


def stored_book(session: Session, version: int) -> RuleBook:
    """The book of a set of rules, in force or not, with the organisations as they are now."""
    return book_of(
        session.exec(select(Responsibility).where(Responsibility.ruleset_version == version)),
        session.exec(select(Organisation)),
        session.exec(select(AdmissionRule).where(AdmissionRule.ruleset_version == version)),
    )


def as_rule(row: Responsibility) -> rulebook.Rule:
    """A stored row as the rules' value."""
    return rulebook.Rule(
        id=row.id,
        main=row.main,
        category_code=row.category_code,
        area_code=row.area_code,
        overlay_code=row.overlay_code,
        source=row.source_kind,
        time_band=rulebook.TimeBand(row.time_band) if row.time_band else None,
        assistants=tuple(part.strip() for part in (row.assistants or "").split(";") if part.strip()),
        valid_from=row.valid_from,
        valid_to=row.valid_to,
    )
