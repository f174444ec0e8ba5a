"""Sets of rules: immutable, dated, with an author; a change makes the next one, in force at once or as a draft.

In force is the set that began last. Undo is beginning a former one again: nothing is copied, nothing is lost.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, SQLModel, col, select

from grid.auditing import record_change, values_of
from grid.errors import Conflict, NotFound
from grid.models import (
    AdmissionRule,
    CategoryQuestion,
    EscalationRung,
    NoticeRule,
    Responsibility,
    Ruleset,
    StagedLimit,
    TimeLimit,
)
from grid.permissions import Actor

TABLES: tuple[Any, ...] = (
    TimeLimit,
    StagedLimit,
    EscalationRung,
    CategoryQuestion,
    Responsibility,
    AdmissionRule,
    NoticeRule,
)


def newest_version(session: Session) -> int | None:
    """The version of the newest set, None before the first."""
    return session.exec(select(func.max(Ruleset.version))).one()


def in_force(session: Session, at: datetime) -> int | None:
    """The version of the set that rules at an instant; before the first began, the one that will begin first."""
    begun = col(Ruleset.active_from).is_not(None)
    query = select(Ruleset.version).where(begun, col(Ruleset.active_from) <= at)
    latest = query.order_by(col(Ruleset.active_from).desc(), col(Ruleset.version).desc()).limit(1)
    found = session.exec(latest).first()
    return (
        found
        or session.exec(
            select(Ruleset.version)
            .where(begun)
            .order_by(col(Ruleset.active_from), col(Ruleset.version))
            .limit(1)
        ).first()
    )


def activate(
    session: Session, version: int, actor: Actor | None, now: datetime, *, begins_at: datetime | None = None
) -> Ruleset:
    """Put a draft, or a former set again, in force from an instant on; the caller has held it against the linter.

    Raises
    ------
    NotFound, Conflict
        There is none, it is in force already, or the instant is past.
    """
    ruleset = session.get(Ruleset, version, with_for_update=True)
    if ruleset is None:
        raise NotFound(f"没有第 {version} 版规则,请从列表里选择")
    if in_force(session, now) == version:
        raise Conflict(f"第 {version} 版正在生效,无需再启用")
    if begins_at is not None and begins_at < now:
        raise Conflict("启用时刻不能早于现在,请改为将来的时刻或留空(立即启用)")
    before = values_of(ruleset)
    ruleset.active_from = begins_at or now
    session.add(ruleset)
    after = values_of(ruleset)
    record_change(session, actor, "ruleset", str(version), "activate", before=before, after=after, now=now)
    return ruleset


def unschedule(session: Session, version: int, actor: Actor | None, now: datetime) -> None:
    """A set that was to begin at an instant to come is a draft again.

    Raises
    ------
    NotFound, Conflict
        There is none, or it has begun.
    """
    ruleset = session.get(Ruleset, version, with_for_update=True)
    if ruleset is None:
        raise NotFound(f"没有第 {version} 版规则,请从列表里选择")
    if ruleset.active_from is None or ruleset.active_from <= now:
        raise Conflict(f"第 {version} 版没有预定的启用时刻,无需取消")
    before = values_of(ruleset)
    ruleset.active_from = None
    session.add(ruleset)
    after = values_of(ruleset)
    record_change(session, actor, "ruleset", str(version), "unschedule", before=before, after=after, now=now)


def rows_of(session: Session, table: Any, version: int) -> list[Any]:
    """The rows of one table in a set."""
    return list(session.exec(select(table).where(col(table.ruleset_version) == version)))


def publish(
    session: Session,
    rows: Iterable[SQLModel],
    *,
    author: str,
    note: str,
    actor: Actor | None,
    now: datetime,
    seed_checksum: str | None = None,
    draft: bool = False,
) -> int:
    """Make the next set: `rows` take the place of their tables' rows, the others are copied from the set in force.

    A draft is stored and not in force until it is activated.
    """
    former = in_force(session, now)
    version = (newest_version(session) or 0) + 1
    ruleset = Ruleset(
        version=version,
        published_at=now,
        active_from=None if draft else now,
        author=author,
        note=note,
        seed_checksum=seed_checksum,
    )
    session.add(ruleset)
    session.flush()
    new = list(rows)
    replaced = {type(row) for row in new}
    for table in TABLES:
        if former is not None and table not in replaced:
            new += [
                table(**row.model_dump(exclude={"ruleset_version"}))
                for row in session.exec(select(table).where(col(table.ruleset_version) == former))
            ]
    for row in new:
        row.ruleset_version = version
        session.add(row)
    record_change(
        session,
        actor,
        "ruleset",
        str(version),
        "draft" if draft else "publish",
        after=values_of(ruleset),
        now=now,
    )
    return version
