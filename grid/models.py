"""The standing world's tables: areas, organisations, people, duties, calendar, settings and their audit.

Table classes do not validate (SQLModel): request data passes a form class first.
"""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Column, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from geo.borders import Level
from grid.database import Words, named


class GenerationState(StrEnum):
    DRAFT = "draft"
    REHEARSED = "rehearsed"
    ACTIVE = "active"
    RETIRED = "retired"


class Generation(SQLModel, table=True):
    """A dated version of the whole area set."""

    __tablename__ = "generation"
    id: int | None = Field(default=None, primary_key=True)
    label: str = Field(unique=True)
    state: GenerationState = Field(index=True, sa_type=named(GenerationState))
    synthetic: bool = False
    source: str | None = Field(default=None, sa_type=Words)
    checksum: str | None = Field(default=None, sa_type=Words)
    index_file: str | None = Field(default=None, sa_type=Words)
    created_at: datetime
    active_from: datetime | None = None
    active_to: datetime | None = None
    begins_at: datetime | None = None
    former_id: int | None = None


class Area(SQLModel, table=True):
    """One area of one generation; geometry is WKB in EPSG:4490 (taken as WGS-84)."""

    __tablename__ = "area"
    generation_id: int = Field(primary_key=True, foreign_key="generation.id")
    code: str = Field(primary_key=True)
    name: str
    level: Level = Field(index=True, sa_type=named(Level))
    parent_code: str | None = Field(default=None, index=True)
    wkb: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    area_m2: float
    population: int | None = None


class OverlayArea(SQLModel, table=True):
    """A management surface that cuts across areas (park, river section, expressway, compound)."""

    __tablename__ = "overlay_area"
    generation_id: int = Field(primary_key=True, foreign_key="generation.id")
    code: str = Field(primary_key=True)
    name: str
    kind: str
    priority: int = 0
    wkb: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class Organisation(SQLModel, table=True):
    """Department, street office, community, team or centre; `kind` decides what it may be given."""

    __tablename__ = "organisation"
    code: str = Field(primary_key=True)
    name: str
    kind: str = Field(index=True)
    parent_code: str | None = Field(default=None, foreign_key="organisation.code", index=True)
    area_code: str | None = Field(default=None, index=True)
    supervised_by: str | None = Field(default=None, sa_type=Words)
    duty_24x7: bool = False
    approves_answers: bool = False
    office_hours: str | None = Field(default=None, sa_type=Words)
    phone: str | None = Field(default=None, sa_type=Words)
    closed_on: date | None = None


class DutyClass(StrEnum):
    """What an account is for; exclusive, so that nobody both finds and settles (巡办分离)."""

    PATROL = "patrol"
    HANDLING = "handling"
    INTAKE = "intake"
    OVERSIGHT = "oversight"
    ADMINISTRATION = "administration"


class Account(SQLModel, table=True):
    """A person who signs in; may hold several posts within one duty class."""

    __tablename__ = "account"
    id: UUID = Field(primary_key=True)
    login: str = Field(unique=True)
    name: str
    phone: str | None = Field(default=None, sa_type=Words)
    person_key: str = Field(index=True)
    duty_class: DutyClass = Field(sa_type=named(DutyClass))
    password_hash: str | None = Field(default=None, sa_type=Words)
    password_changed_at: datetime | None = None
    language: str | None = None
    disabled_at: datetime | None = None
    created_at: datetime


class Post(SQLModel, table=True):
    """A role within an organisation, over an area where the role needs one."""

    __tablename__ = "post"
    id: UUID = Field(primary_key=True)
    account_id: UUID = Field(foreign_key="account.id", index=True)
    role: str
    organisation_code: str = Field(foreign_key="organisation.code", index=True)
    area_code: str | None = Field(default=None, index=True)
    from_on: date | None = None
    to_on: date | None = None
    leave_id: UUID | None = Field(default=None, foreign_key="leave.id", index=True)


class Leave(SQLModel, table=True):
    """Somebody is away and somebody else stands in (请假顶岗): the deputy holds the same posts for these days."""

    __tablename__ = "leave"
    id: UUID = Field(primary_key=True)
    account_id: UUID = Field(foreign_key="account.id", index=True)
    deputy_id: UUID = Field(foreign_key="account.id", index=True)
    from_on: date
    to_on: date
    reason: str | None = Field(default=None, sa_type=Words)
    made_by: UUID
    made_at: datetime
    ended_at: datetime | None = None


class SignIn(SQLModel, table=True):
    """A server-side session; only the hash of its random id is kept, so a copy of the table opens nothing."""

    __tablename__ = "sign_in"
    token_hash: str = Field(primary_key=True)
    account_id: UUID = Field(foreign_key="account.id", index=True)
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None


class SignInFailure(SQLModel, table=True):
    """Failed sign-ins by what was tried (account name or address, hashed), for the lock-out."""

    __tablename__ = "sign_in_failure"
    key_hash: str = Field(primary_key=True)
    count: int
    first_at: datetime
    last_at: datetime


class OneTimeLink(SQLModel, table=True):
    """A single-use link: first administrator, password reset."""

    __tablename__ = "one_time_link"
    token_hash: str = Field(primary_key=True)
    purpose: str
    account_id: UUID | None = Field(default=None, foreign_key="account.id")
    expires_at: datetime
    used_at: datetime | None = None


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


class DutyRoster(SQLModel, table=True):
    """Who is on duty: organisation × date × shift."""

    __tablename__ = "duty_roster"
    __table_args__ = (UniqueConstraint("organisation_code", "on", "shift", "account_id"),)
    id: UUID = Field(primary_key=True)
    organisation_code: str = Field(foreign_key="organisation.code")
    on: date
    shift: str
    account_id: UUID | None = Field(default=None, foreign_key="account.id")
    phone: str | None = Field(default=None, sa_type=Words)


class Heartbeat(SQLModel, table=True):
    """When a part was last seen alive."""

    __tablename__ = "heartbeat"
    part: str = Field(primary_key=True)
    instance: str = Field(primary_key=True)
    seen_at: datetime
    note: str | None = Field(default=None, sa_type=Words)


class StandingChange(SQLModel, table=True):
    """The audit of the standing world: every change, appended."""

    __tablename__ = "standing_change"
    id: UUID = Field(primary_key=True)
    at: datetime = Field(index=True)
    account_id: UUID | None = None
    thing: str
    key: str
    action: str
    before: str | None = Field(default=None, sa_type=Words)
    after: str | None = Field(default=None, sa_type=Words)
