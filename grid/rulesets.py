"""Published sets of rules: immutable, dated, with an author; a change publishes the next one."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, SQLModel, col, select

from grid.auditing import record_change, values_of
from grid.models import (
    AdmissionRule,
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
    Responsibility,
    AdmissionRule,
    NoticeRule,
)


def newest_version(session: Session) -> int | None:
    """The version of the newest set, None before the first."""
    return session.exec(select(func.max(Ruleset.version))).one()


def publish(
    session: Session,
    rows: Iterable[SQLModel],
    *,
    author: str,
    note: str,
    actor: Actor | None,
    now: datetime,
    seed_checksum: str | None = None,
) -> int:
    """Publish the next set: `rows` take the place of their tables' rows, the other tables' are copied on."""
    former = newest_version(session)
    version = (former or 0) + 1
    ruleset = Ruleset(
        version=version,
        published_at=now,
        active_from=now,
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
    record_change(session, actor, "ruleset", str(version), "publish", after=values_of(ruleset), now=now)
    return version
