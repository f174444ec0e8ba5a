"""The tables of the desks. Rows that hang on a ticket have its key; the others belong to a person or a unit."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from dispatch.record.models.ticket import of_ticket
from grid.database import JsonText, Words


class TicketHolder(SQLModel, table=True):
    """Who within the unit works on a ticket now."""

    __tablename__ = "ticket_holder"
    __table_args__ = of_ticket(
        UniqueConstraint("intake_district", "ticket_id"), Index("ix_holder_account", "account_id")
    )
    intake_district: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    ticket_id: UUID
    account_id: UUID
    given_by: UUID
    since_at: datetime


class InternalNote(SQLModel, table=True):
    """A word among those who work on a ticket; it never becomes part of a public answer."""

    __tablename__ = "internal_note"
    __table_args__ = of_ticket(Index("ix_note_ticket", "intake_district", "ticket_id"))
    intake_district: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    ticket_id: UUID
    account_id: UUID
    organisation_code: str
    at: datetime
    text: str | None = Field(default=None, sa_type=Words)


class Draft(SQLModel, table=True):
    """What somebody has typed into a form of a ticket and not sent yet."""

    __tablename__ = "draft"
    __table_args__ = of_ticket(UniqueConstraint("intake_district", "ticket_id", "account_id", "action"))
    intake_district: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    ticket_id: UUID
    account_id: UUID
    action: str
    given: dict[str, Any] | None = Field(default=None, sa_type=JsonText)
    version: int
    saved_at: datetime


class OpenPage(SQLModel, table=True):
    """That somebody has a ticket open just now; gone a minute later, and never counted."""

    __tablename__ = "open_page"
    __table_args__ = of_ticket(UniqueConstraint("intake_district", "ticket_id", "account_id"))
    intake_district: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    ticket_id: UUID
    account_id: UUID
    seen_at: datetime


class Arrival(SQLModel, table=True):
    """What a community says of the team bound to its grids, per ticket: came or not, and how it was. Never where."""

    __tablename__ = "arrival"
    __table_args__ = of_ticket(UniqueConstraint("intake_district", "ticket_id", "organisation_code"))
    intake_district: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    ticket_id: UUID
    organisation_code: str = Field(foreign_key="organisation.code")
    came: bool
    score: int | None = None
    said_by: UUID
    said_for: str
    said_at: datetime


class SavedView(SQLModel, table=True):
    """A queue's filters and columns under a name: one person's, or shared with a unit."""

    __tablename__ = "saved_view"
    __table_args__ = (UniqueConstraint("account_id", "desk", "name"), Index("ix_view_unit", "shared_with"))
    id: UUID = Field(primary_key=True)
    account_id: UUID = Field(foreign_key="account.id")
    shared_with: str | None = Field(default=None, sa_type=Words)
    desk: str
    name: str
    query: str | None = Field(default=None, sa_type=Words)
    made_at: datetime


class StandardText(SQLModel, table=True):
    """Ready words with variables, for a category and a state or for all of them, of one unit or of everybody."""

    __tablename__ = "standard_text"
    __table_args__ = (Index("ix_text_unit", "organisation_code"),)
    id: UUID = Field(primary_key=True)
    organisation_code: str | None = Field(default=None, sa_type=Words)
    category_code: str | None = Field(default=None, sa_type=Words)
    state: str | None = Field(default=None, sa_type=Words)
    title: str
    body: str
    changed_by: UUID | None = None
    changed_at: datetime
    retired_at: datetime | None = None


class Macro(SQLModel, table=True):
    """Several things by one key: an action with its words filled in, and who goes on with the ticket."""

    __tablename__ = "macro"
    __table_args__ = (Index("ix_macro_unit", "organisation_code"),)
    id: UUID = Field(primary_key=True)
    organisation_code: str | None = Field(default=None, sa_type=Words)
    title: str
    action: str
    given: dict[str, Any] | None = Field(default=None, sa_type=JsonText)
    holder_id: UUID | None = None
    changed_by: UUID | None = None
    changed_at: datetime
    retired_at: datetime | None = None


class InboxMark(SQLModel, table=True):
    """Up to where somebody's inbox was shown; moved by looking, asked of nobody, judged by nobody."""

    __tablename__ = "inbox_mark"
    account_id: UUID = Field(primary_key=True)
    shown_until: datetime


class Opinion(SQLModel, table=True):
    """One tap of somebody at the base about the dispatch, a unit's work or the software: nothing says whose."""

    __tablename__ = "opinion"
    __table_args__ = (Index("ix_opinion_about", "about", "month"),)
    id: UUID = Field(primary_key=True)
    about: str
    organisation_code: str | None = Field(default=None, sa_type=Words)
    voice: str
    score: int
    month: str


class OpinionAsked(SQLModel, table=True):
    """That somebody was asked about something already (answered or waved off), so that nobody is asked twice."""

    __tablename__ = "opinion_asked"
    account_id: UUID = Field(primary_key=True)
    key: str = Field(primary_key=True)
    on: date
