"""What happened to a ticket and who was concerned: events, words, assignments, objections, ratings."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from dispatch.record.models.ticket import of_ticket, partial_index
from grid.database import JsonText, Words

SEARCHED = ("text",)  # the statements by which a desk finds a ticket: what somebody reported
# What happens to few tickets, and is looked for over months.
SELDOM = ("remind", "self_handle", "settle", "uphold_objection")


class TicketEvent(SQLModel, table=True):
    """One appended line of a ticket's history, chained by hash; it holds no personal data."""

    __tablename__ = "ticket_event"
    __table_args__ = of_ticket(
        UniqueConstraint("intake_district", "ticket_id", "seq"),
        UniqueConstraint("intake_district", "ticket_id", "request_key"),
        Index("ix_event_at", "at"),
        partial_index("ix_event_seldom", "at", where=f"action IN {SELDOM}"),
    )
    intake_district: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    ticket_id: UUID
    seq: int
    at: datetime
    account_id: UUID | None = None
    organisation_code: str | None = None
    channel: str
    action: str
    state_from: str | None = None
    state_to: str
    given: dict[str, Any] | None = Field(default=None, sa_type=JsonText)
    reasons: dict[str, Any] | None = Field(default=None, sa_type=JsonText)
    request_key: UUID | None = None
    previous_hash: str | None = None
    hash: str


class Statement(SQLModel, table=True):
    """Free text said on a ticket; it may hold names, so it stays outside the chain, which keeps a commitment."""

    __tablename__ = "statement"
    __table_args__ = of_ticket(Index("ix_statement_ticket", "intake_district", "ticket_id"))
    intake_district: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    ticket_id: UUID
    event_id: UUID
    name: str
    public: bool = False
    salt: str
    text: str | None = Field(default=None, sa_type=Words)
    erased_at: datetime | None = None


class OpenWords(SQLModel, table=True):
    """What was reported on a ticket that is open, apart from all that was ever said, so that a desk's search is short."""

    __tablename__ = "open_words"
    __table_args__ = of_ticket(Index("ix_open_words_ticket", "intake_district", "ticket_id"))
    intake_district: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    ticket_id: UUID
    text: str | None = Field(default=None, sa_type=Words)


class Assignment(SQLModel, table=True):
    """One dispatch to one unit and what became of it; figures of timeliness count these rows."""

    __tablename__ = "assignment"
    __table_args__ = of_ticket(
        Index("ix_assignment_ticket", "intake_district", "ticket_id"),
        Index("ix_assignment_org", "organisation_code", "dispatched_at"),
        partial_index(
            "ix_assignment_assist",
            "organisation_code",
            "ended_at",
            "intake_district",
            "ticket_id",
            where="part = 'assist'",
        ),
    )
    intake_district: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    ticket_id: UUID
    round: int
    part: str = "main"
    organisation_code: str = Field(foreign_key="organisation.code")
    dispatched_at: datetime
    opened_at: datetime | None = None
    signed_at: datetime | None = None
    auto_signed: bool = False
    waived: bool = False
    contacted_at: datetime | None = None
    handled_at: datetime | None = None
    handled_by: UUID | None = None
    ended_at: datetime | None = None
    outcome: str | None = Field(default=None, sa_type=Words)


class Objection(SQLModel, table=True):
    """One 派单异议 and its ruling."""

    __tablename__ = "objection"
    __table_args__ = of_ticket(Index("ix_objection_ticket", "intake_district", "ticket_id"))
    intake_district: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    ticket_id: UUID
    organisation_code: str
    reason_code: str
    suggested_code: str
    raised_by: UUID | None = None
    raised_at: datetime
    ruled_by: UUID | None = None
    ruled_at: datetime | None = None
    outcome: str | None = Field(default=None, sa_type=Words)


class UnitRating(SQLModel, table=True):
    """What the street that whistled says of a unit that came, in one tap (双考核)."""

    __tablename__ = "unit_rating"
    __table_args__ = of_ticket(
        UniqueConstraint("intake_district", "ticket_id", "organisation_code"),
        Index("ix_rating_org", "organisation_code"),
    )
    intake_district: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    ticket_id: UUID
    organisation_code: str = Field(foreign_key="organisation.code")
    score: int
    rated_by: UUID | None = None
    rated_at: datetime
