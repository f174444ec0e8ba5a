"""What is noted down: that a part is alive, and every change of the standing world."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from grid.database import Words


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
