"""What was handed down to villages and communities against the list: attempts, and what was let through once."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from grid.database import Words


class HandedDown(SQLModel, table=True):
    """One attempt to give a community what the list forbids (疑似违规下派); whether it was wrong is for people to say."""

    __tablename__ = "handed_down"
    __table_args__ = (Index("ix_handed_down_unit", "by_code", "at"),)
    id: UUID = Field(primary_key=True)
    at: datetime
    by_code: str | None = None
    account_id: UUID | None = None
    to_code: str
    category_code: str
    ticket_code: str | None = Field(default=None, sa_type=Words)
    path: str
    channel: str
    clause: str = Field(sa_type=Words)
    found: str | None = Field(default=None, sa_type=Words)


class Admittance(SQLModel, table=True):
    """A one-off admission (准入审批): asked for with a reason, decided by the district, used once."""

    __tablename__ = "admittance"
    __table_args__ = (Index("ix_admittance_ticket", "ticket_code"),)
    id: UUID = Field(primary_key=True)
    ticket_code: str
    to_code: str = Field(foreign_key="organisation.code")
    clause: str = Field(sa_type=Words)
    reason: str = Field(sa_type=Words)
    asked_by: UUID | None = None
    asked_for: str | None = Field(default=None, sa_type=Words)
    asked_at: datetime
    outcome: str | None = Field(default=None, sa_type=Words)
    decided_by: UUID | None = None
    decided_at: datetime | None = None
    used_at: datetime | None = None
