"""The rows of a set of rules as a page shows them: in words, found by a word, and what differs from another set."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from flask import request
from sqlmodel import Session, col, select

from dispatch import duties
from dispatch.record.models import Source
from dispatch.record.world import Standing
from dispatch.rules.rulebook import KIND_PREFIX, TimeBand
from grid.models import OverlayArea, Responsibility
from web.language.saying import said

# How notes and authors of a version begin that the program wrote.
_OURS = re.compile("随系统提供|导入 |新增规则:|按 [0-9]+ 件裁定的退单:|命令行")
SEEDED = "seed-"
ROWS = 40


class Said(NamedTuple):
    """What one row says, part by part; empty is everywhere, always, nobody."""

    category: str
    place: str
    when: str
    main: str
    assistants: str
    note: str


LABELS = Said("类别", "区域或管理面", "何时", "主办", "协办", "备注")


@dataclass(frozen=True)
class Words:
    """How people call what rows refer to."""

    standing: Standing
    overlays: Mapping[str, str]

    @classmethod
    def of(cls, session: Session, standing: Standing) -> "Words":
        query = select(col(OverlayArea.code), col(OverlayArea.name)).where(
            OverlayArea.generation_id == standing.generation_id
        )
        return cls(standing, dict(session.exec(query).all()))

    def said(self, row: Responsibility) -> Said:
        """The row in words."""
        category = self.standing.categories.get(row.category_code or "")
        place = (
            self.standing.area_name(row.area_code) or row.area_code,
            self.overlays.get(row.overlay_code or "", row.overlay_code),
        )
        helping = (self._unit(part.strip()) for part in (row.assistants or "").split(";") if part.strip())
        return Said(
            said(category.name) if category else row.category_code or "",
            "、".join(part for part in place if part),
            said(self._when(row)),
            self._unit(row.main),
            "、".join(helping),
            (said(row.note) if row.id.startswith(SEEDED) else row.note) or "",
        )

    def holds(self, row: Responsibility, word: str) -> bool:
        """Whether the page would show this word, or code, in the row."""
        codes = (row.id, row.category_code, row.area_code, row.overlay_code, row.main, row.assistants)
        return any(word in part for part in (*self.said(row), *codes) if part)

    def _unit(self, reference: str) -> str:
        found = self.standing.book.name(reference)
        return str(said(found)) if reference.startswith(KIND_PREFIX) else found.strip("“”")

    @staticmethod
    def _when(row: Responsibility) -> str:
        source = duties.SOURCE_LABELS[Source(row.source_kind)] if row.source_kind else ""
        band = duties.TIME_BAND_LABELS[TimeBand(row.time_band)] if row.time_band else ""
        begins = f"{row.valid_from} 起" if row.valid_from else ""
        ends = f"{row.valid_to} 止" if row.valid_to else ""
        return "、".join(part for part in (source, band, begins, ends) if part)


def noted(text: str | None) -> str:
    """A version's note or author: the program's own words in this language, what somebody typed as it is."""
    return str(said(text)) if text and _OURS.match(text) else text or ""


class Shown(NamedTuple):
    """One page of a version's rows: those that hold the words, or the page on which one row stands."""

    rows: list[tuple[Responsibility, Said]]
    number: int
    page: int
    pages: int
    words: str


def shown(rows: Sequence[Responsibility], words: Words) -> Shown:
    """What this request asks to see of the rows."""
    word, wanted = request.args.get("q", "").strip()[:40], request.args.get("row")
    found = [row for row in rows if words.holds(row, word)] if word else list(rows)
    pages = max(1, -(-len(found) // ROWS))
    at = next((n for n, row in enumerate(found) if row.id == wanted), None)
    page = at // ROWS + 1 if at is not None else request.args.get("page", 1, type=int)
    page = min(max(page, 1), pages)
    some = found[(page - 1) * ROWS : page * ROWS]
    return Shown([(row, words.said(row)) for row in some], len(found), page, pages, word)


class Difference(NamedTuple):
    """A row by which two sets differ: what it says now, or each part that says something else with both."""

    row_id: str
    what: str
    said: Said
    parts: tuple[tuple[str, str, str], ...] = ()


def differences(
    rows: Iterable[Responsibility], former: Iterable[Responsibility], words: Words
) -> list[Difference]:
    """The rows by which a set differs from another one."""
    before = {row.id: row for row in former}
    found = []
    for row in rows:
        old = before.pop(row.id, None)
        if old is None:
            found.append(Difference(row.id, "新增", words.said(row)))
        elif row.model_dump(exclude={"ruleset_version"}) != old.model_dump(exclude={"ruleset_version"}):
            was, now = words.said(old), words.said(row)
            parts = tuple((label, a, b) for label, a, b in zip(LABELS, was, now, strict=True) if a != b)
            found.append(Difference(row.id, "改动", now, parts))
    return [*found, *(Difference(row.id, "删去", words.said(row)) for row in before.values())]
