"""The tables of the hotline."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from dispatch.record.models.ticket import of_ticket
from grid.database import Words


class IncomingCall(SQLModel, table=True):
    """A telephone system says who rings at whose seat; taken (or a day old) it is gone."""

    __tablename__ = "incoming_call"
    __table_args__ = (Index("ix_call_seat", "account_id", "rang_at"),)
    id: UUID = Field(primary_key=True)
    account_id: UUID = Field(foreign_key="account.id")
    phone: str
    rang_at: datetime


class KnowledgeEntry(SQLModel, table=True):
    """One question with its answer (一问一答), the department that answers for it, and how long it holds."""

    __tablename__ = "knowledge_entry"
    __table_args__ = (Index("ix_knowledge_unit", "organisation_code"),)
    id: UUID = Field(primary_key=True)
    question: str
    answer: str
    organisation_code: str = Field(foreign_key="organisation.code")
    category_code: str | None = Field(default=None, sa_type=Words)
    keywords: str | None = Field(default=None, sa_type=Words)
    valid_from: date | None = None
    valid_to: date | None = None
    changed_by: UUID | None = None
    changed_at: datetime
    retired_at: datetime | None = None


class Theme(SQLModel, table=True):
    """A theme desk (专席) or an expert seat of a department (驻点专席)."""

    __tablename__ = "theme"
    key: str = Field(primary_key=True)
    name: str
    organisation_code: str | None = Field(default=None, sa_type=Words)
    retired_at: datetime | None = None


class ThemeSeat(SQLModel, table=True):
    """Who sits at a theme desk."""

    __tablename__ = "theme_seat"
    theme_key: str = Field(primary_key=True, foreign_key="theme.key")
    account_id: UUID = Field(primary_key=True, foreign_key="account.id", index=True)


class TicketTheme(SQLModel, table=True):
    """The theme of a ticket and who at its desk stays with it, from the call to the call back."""

    __tablename__ = "ticket_theme"
    __table_args__ = of_ticket(
        UniqueConstraint("intake_district", "ticket_id"), Index("ix_theme_key", "theme_key")
    )
    intake_district: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    ticket_id: UUID
    theme_key: str = Field(foreign_key="theme.key")
    account_id: UUID
    set_at: datetime


class PlatformAnswer(SQLModel, table=True):
    """That an answer went out to the city platform, in which batch: each leaves once."""

    __tablename__ = "platform_answer"
    __table_args__ = of_ticket(
        UniqueConstraint("intake_district", "ticket_id", "event_id"), Index("ix_platform_batch", "batch")
    )
    intake_district: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    ticket_id: UUID
    event_id: UUID
    batch: UUID
    taken_by: UUID
    taken_at: datetime
