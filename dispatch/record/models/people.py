"""The person who reported: particulars, callback, answers. Nothing of it is in the events."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from dispatch.record.models.ticket import of_ticket
from grid.database import Words


class Reporter(SQLModel, table=True):
    """Who reported, apart from the ticket; erasing a row leaves ticket and chain whole."""

    __tablename__ = "reporter"
    __table_args__ = of_ticket(Index("ix_reporter_ticket", "intake_district", "ticket_id"))
    intake_district: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    ticket_id: UUID
    name: str | None = Field(default=None, sa_type=Words)
    phone: str | None = Field(default=None, sa_type=Words)
    person_key: str | None = Field(default=None, sa_type=Words, index=True)
    consented: bool = False
    notice_version: str | None = Field(default=None, sa_type=Words)
    confidential: bool = False
    erased_at: datetime | None = None


class PersonAsked(SQLModel, table=True):
    """Global look-up: when a person (a keyed hash of the telephone) was last asked, so that nobody is asked twice a
    week."""

    __tablename__ = "person_asked"
    person_key: str = Field(primary_key=True)
    asked_at: datetime


class CallbackLink(SQLModel, table=True):
    """A single-purpose link for one round of asking; only its hash is kept."""

    __tablename__ = "callback_link"
    __table_args__ = of_ticket(UniqueConstraint("token_hash"))
    intake_district: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    ticket_id: UUID
    round: int
    token_hash: str
    key_id: str
    expires_at: datetime
    used_at: datetime | None = None


class CallbackAnswer(SQLModel, table=True):
    """What was answered in one round, by whom it was asked and how; unanswered is never satisfied."""

    __tablename__ = "callback_answer"
    __table_args__ = of_ticket(Index("ix_answer_ticket", "intake_district", "ticket_id"))
    intake_district: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    ticket_id: UUID
    round: int
    channel: str
    at: datetime
    outcome: str
    satisfaction: int | None = None
    asked_by: UUID | None = None


class Notice(SQLModel, table=True):
    """An in-app message to an account or to everybody of an organisation; reading it is nobody's duty."""

    __tablename__ = "notice"
    __table_args__ = (
        Index("ix_notice_org", "organisation_code", "created_at"),
        Index("ix_notice_acc", "account_id", "created_at"),
    )
    intake_district: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    ticket_id: UUID | None = None
    outbox_id: UUID
    account_id: UUID | None = None
    organisation_code: str | None = None
    text: str
    urgent: bool = False
    created_at: datetime


class DisclosureLog(SQLModel, table=True):
    """Who looked at a reporter's particulars, when and why."""

    __tablename__ = "disclosure_log"
    __table_args__ = of_ticket()
    intake_district: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    ticket_id: UUID
    account_id: UUID
    at: datetime
    reason: str
