"""Rows that a city edits: categories, limits, responsibilities, the negative list, notices, the calendar."""

from datetime import date, datetime

from sqlmodel import Field, SQLModel

from grid.database import Words


class Category(SQLModel, table=True):
    """A node of the category tree (parts, events, natures)."""

    __tablename__ = "category"
    code: str = Field(primary_key=True)
    name: str
    parent_code: str | None = Field(default=None, foreign_key="category.code", index=True)
    kind: str
    leaf: bool = True
    needs_text: bool = False
    needs_photo: bool = True
    verify_mode: str = "field"
    urgent: bool = False
    enforcement: bool = False
    preverify: bool = False
    public_space: bool = True
    keywords: str | None = Field(default=None, sa_type=Words)
    source: str | None = Field(default=None, sa_type=Words)
    retired_on: date | None = None


class Ruleset(SQLModel, table=True):
    """A set of rows that a city edits; a ticket records the version it was decided with.

    In force is the one that began last; without a beginning it is a draft. Undo is beginning a former one again.
    """

    __tablename__ = "ruleset"
    version: int = Field(primary_key=True)
    published_at: datetime
    active_from: datetime | None = None
    author: str
    note: str | None = Field(default=None, sa_type=Words)
    seed_checksum: str | None = Field(default=None, sa_type=Words)


class TimeLimit(SQLModel, table=True):
    """A limit of a stage, most specific match first: category, its classes, nature, everything."""

    __tablename__ = "time_limit"
    ruleset_version: int = Field(primary_key=True, foreign_key="ruleset.version")
    id: str = Field(primary_key=True)
    stage: str = Field(index=True)
    category_code: str | None = Field(default=None, sa_type=Words)
    nature: str | None = Field(default=None, sa_type=Words)
    urgent: bool | None = None
    amount: float
    unit: str
    source: str | None = Field(default=None, sa_type=Words)


class StagedLimit(SQLModel, table=True):
    """A step of a matter that is done in stages, each with a limit of its own."""

    __tablename__ = "staged_limit"
    ruleset_version: int = Field(primary_key=True, foreign_key="ruleset.version")
    category_code: str = Field(primary_key=True)
    step: int = Field(primary_key=True)
    name: str
    amount: float
    unit: str
    source: str | None = Field(default=None, sa_type=Words)


class EscalationRung(SQLModel, table=True):
    """A rung of the ladder that a clock climbs: at a part of its limit, or so much later than the limit."""

    __tablename__ = "escalation_rung"
    ruleset_version: int = Field(primary_key=True, foreign_key="ruleset.version")
    clock: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    urgent: bool = Field(primary_key=True)
    percent: int
    after_amount: float | None = None
    after_unit: str | None = Field(default=None, sa_type=Words)
    tell: str
    source: str | None = Field(default=None, sa_type=Words)


class CategoryQuestion(SQLModel, table=True):
    """A question that a category (or a class) asks with the report; an answer may tell to stop and call first."""

    __tablename__ = "category_question"
    ruleset_version: int = Field(primary_key=True, foreign_key="ruleset.version")
    id: str = Field(primary_key=True)
    category_code: str
    step: int
    text: str
    choices: str
    stop_on: str | None = Field(default=None, sa_type=Words)
    stop_text: str | None = Field(default=None, sa_type=Words)
    stop_phone: str | None = Field(default=None, sa_type=Words)
    source: str | None = Field(default=None, sa_type=Words)


class Responsibility(SQLModel, table=True):
    """Who answers for a category in an area or overlay: an organisation's code or a kind to be found by area."""

    __tablename__ = "responsibility"
    ruleset_version: int = Field(primary_key=True, foreign_key="ruleset.version")
    id: str = Field(primary_key=True)
    category_code: str | None = Field(default=None, sa_type=Words)
    area_code: str | None = Field(default=None, sa_type=Words)
    overlay_code: str | None = Field(default=None, sa_type=Words)
    source_kind: str | None = Field(default=None, sa_type=Words)
    time_band: str | None = Field(default=None, sa_type=Words)
    main: str
    assistants: str | None = Field(default=None, sa_type=Words)
    valid_from: date | None = None
    valid_to: date | None = None
    note: str | None = Field(default=None, sa_type=Words)


class AdmissionRule(SQLModel, table=True):
    """What a kind of organisation may never be given (四清单 negative list), with its clause."""

    __tablename__ = "admission_rule"
    ruleset_version: int = Field(primary_key=True, foreign_key="ruleset.version")
    id: str = Field(primary_key=True)
    matter: str
    category_code: str | None = Field(default=None, sa_type=Words)
    organisation_kind: str
    applies_to: str
    clause: str


class NoticeRule(SQLModel, table=True):
    """Who is told what when something happens."""

    __tablename__ = "notice_rule"
    ruleset_version: int = Field(primary_key=True, foreign_key="ruleset.version")
    id: str = Field(primary_key=True)
    happening: str = Field(index=True)
    audience: str
    urgent: bool = False
    channel: str = "in_app"
    text: str


class CalendarDay(SQLModel, table=True):
    """A day's kind (work, rest) with the source that says so; a missing day is estimated from the weekday."""

    __tablename__ = "calendar_day"
    on: date = Field(primary_key=True)
    kind: str
    name: str | None = Field(default=None, sa_type=Words)
    source: str
