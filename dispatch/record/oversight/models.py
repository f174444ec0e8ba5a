"""The tables of oversight. They hang on organisations and plans, not on one ticket."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from grid.database import Words, named


class LetterKind(StrEnum):
    """What kind of letter; an unanswered one calls for the next."""

    SUPERVISE = "supervise"
    RECTIFY = "rectify"
    INTERVIEW = "interview"


class LetterState(StrEnum):
    DRAFT = "draft"
    SIGNED = "signed"
    ANSWERED = "answered"
    CLEARED = "cleared"


class PlanKind(StrEnum):
    """What a registered plan is for."""

    INSPECTION = "inspection"
    RECHECK = "recheck"
    APPRAISAL = "appraisal"


class PointResult(StrEnum):
    NORMAL = "normal"
    ABNORMAL = "abnormal"
    NO_ENTRY = "no_entry"


class Letter(SQLModel, table=True):
    """A supervision letter to one unit: drafted and bundled by the system, signed by a person."""

    __tablename__ = "letter"
    __table_args__ = (
        UniqueConstraint("kind", "year", "serial"),
        Index("ix_letter_unit", "organisation_code", "state"),
    )
    id: UUID = Field(primary_key=True)
    kind: LetterKind = Field(sa_type=named(LetterKind))
    state: LetterState = Field(default=LetterState.DRAFT, sa_type=named(LetterState))
    organisation_code: str = Field(foreign_key="organisation.code")
    year: int | None = None
    serial: int | None = None
    drafted_at: datetime
    signed_at: datetime | None = None
    signed_by: UUID | None = None
    demand: str | None = Field(default=None, sa_type=Words)
    due_at: datetime | None = None
    answered_at: datetime | None = None
    answered_by: UUID | None = None
    answer: str | None = Field(default=None, sa_type=Words)
    cleared_at: datetime | None = None
    cleared_by: UUID | None = None
    escalated_at: datetime | None = None


class LetterTicket(SQLModel, table=True):
    """A ticket that a letter speaks of, and on what ground."""

    __tablename__ = "letter_ticket"
    letter_id: UUID = Field(primary_key=True, foreign_key="letter.id")
    intake_district: str = Field(primary_key=True)
    ticket_id: UUID = Field(primary_key=True)
    ground: str
    noted_at: datetime


class PlanEntry(SQLModel, table=True):
    """The register of plans: what may be inspected or re-checked at all, and by what approval."""

    __tablename__ = "plan_entry"
    number: str = Field(primary_key=True)
    kind: PlanKind = Field(sa_type=named(PlanKind))
    title: str
    approval: str
    organisation_code: str = Field(foreign_key="organisation.code")
    from_on: date
    to_on: date
    registered_by: UUID | None = None
    registered_at: datetime


class InspectionTask(SQLModel, table=True):
    """A list to be looked through, under a registered plan."""

    __tablename__ = "inspection_task"
    id: UUID = Field(primary_key=True)
    plan_number: str = Field(foreign_key="plan_entry.number")
    title: str
    category_code: str = Field(foreign_key="category.code")
    organisation_code: str = Field(foreign_key="organisation.code")
    executor_code: str = Field(foreign_key="organisation.code")
    week_on: date
    created_by: UUID | None = None
    created_at: datetime


class InspectionVisit(SQLModel, table=True):
    """One visit to one place in one week, whoever asked for it."""

    __tablename__ = "inspection_visit"
    __table_args__ = (UniqueConstraint("place_key", "week_on", "executor_code"),)
    id: UUID = Field(primary_key=True)
    place_key: str
    week_on: date
    executor_code: str
    name: str
    lon: float
    lat: float
    grid_code: str | None = Field(default=None, index=True)


class InspectionPoint(SQLModel, table=True):
    """One place on one list: looked at or not yet, and what was found."""

    __tablename__ = "inspection_point"
    __table_args__ = (UniqueConstraint("task_id", "visit_id"),)
    id: UUID = Field(primary_key=True)
    task_id: UUID = Field(foreign_key="inspection_task.id", index=True)
    visit_id: UUID = Field(foreign_key="inspection_visit.id", index=True)
    result: PointResult | None = Field(default=None, sa_type=named(PointResult))
    checked_at: datetime | None = None
    checked_by: UUID | None = None
    ticket_code: str | None = Field(default=None, sa_type=Words)


class Recheck(SQLModel, table=True):
    """A closed ticket drawn to be looked at again; the handling unit never sees that it was."""

    __tablename__ = "recheck"
    __table_args__ = (UniqueConstraint("plan_number", "intake_district", "ticket_id"),)
    id: UUID = Field(primary_key=True)
    plan_number: str = Field(foreign_key="plan_entry.number")
    intake_district: str
    ticket_id: UUID
    drawn_at: datetime
    checked_at: datetime | None = None
    outcome: str | None = Field(default=None, sa_type=Words)


class LoadLimit(SQLModel, table=True):
    """From which load on a grid, community or organisation is overloaded; `code` '*' is everybody of that kind."""

    __tablename__ = "load_limit"
    kind: str = Field(primary_key=True)
    code: str = Field(primary_key=True)
    hours: float
