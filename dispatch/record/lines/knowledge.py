"""Questions with their answers (一问一答): written by departments, proposed while a caller speaks, never after they expire."""

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlmodel import Session, col
from uuid6 import uuid7

from dispatch.record.lines.models import KnowledgeEntry
from dispatch.record.world import Standing
from grid.errors import InputError, NotAllowed, NotFound
from grid.permissions import Actor

LONGEST_QUESTION, LONGEST_ANSWER = 200, 2000
LEAST_FIT, PROPOSED = 0.25, 3
WRITE = "ticket:handle"


def write(
    session: Session, standing: Standing, actor: Actor, values: Mapping[str, str], now: datetime
) -> KnowledgeEntry:
    """Add an entry for which one's own unit answers.

    Raises
    ------
    NotAllowed, InputError
        Nothing was written.
    """
    if not actor.may(WRITE) or actor.organisation_code is None:
        raise NotAllowed("知识条目由承办单位提供")
    question, answer = values.get("question", "").strip(), values.get("answer", "").strip()
    wrong: dict[str, str] = {}
    if not 1 <= len(question) <= LONGEST_QUESTION:
        wrong["question"] = f"问题请写 1—{LONGEST_QUESTION} 字"
    if not 1 <= len(answer) <= LONGEST_ANSWER:
        wrong["answer"] = f"答复请写 1—{LONGEST_ANSWER} 字"
    category = values.get("category_code") or None
    if category and category not in standing.categories:
        wrong["category_code"] = f"没有类别 {category},请重新选择"
    days: dict[str, date | None] = {}
    for name, label in (("valid_from", "生效日期"), ("valid_to", "失效日期")):
        try:
            days[name] = date.fromisoformat(values[name]) if values.get(name) else None
        except ValueError:
            wrong[name] = f"{label}写成 2026-11-23 这样"
    begins, ends = days.get("valid_from"), days.get("valid_to")
    if begins and ends and ends < begins:
        wrong["valid_to"] = "失效日期不能早于生效日期"
    if wrong:
        raise InputError("知识条目没有保存:" + ";".join(wrong.values()), wrong)
    row = KnowledgeEntry(
        id=uuid7(),
        question=question,
        answer=answer,
        organisation_code=actor.organisation_code,
        category_code=category,
        keywords=values.get("keywords", "").strip() or None,
        valid_from=begins,
        valid_to=ends,
        changed_by=actor.account_id,
        changed_at=now,
    )
    session.add(row)
    return row


def retire(session: Session, actor: Actor, key: UUID, now: datetime) -> None:
    """Take an entry of one's own unit out of use."""
    row = session.get(KnowledgeEntry, key)
    if row is None or not actor.may(WRITE) or row.organisation_code not in actor.under:
        raise NotFound("没有这条知识,或它不归您的单位")
    row.retired_at = now
    session.add(row)


def all_entries(session: Session) -> list[KnowledgeEntry]:
    """Every entry in use, expired ones too: who answers for them renews or retires them."""
    query = select(KnowledgeEntry).where(col(KnowledgeEntry.retired_at).is_(None))
    return list(session.execute(query.order_by(col(KnowledgeEntry.question))).scalars())


def valid(session: Session, on: date) -> list[KnowledgeEntry]:
    """The entries that hold on that day."""
    query = select(KnowledgeEntry).where(
        col(KnowledgeEntry.retired_at).is_(None),
        or_(col(KnowledgeEntry.valid_from).is_(None), col(KnowledgeEntry.valid_from) <= on),
        or_(col(KnowledgeEntry.valid_to).is_(None), col(KnowledgeEntry.valid_to) >= on),
    )
    return list(session.execute(query).scalars())


def proposals(session: Session, text: str, on: date) -> list[KnowledgeEntry]:
    """What may answer the caller, the best fit first."""
    asked = _pairs(text)
    if not asked:
        return []
    fits = [(_fit(asked, text, entry), entry) for entry in valid(session, on)]
    best = sorted(
        (pair for pair in fits if pair[0] >= LEAST_FIT), key=lambda pair: (-pair[0], pair[1].question)
    )
    return [entry for _, entry in best[:PROPOSED]]


def entry(session: Session, key: UUID, on: date) -> KnowledgeEntry:
    """The entry, if it holds on that day."""
    found = next((row for row in valid(session, on) if row.id == key), None)
    if found is None:
        raise InputError("这条知识已失效或停用,不能用来答复;请派给责任单位", {"answer": "已失效"})
    return found


def _fit(asked: set[str], text: str, row: KnowledgeEntry) -> float:
    """The share of the question's pairs of characters that were said; a keyword that was said counts wholly."""
    words = [word for word in (row.keywords or "").replace(",", " ").replace(",", " ").split() if word]
    if any(word in text for word in words):
        return 1.0
    question = _pairs(row.question)
    return len(question & asked) / len(question) if question else 0.0


def _pairs(text: str) -> set[str]:
    plain = "".join(character for character in text if character.isalnum())
    return {plain[i : i + 2] for i in range(len(plain) - 1)}
