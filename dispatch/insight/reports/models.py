"""Bulletins that were made and kept, tables that were put together and saved, exports that were taken."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from grid.database import JsonText, Words


class Bulletin(SQLModel, table=True):
    """One report of one period about the city, an organisation or a street; its content is kept as values."""

    __tablename__ = "bulletin"
    __table_args__ = (UniqueConstraint("about", "from_on", "to_on"),)
    id: UUID = Field(primary_key=True)
    about: str
    from_on: date
    to_on: date
    content: dict[str, Any] = Field(sa_type=JsonText)
    checksum: str
    made_at: datetime


class SavedTable(SQLModel, table=True):
    """A table put together from two dimensions and some metrics; shared with all who may see figures, or one's own."""

    __tablename__ = "saved_table"
    id: UUID = Field(primary_key=True)
    title: str
    rows_by: str
    columns_by: str | None = Field(default=None, sa_type=Words)
    metrics: str
    days: int
    from_on: date | None = None
    to_on: date | None = None
    shared: bool = False
    made_by: UUID | None = Field(default=None, foreign_key="account.id")
    made_at: datetime


class ExportLog(SQLModel, table=True):
    """Who took which tickets out of the system, masked or not, and why."""

    __tablename__ = "export_log"
    id: UUID = Field(primary_key=True)
    account_id: UUID | None = Field(default=None, foreign_key="account.id")
    at: datetime
    masked: bool
    reason: str | None = Field(default=None, sa_type=Words)
    slice: dict[str, Any] = Field(sa_type=JsonText)
