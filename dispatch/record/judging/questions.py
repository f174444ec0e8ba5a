"""The questions that a category asks with a report: its own, and those of its class. All may be left unanswered."""

from collections.abc import Mapping

from dispatch.record.world import Standing
from grid.models import CategoryQuestion


def asked(standing: Standing, category_code: str) -> list[CategoryQuestion]:
    """The questions in the order in which they are asked, the class's first."""
    lineage = standing.lineage(category_code)
    rows = (row for row in standing.questions if row.category_code in lineage)
    return sorted(rows, key=lambda row: (-lineage.index(row.category_code), row.step))


def choices(row: CategoryQuestion) -> dict[str, str]:
    """The answers to choose from, by key."""
    pairs = (part.partition("=") for part in row.choices.split(";"))
    return {key.strip(): label.strip() for key, _, label in pairs}


def unknown(standing: Standing, category_code: str, answers: Mapping[str, str]) -> str | None:
    """What is wrong with the answers, in one sentence."""
    known = {row.id: choices(row) for row in asked(standing, category_code)} if answers else {}
    for key, value in answers.items():
        if value not in known.get(key, {}):
            return "追问的答案与类别不符,请重新选择类别后再答"
    return None
