"""Organisations and people: accounts, posts, stand-ins, rosters, and how somebody comes in."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from grid.database import Words, named


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
