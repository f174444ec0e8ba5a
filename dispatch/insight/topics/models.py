"""Candidates and topics, and the tickets they are made of."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlmodel import Field, SQLModel

from grid.database import Words, named


class TopicKind(StrEnum):
    """How a class of problems showed itself."""

    REPEAT = "repeat"
    CLUSTER = "cluster"
    BURST = "burst"
    PERSISTENT = "persistent"


class TopicState(StrEnum):
    CANDIDATE = "candidate"
    ADOPTED = "adopted"
    DONE = "done"
    DISMISSED = "dismissed"


class Topic(SQLModel, table=True):
    """A class of problems: found, taken up with owner and plan, done or dismissed."""

    __tablename__ = "topic"
    id: UUID = Field(primary_key=True)
    key: str = Field(unique=True)
    kind: TopicKind = Field(sa_type=named(TopicKind))
    state: TopicState = Field(default=TopicState.CANDIDATE, index=True, sa_type=named(TopicState))
    category_code: str | None = Field(default=None, foreign_key="category.code")
    grid_code: str | None = Field(default=None, sa_type=Words)
    lon: float | None = None
    lat: float | None = None
    found_at: datetime
    first_at: datetime
    last_at: datetime
    reason: str
    owner_code: str | None = Field(default=None, foreign_key="organisation.code")
    plan: str | None = Field(default=None, sa_type=Words)
    due_on: date | None = None
    adopted_by: UUID | None = Field(default=None, foreign_key="account.id")
    adopted_at: datetime | None = None
    ended_at: datetime | None = None


class TopicTicket(SQLModel, table=True):
    """A ticket that belongs to a topic."""

    __tablename__ = "topic_ticket"
    topic_id: UUID = Field(primary_key=True, foreign_key="topic.id")
    intake_district: str = Field(primary_key=True)
    ticket_id: UUID = Field(primary_key=True, index=True)
