"""What is due and what must go out: clocks, timers, outbox."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from dispatch.record.models.ticket import of_ticket
from dispatch.rules.workflow import ClockKind
from grid.database import JsonText, Words, named


class TicketClock(SQLModel, table=True):
    """One running, paused or stopped clock; each entry to a stage and each dispatch makes a new row."""

    __tablename__ = "ticket_clock"
    __table_args__ = of_ticket(Index("ix_clock_ticket", "intake_district", "ticket_id"))
    intake_district: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    ticket_id: UUID
    kind: ClockKind = Field(sa_type=named(ClockKind))
    stage: str | None = Field(default=None, sa_type=Words)
    organisation_code: str | None = None
    limit_id: str | None = Field(default=None, sa_type=Words)
    amount: float
    unit: str
    started_at: datetime
    due_at: datetime
    estimated: bool = False
    extended_days: int = 0
    frozen: bool = False
    paused_at: datetime | None = None
    stopped_at: datetime | None = None
    pauses: list[Any] | None = Field(default=None, sa_type=JsonText)
    explained: dict[str, Any] | None = Field(default=None, sa_type=JsonText)


class Timer(SQLModel, table=True):
    """Something that must happen at an instant, once; `done_at` is set in the transaction of its effect."""

    __tablename__ = "timer"
    __table_args__ = (
        UniqueConstraint("intake_district", "key"),
        Index("ix_timer_due", "done_at", "due_at"),
        Index("ix_timer_clock", "intake_district", "clock_id"),
    )
    intake_district: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    ticket_id: UUID | None = None
    clock_id: UUID | None = None
    kind: str
    key: str
    due_at: datetime
    done_at: datetime | None = None
    outcome: str | None = Field(default=None, sa_type=Words)
    leased_until: datetime | None = None
    attempts: int = 0
    last_error: str | None = Field(default=None, sa_type=Words)


class OutboxRow(SQLModel, table=True):
    """An effect to be carried out after the commit; written with it, fenced by `done_at`."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_pending", "done_at", "dead_at", "available_at"),)
    intake_district: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    ticket_id: UUID | None = None
    topic: str
    payload: dict[str, Any] | None = Field(default=None, sa_type=JsonText)
    destination: str | None = Field(default=None, sa_type=Words)
    created_at: datetime
    available_at: datetime
    leased_until: datetime | None = None
    attempts: int = 0
    done_at: datetime | None = None
    dead_at: datetime | None = None
    last_error: str | None = Field(default=None, sa_type=Words)
