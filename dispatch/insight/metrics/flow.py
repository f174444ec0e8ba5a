"""How matters went from step to step in a period: each step and what became of it, every one counted on its own day."""

from collections import Counter
from typing import NamedTuple

# A step, and what is told apart of it.
STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("received", ("repeated", "reminded", "excluded")),
    ("dispatched", ("objected", "objection_upheld", "objection_refused", "deferred")),
    ("closed", ("closed_once", "closed_reworked")),
    ("asked", ("solved", "partly", "unsolved", "unanswered")),
)
KEYS = tuple(key for step, parts in STEPS for key in (step, *parts))
SHADES = 5


class Part(NamedTuple):
    """A count, and how dark it is drawn: from 0 for none to 5 for the whole of its step."""

    key: str
    number: int
    shade: int


def rows(counts: Counter[str]) -> list[list[Part | None]]:
    """The steps side by side, what became of each below it; None where a step has no more parts."""
    columns = [
        [Part(step, counts[step], SHADES), *(_part(key, counts, counts[step]) for key in parts)]
        for step, parts in STEPS
    ]
    longest = max(len(column) for column in columns)
    return [[column[row] if row < len(column) else None for column in columns] for row in range(longest)]


def _part(key: str, counts: Counter[str], whole: int) -> Part:
    number = counts[key]
    shade = 0 if not number else min(SHADES - 1, 1 + (SHADES - 1) * number // max(whole, 1))
    return Part(key, number, shade)
