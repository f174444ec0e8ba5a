"""Puts the shipped rows into an empty installation; what a city has edited since is never overwritten."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from sqlmodel import Session, SQLModel, col, select

from dispatch import data
from grid import calendar, rulesets
from grid.auditing import record_change
from grid.models import (
    AdmissionRule,
    Category,
    CategoryQuestion,
    EscalationRung,
    NoticeRule,
    Responsibility,
    Ruleset,
    StagedLimit,
    TimeLimit,
)

AUTHOR = "随系统提供"
YEARS_BACK = 2


@dataclass(frozen=True)
class Seeded:
    """What was put in, and whether the shipped rules are newer than those published from them."""

    categories: int = 0
    ruleset_version: int | None = None
    calendar_years: tuple[int, ...] = ()
    newer_rules_offered: bool = False


def seed(session: Session, now: datetime) -> Seeded:
    """Categories and a first set of rules where there are none, and calendar years that are missing."""
    return Seeded(
        categories=_seed_categories(session, now),
        ruleset_version=_seed_rules(session, now),
        calendar_years=_seed_calendar(session, now),
        newer_rules_offered=_is_newer(session),
    )


def _seed_categories(session: Session, now: datetime) -> int:
    if session.exec(select(Category.code).limit(1)).first() is not None:
        return 0
    file = data.categories()
    for row in file.rows:  # parents come before their children
        session.add(_as(Category, row))
    session.flush()
    record_change(
        session,
        None,
        "category",
        "*",
        "seed",
        after={"version": file.version, "rows": len(file.rows)},
        now=now,
    )
    return len(file.rows)


def _seed_rules(session: Session, now: datetime) -> int | None:
    if rulesets.newest_version(session) is not None:
        return None
    rows: Iterable[SQLModel] = [
        *(_as(TimeLimit, row) for row in data.time_limits().rows),
        *(_as(StagedLimit, row) for row in data.staged_limits().rows),
        *(_as(EscalationRung, row) for row in data.escalation().rows),
        *(_as(CategoryQuestion, row) for row in data.questions().rows),
        *(_as(Responsibility, row) for row in data.responsibilities().rows),
        *(_as(AdmissionRule, row) for row in data.admission().rows),
        *(_as(NoticeRule, row) for row in data.notices().rows),
    ]
    note = f"随系统提供的起步规则({data.time_limits().version}),启用前请逐项确认"
    return rulesets.publish(
        session, rows, author=AUTHOR, note=note, actor=None, now=now, seed_checksum=data.checksum()
    )


def _seed_calendar(session: Session, now: datetime) -> tuple[int, ...]:
    covered = set(calendar.years_covered(session))
    wanted = (year for year in calendar.library_years() if year >= now.year - YEARS_BACK)
    missing = tuple(year for year in wanted if year not in covered)
    if missing:
        calendar.put_days(session, calendar.library_days(missing))
        record_change(
            session,
            None,
            "calendar",
            f"{missing[0]}-{missing[-1]}",
            "seed",
            after={"years": len(missing)},
            now=now,
        )
    return missing


def _is_newer(session: Session) -> bool:
    query = select(Ruleset.seed_checksum).where(col(Ruleset.seed_checksum).is_not(None))
    known = session.exec(query.order_by(col(Ruleset.version).desc())).first()
    return known is not None and known != data.checksum()


def _as(table: type[SQLModel], row: Any) -> SQLModel:
    """A shipped row as a row of its table: the columns they share."""
    shared = {field.name for field in fields(row)} & set(table.model_fields)
    return table(**{name: value for name, value in asdict(row).items() if name in shared})
