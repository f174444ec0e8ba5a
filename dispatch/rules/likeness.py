"""Whether a report may be the same matter as one that is open already.

Alike are reports of one class, near enough, recent enough, open. Same subcategory at the same point may be merged
by itself; anything less is only shown.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

NEAR_M = 50.0
RECENT = timedelta(days=7)
SAME_POINT_M = 10.0
GRAM = 2
CLASS_DIGITS = 4

# A hole or a cover is a point; water, rubbish and noise reach farther.
NEAR_BY_CATEGORY_M = {
    "10": 30.0,
    "2004": 100.0,
    "200105": 150.0,
    "200406": 150.0,
    "200508": 150.0,
    "200301": 150.0,
}
SAME_TEXT = 0.5


@dataclass(frozen=True, slots=True)
class Matter:
    """What is compared: an open ticket, or a report before it becomes one."""

    key: str
    category_code: str
    reported_at: datetime
    text: str = ""
    confidential: bool = False


@dataclass(frozen=True, slots=True)
class Near:
    """An open matter with its distance from the new report."""

    matter: Matter
    distance_m: float


@dataclass(frozen=True, slots=True)
class Alike:
    """An open matter that may be the same; `same` means that the two may be merged without asking."""

    key: str
    distance_m: float
    text_likeness: float
    same: bool
    reason: str


def near_m(category_code: str, by_category_m: Mapping[str, float] = NEAR_BY_CATEGORY_M) -> float:
    """How far apart two reports of this category may be and still be one matter."""
    for digits in (6, 4, 2):
        found = by_category_m.get(category_code[:digits])
        if found is not None:
            return found
    return NEAR_M


def alike(
    report: Matter, open_near: Iterable[Near], by_category_m: Mapping[str, float] = NEAR_BY_CATEGORY_M
) -> list[Alike]:
    """Open matters that the report may repeat, the likeliest first; a confidential one is never shown."""
    reach_m = near_m(report.category_code, by_category_m)
    found = [
        _compared(report, near)
        for near in open_near
        if near.matter.key != report.key
        and not near.matter.confidential
        and not report.confidential
        and near.matter.category_code[:CLASS_DIGITS] == report.category_code[:CLASS_DIGITS]
        and near.distance_m <= reach_m
        and abs(report.reported_at - near.matter.reported_at) <= RECENT
    ]
    return sorted(found, key=lambda a: (not a.same, -_weight(a), a.distance_m, a.key))


def text_likeness(one: str, other: str) -> float:
    """Share of common pairs of characters, 0 to 1; two texts that say nothing are not alike."""
    first, second = _grams(one), _grams(other)
    together = first | second
    return len(first & second) / len(together) if together else 0.0


def _compared(report: Matter, near: Near) -> Alike:
    other = near.matter
    likeness = text_likeness(report.text, other.text)
    same_category = other.category_code == report.category_code
    said_otherwise = bool(_grams(report.text) and _grams(other.text)) and likeness == 0.0
    same = same_category and near.distance_m <= SAME_POINT_M and not said_otherwise
    what = "同小类" if same_category else "同大类"
    words = f",文字相似 {likeness:.0%}" if likeness >= SAME_TEXT else ""
    days = abs(report.reported_at - other.reported_at).days
    when = f"{days} 天内" if days else "今天"
    reason = f"{what},相距 {near.distance_m:.0f} 米,{when}{words}"
    return Alike(other.key, near.distance_m, likeness, same, reason)


def _weight(found: Alike) -> float:
    return found.text_likeness - found.distance_m / 1000


@lru_cache(maxsize=4096)
def _grams(text: str) -> frozenset[str]:
    letters = "".join(c for c in text.lower() if c.isalnum())
    return frozenset(letters[n : n + GRAM] for n in range(len(letters) - GRAM + 1))
