"""The ticket itself, its links to others, its photos, and the look-ups by code and by the client's key."""

import math
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, text
from sqlmodel import Field, SQLModel

from dispatch.rules.workflow import State
from grid.database import JsonText, Words, named

UNPLACED_DISTRICT = "000000"
BANDS_PER_DEGREE = 1000  # some 111 m high


def band_of(lat: float) -> int:
    """The band of latitude that a place lies in: with it an index finds a small box without reading a whole strip."""
    return math.floor(lat * BANDS_PER_DEGREE)


class Source(StrEnum):
    """Where a report came in."""

    PATROL = "patrol"
    ON_BEHALF = "on_behalf"
    HOTLINE = "hotline"
    RESIDENT = "resident"
    UPPER = "upper"


class Queue(StrEnum):
    """Named queues of the dispatch centre: where a ticket waits that has no unit yet."""

    UNROUTED = "unrouted"
    OUT_OF_AREA = "out_of_area"
    AMBIGUOUS = "ambiguous"
    OBJECTION = "objection"
    CONSULTATION = "consultation"
    REVIEW = "review"
    INTAKE = "intake"
    SECOND_LOOK = "second_look"
    RECEIPT = "receipt"
    OWNERSHIP = "ownership"
    APPLICATION = "application"


class LinkKind(StrEnum):
    """How two tickets belong together."""

    MERGED = "merged"
    SPLIT = "split"
    SAME_EVENT = "same_event"


def of_ticket(*extra: Any) -> tuple[Any, ...]:
    return (
        ForeignKeyConstraint(["intake_district", "ticket_id"], ["ticket.intake_district", "ticket.id"]),
        *extra,
    )


def partial_index(name: str, *columns: str, where: str, in_sqlite: str | None = None) -> Index:
    """An index of the rows that fit a condition, which SQLite may say in other words."""
    return Index(name, *columns, postgresql_where=text(where), sqlite_where=text(in_sqlite or where))


class Ticket(SQLModel, table=True):
    """The present state of one matter; its past is the event chain."""

    __tablename__ = "ticket"
    __table_args__ = (
        # Links, codes and lists know an id alone; the key begins with the district.
        Index("ix_ticket_id", "id"),
        Index("ix_ticket_state_due", "state", "due_at"),
        Index("ix_ticket_due", "due_at", "id"),
        Index("ix_ticket_main", "main_code", "state", "due_at"),
        # A grid worker's areas are sought at every level, for a code alone does not say which one it is of.
        Index("ix_ticket_grid_state", "grid_code", "state"),
        Index("ix_ticket_community", "community_code", "id"),
        Index("ix_ticket_street", "street_code"),
        partial_index("ix_ticket_verify_grid", "verify_grid", where="verify_grid IS NOT NULL"),
        Index("ix_ticket_queue", "queue", "accepted_at"),
        Index("ix_ticket_reported", "reported_at"),
        Index("ix_ticket_account", "reported_by", "reported_at"),
        partial_index("ix_ticket_tally", "tally_due", where="tally_due", in_sqlite="tally_due = 1"),
        # All that desks and the dashboard count and most of what they filter by, so that counting reads the index alone.
        partial_index(
            "ix_ticket_open_work",
            "main_code",
            "section_code",
            "workflow",
            "state",
            "due_at",
            "no_return",
            "reworks",
            "source",
            "category_code",
            "lat_band",
            "lat",
            "lon",
            "grid_code",
            "community_code",
            "street_code",
            "district_code",
            "intake_district",
            "id",
            "queue",
            "reported_at",
            "urgent",
            "verify_grid",
            "reported_by",
            "progress_due_at",
            "objections",
            "urged",
            "merged_count",
            "contacted_at",
            "dispatched_at",
            where="closed_at IS NULL",
        ),
        partial_index("ix_ticket_section", "section_code", "closed_at", where="section_code IS NOT NULL"),
        partial_index(
            "ix_ticket_drawn", "due_at", "id", where="correction_drawn", in_sqlite="correction_drawn = 1"
        ),
        partial_index(
            "ix_ticket_progress", "progress_due_at", where="closed_at IS NULL AND progress_due_at IS NOT NULL"
        ),
        partial_index("ix_ticket_closed", "closed_at", where="closed_at IS NOT NULL"),
        # Leads are few among the tickets.
        partial_index("ix_ticket_lead", "due_at", "id", where="workflow = 'lead'"),
        # What was reported at a place before, closed matters too.
        Index("ix_ticket_place", "lat_band", "lon"),
        partial_index("ix_ticket_open_place", "lat_band", "lon", where="closed_at IS NULL"),
    )
    intake_district: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    code: str
    version: int = 1
    workflow: str = "ticket"
    state: State = Field(sa_type=named(State))
    source: Source = Field(sa_type=named(Source))
    nature: str | None = Field(default=None, sa_type=Words)
    category_code: str = Field(foreign_key="category.code")
    urgent: bool = False
    verify_mode: str = "field"
    synthetic: bool = False

    reported_lon: float
    reported_lat: float
    frame: str
    accuracy_m: float | None = None
    location_source: str
    lon: float
    lat: float
    lat_band: int | None = None
    district_code: str | None = None
    street_code: str | None = None
    community_code: str | None = None
    grid_code: str | None = None
    overlay_codes: str | None = Field(default=None, sa_type=Words)
    generation_id: int | None = None
    placed: dict[str, Any] | None = Field(default=None, sa_type=JsonText)

    owner_code: str = Field(foreign_key="organisation.code")
    queue: Queue | None = Field(default=None, sa_type=named(Queue))
    main_code: str | None = Field(default=None, foreign_key="organisation.code")
    assistant_codes: str | None = Field(default=None, sa_type=Words)
    routed: dict[str, Any] | None = Field(default=None, sa_type=JsonText)
    ruleset_version: int
    no_return: bool = False
    objections: int = 0
    reworks: int = 0
    callback_attempts: int = 0
    callback_round: int = 0

    reported_by: UUID | None = None
    captured_at: datetime | None = None
    reported_at: datetime
    accepted_at: datetime | None = None
    dispatched_at: datetime | None = None
    opened_at: datetime | None = None
    signed_at: datetime | None = None
    contacted_at: datetime | None = None
    handled_at: datetime | None = None
    verified_at: datetime | None = None
    closed_at: datetime | None = None
    objection_until: datetime | None = None
    due_at: datetime | None = None
    total_due_at: datetime | None = None
    correction_drawn: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    overdue: bool = False
    solved: str | None = Field(default=None, sa_type=Words)
    satisfaction: int | None = None

    upper_code: str | None = Field(default=None, sa_type=Words)
    upper_due_at: datetime | None = None
    section_code: str | None = Field(default=None, sa_type=Words)
    accused_code: str | None = Field(default=None, sa_type=Words)
    whistled_by: str | None = Field(default=None, sa_type=Words)
    supplements: int = 0
    extensions: int = 0
    urged: int = 0
    step: int = 0
    staged_result: str | None = Field(default=None, sa_type=Words)
    plan_until: datetime | None = None
    proposed_by: UUID | None = None
    checked_beside_at: datetime | None = None
    sampled: bool | None = None
    verify_grid: str | None = Field(default=None, sa_type=Words)
    progress_due_at: datetime | None = None
    exclusion: str | None = Field(default=None, sa_type=Words)
    false_completion: bool = False
    merged_into: UUID | None = None
    merged_count: int = 0
    tally_due: bool = True
    conduct: str | None = Field(default=None, sa_type=Words)
    conduct_until: datetime | None = None
    clarified_at: datetime | None = None


class TicketLink(SQLModel, table=True):
    """One ticket's tie to another: merged into it, split from it, of the same event, made by an inspection."""

    __tablename__ = "ticket_link"
    __table_args__ = of_ticket(
        Index("ix_link_ticket", "intake_district", "ticket_id"),
        Index("ix_link_other", "other_district", "other_id"),
    )
    intake_district: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    ticket_id: UUID
    kind: LinkKind = Field(sa_type=named(LinkKind))
    other_district: str
    other_id: UUID
    made_at: datetime
    ended_at: datetime | None = None


class TicketPhoto(SQLModel, table=True):
    """A photo's place on a ticket; the bytes are a `StoredPhoto` by content hash."""

    __tablename__ = "ticket_photo"
    __table_args__ = of_ticket(Index("ix_photo_ticket", "intake_district", "ticket_id"))
    intake_district: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    ticket_id: UUID
    event_id: UUID
    part: str
    sha256: str = Field(foreign_key="stored_photo.sha256")


class StoredPhoto(SQLModel, table=True):
    """Bytes on disk: the restricted original by its hash, and the re-encoded copy that is served."""

    __tablename__ = "stored_photo"
    __table_args__ = (partial_index("ix_stored_photo_without_thumb", "stored_at", where="thumb_at IS NULL"),)
    sha256: str = Field(primary_key=True)
    served_sha256: str
    bytes: int
    width: int
    height: int
    media_type: str
    stored_at: datetime
    stored_by: UUID | None = None
    captured_at: datetime | None = None
    captured_lon: float | None = None
    captured_lat: float | None = None
    taken: dict[str, Any] | None = Field(default=None, sa_type=JsonText)
    picture_hash: str | None = Field(default=None, sa_type=Words)
    thumb_at: datetime | None = None


class PhotoMark(SQLModel, table=True):
    """A quarter of a photo's picture hash: photos that look alike share at least one."""

    __tablename__ = "photo_mark"
    mark: str = Field(primary_key=True)
    sha256: str = Field(primary_key=True, foreign_key="stored_photo.sha256")


class ClientKey(SQLModel, table=True):
    """Global look-up: the client's own id of a report, so that a repeated one is answered, not repeated."""

    __tablename__ = "client_key"
    client_uuid: UUID = Field(primary_key=True)
    fingerprint: str
    intake_district: str
    ticket_id: UUID
    answer: dict[str, Any] | None = Field(default=None, sa_type=JsonText)
    created_at: datetime


class ActionKey(SQLModel, table=True):
    """The client's own id of an action on a ticket, so that a repeated one is answered, not repeated."""

    __tablename__ = "action_key"
    __table_args__ = of_ticket()
    intake_district: str = Field(primary_key=True)
    ticket_id: UUID = Field(primary_key=True)
    request_key: UUID = Field(primary_key=True)
    fingerprint: str
    answer: dict[str, Any] | None = Field(default=None, sa_type=JsonText)
    created_at: datetime


class TicketCode(SQLModel, table=True):
    """Global look-up: the short code that people read over the phone."""

    __tablename__ = "ticket_code"
    code: str = Field(primary_key=True)
    intake_district: str
    ticket_id: UUID
