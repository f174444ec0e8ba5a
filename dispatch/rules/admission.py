"""What a village or community may never be given (the negative list), by whatever path it is handed down.

A hit says only that the list forbids it; whether somebody handed it down wrongly is for people to find.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Part(StrEnum):
    """In what part an organisation would take on a matter."""

    MAIN = "main"
    ASSISTANT = "assistant"
    INSPECTION = "inspection"


PART_LABELS = {Part.MAIN: "主办", Part.ASSISTANT: "协办", Part.INSPECTION: "巡查任务"}


@dataclass(frozen=True, slots=True)
class AdmissionRule:
    """One clause: a matter that a kind of organisation may not be given.

    Without a category it covers every category that needs the power of enforcement.
    """

    id: str
    matter: str
    category_code: str | None
    organisation_kind: str
    parts: frozenset[Part]
    clause: str


@dataclass(frozen=True, slots=True)
class Barred:
    """That it may not be given, and by which clause."""

    rule: str
    matter: str
    clause: str
    sentence: str


def read_parts(text: str) -> frozenset[Part]:
    """The parts as the rows write them: `main;assistant;inspection`."""
    return frozenset(Part(part.strip()) for part in text.split(";") if part.strip())


def barred(
    rules: Iterable[AdmissionRule],
    *,
    categories: Sequence[str],
    enforcement: bool,
    organisation_kind: str,
    part: Part,
) -> Barred | None:
    """The clause that forbids giving this matter to such an organisation, the most specific first.

    `categories` is the category's code followed by its ancestors.
    """
    hits = [
        rule
        for rule in rules
        if rule.organisation_kind == organisation_kind
        and part in rule.parts
        and (rule.category_code in categories if rule.category_code else enforcement)
    ]
    if not hits:
        return None
    last = len(categories)
    first = min(hits, key=lambda r: (categories.index(r.category_code) if r.category_code else last, r.id))
    sentence = f"“{first.matter}”类事项不得由村(社区){PART_LABELS[part]}:{first.clause}"
    return Barred(first.id, first.matter, first.clause, sentence)
