"""The moving tickets' tables. Every ticket-owned table has the key `(intake_district, id)`, so that a large
city can be spread over a distributed PostgreSQL; `client_key` and `ticket_code` are the small global look-ups.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from dispatch.rules.workflow import ClockKind, State
from grid.database import JsonText, Words, named

UNPLACED_DISTRICT = "000000"


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


def _of_ticket(*extra: Any) -> tuple[Any, ...]:
    return (
        ForeignKeyConstraint(["intake_district", "ticket_id"], ["ticket.intake_district", "ticket.id"]),
        *extra,
    )


class Ticket(SQLModel, table=True):
    """The present state of one matter; its past is the event chain."""

    __tablename__ = "ticket"
    __table_args__ = (
        Index("ix_ticket_owner", "owner_code", "state", "due_at"),
        Index("ix_ticket_state_due", "state", "due_at"),
        Index("ix_ticket_grid_state", "grid_code", "state"),
        Index("ix_ticket_queue", "queue", "accepted_at"),
        Index("ix_ticket_reported", "reported_at"),
        Index("ix_ticket_account", "reported_by", "reported_at"),
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
    overdue: bool = False
    solved: str | None = Field(default=None, sa_type=Words)
    satisfaction: int | None = None

    upper_code: str | None = Field(default=None, sa_type=Words)
    upper_due_at: datetime | None = None
    section_code: str | None = Field(default=None, sa_type=Words)
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


class TicketLink(SQLModel, table=True):
    """One ticket's tie to another: merged into it, split from it, of the same event, made by an inspection."""

    __tablename__ = "ticket_link"
    __table_args__ = _of_ticket(
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


class UnitRating(SQLModel, table=True):
    """What the street that whistled says of a unit that came, in one tap (双考核)."""

    __tablename__ = "unit_rating"
    __table_args__ = _of_ticket(
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


class PersonAsked(SQLModel, table=True):
    """Global look-up: when a person (a keyed hash of the telephone) was last asked, so that nobody is asked twice a
    week."""

    __tablename__ = "person_asked"
    person_key: str = Field(primary_key=True)
    asked_at: datetime


class TicketEvent(SQLModel, table=True):
    """One appended line of a ticket's history, chained by hash; it holds no personal data."""

    __tablename__ = "ticket_event"
    __table_args__ = _of_ticket(
        UniqueConstraint("intake_district", "ticket_id", "seq"),
        UniqueConstraint("intake_district", "ticket_id", "request_key"),
        Index("ix_event_at", "at"),
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
    __table_args__ = _of_ticket(Index("ix_statement_ticket", "intake_district", "ticket_id"))
    intake_district: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    ticket_id: UUID
    event_id: UUID
    name: str
    public: bool = False
    salt: str
    text: str | None = Field(default=None, sa_type=Words)
    erased_at: datetime | None = None


class Reporter(SQLModel, table=True):
    """Who reported, apart from the ticket; erasing a row leaves ticket and chain whole."""

    __tablename__ = "reporter"
    __table_args__ = _of_ticket(Index("ix_reporter_ticket", "intake_district", "ticket_id"))
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


class Assignment(SQLModel, table=True):
    """One dispatch to one unit and what became of it; figures of timeliness count these rows."""

    __tablename__ = "assignment"
    __table_args__ = _of_ticket(
        Index("ix_assignment_ticket", "intake_district", "ticket_id"),
        Index("ix_assignment_org", "organisation_code", "dispatched_at"),
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
    __table_args__ = _of_ticket(Index("ix_objection_ticket", "intake_district", "ticket_id"))
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


class TicketClock(SQLModel, table=True):
    """One running, paused or stopped clock; each entry to a stage and each dispatch makes a new row."""

    __tablename__ = "ticket_clock"
    __table_args__ = _of_ticket(Index("ix_clock_ticket", "intake_district", "ticket_id"))
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


class TicketPhoto(SQLModel, table=True):
    """A photo's place on a ticket; the bytes are a `StoredPhoto` by content hash."""

    __tablename__ = "ticket_photo"
    __table_args__ = _of_ticket(Index("ix_photo_ticket", "intake_district", "ticket_id"))
    intake_district: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    ticket_id: UUID
    event_id: UUID
    part: str
    sha256: str = Field(foreign_key="stored_photo.sha256")


class StoredPhoto(SQLModel, table=True):
    """Bytes on disk: the restricted original by its hash, and the re-encoded copy that is served."""

    __tablename__ = "stored_photo"
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


class CallbackLink(SQLModel, table=True):
    """A single-purpose link for one round of asking; only its hash is kept."""

    __tablename__ = "callback_link"
    __table_args__ = _of_ticket(UniqueConstraint("token_hash"))
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
    __table_args__ = _of_ticket(Index("ix_answer_ticket", "intake_district", "ticket_id"))
    intake_district: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    ticket_id: UUID
    round: int
    channel: str
    at: datetime
    outcome: str
    satisfaction: int | None = None
    asked_by: UUID | None = None


class ClientKey(SQLModel, table=True):
    """Global look-up: the client's own id of a report, so that a repeated one is answered, not repeated."""

    __tablename__ = "client_key"
    client_uuid: UUID = Field(primary_key=True)
    fingerprint: str
    intake_district: str
    ticket_id: UUID
    answer: dict[str, Any] | None = Field(default=None, sa_type=JsonText)
    created_at: datetime


class TicketCode(SQLModel, table=True):
    """Global look-up: the short code that people read over the phone."""

    __tablename__ = "ticket_code"
    code: str = Field(primary_key=True)
    intake_district: str
    ticket_id: UUID


class DisclosureLog(SQLModel, table=True):
    """Who looked at a reporter's particulars, when and why."""

    __tablename__ = "disclosure_log"
    __table_args__ = _of_ticket()
    intake_district: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    ticket_id: UUID
    account_id: UUID
    at: datetime
    reason: str
