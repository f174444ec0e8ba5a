"""Every table of `insight`; here those of what is learnt: rehearsals, the model that suggests categories, proposals to change a rule."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index, LargeBinary
from sqlmodel import Field, SQLModel

import dispatch.insight.reports.models
import dispatch.insight.rollups.cubes
import dispatch.insight.rollups.models
import dispatch.insight.schemes.models
import dispatch.insight.topics.models  # noqa: F401
from grid.database import JsonText, Words, named


class RehearsalState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Rehearsal(SQLModel, table=True):
    """Past tickets replayed with a draft of rules or borders: what would have gone elsewhere."""

    __tablename__ = "rehearsal"
    __table_args__ = (Index("ix_rehearsal_state", "state", "asked_at"),)
    id: UUID = Field(primary_key=True)
    ruleset_version: int
    generation_id: int | None = Field(default=None, foreign_key="generation.id")
    from_on: date
    to_on: date
    state: RehearsalState = Field(default=RehearsalState.WAITING, sa_type=named(RehearsalState))
    done: int = 0
    total: int = 0
    asked_by: UUID | None = None
    asked_at: datetime
    leased_until: datetime | None = None
    finished_at: datetime | None = None
    result: dict[str, Any] | None = Field(default=None, sa_type=JsonText)
    moved_csv: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    error: str | None = Field(default=None, sa_type=Words)


class Learnt(SQLModel, table=True):
    """One trained model of the categories, with what it was trained on and how it did on what it had not seen."""

    __tablename__ = "learnt"
    id: UUID = Field(primary_key=True)
    trained_at: datetime = Field(index=True)
    examples: int
    evaluation: dict[str, Any] | None = Field(default=None, sa_type=JsonText)
    weights: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class RuleProposal(SQLModel, table=True):
    """What became of a proposed change of a rule; the evidence is read from the record."""

    __tablename__ = "rule_proposal"
    key: str = Field(primary_key=True)
    outcome: str
    decided_at: datetime
    decided_by: UUID | None = None
    ruleset_version: int | None = None
