"""What the API answers with, as pydantic classes, and how a ticket becomes one of them."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from dispatch.record.models import Ticket
from web.shown import showing
from web.shown.labels import is_late, masked_name, masked_phone, state_label


class TokenOut(BaseModel):
    token: str
    name: str
    duty_class: str


class ReportedOut(BaseModel):
    """The answer to a report; the same report is always answered in the same words."""

    code: str
    state: str


class PhotoOut(BaseModel):
    sha256: str
    width: int
    height: int


class ClockOut(BaseModel):
    kind: str
    stage: str | None
    started_at: datetime
    due_at: datetime
    paused: bool
    estimated: bool


class FieldOut(BaseModel):
    name: str
    label: str
    kind: str
    required: bool
    choices: dict[str, str]


class PossibleOut(BaseModel):
    action: str
    label: str
    given: list[FieldOut]


class ReporterOut(BaseModel):
    """A reporter with name and phone masked."""

    name: str
    phone: str
    consented: bool


class SummaryOut(BaseModel):
    """A ticket as a line of a list."""

    code: str
    version: int
    state: str
    state_label: str
    category_code: str
    urgent: bool
    source: str
    queue: str | None
    main_code: str | None
    street_code: str | None
    community_code: str | None
    grid_code: str | None
    reported_at: datetime
    due_at: datetime | None
    overdue: bool


class TicketOut(SummaryOut):
    """Everything about a ticket that this account may see."""

    category: str
    lon: float
    lat: float
    accuracy_m: float | None
    overlays: list[str]
    placing_reason: str | None
    routing_reason: str | None
    text: str
    answer: str
    photos_before: list[str]
    photos_after: list[str]
    clocks: list[ClockOut]
    reporters: list[ReporterOut]
    possible: list[PossibleOut]


class SaidOut(BaseModel):
    label: str
    text: str


class LineOut(BaseModel):
    seq: int
    at: datetime
    action: str
    state_to: str
    who: str
    organisation: str | None
    facts: list[SaidOut]
    said: list[SaidOut]
    photos: list[str]
    hash: str


class PageOut(BaseModel):
    tickets: list[SummaryOut]
    next: str | None


class HistoryOut(BaseModel):
    lines: list[LineOut]


def summary(ticket: Ticket) -> SummaryOut:
    return SummaryOut(**values_of(ticket))


def values_of(ticket: Ticket) -> dict[str, Any]:
    told = {"state_label": state_label(ticket.state), "overdue": is_late(ticket)}
    return {name: getattr(ticket, name) for name in SummaryOut.model_fields if name not in told} | told


def whole(shown: showing.Shown) -> TicketOut:
    ticket = shown.ticket
    reporters = shown.reporters if shown.sees_reporter else []
    return TicketOut(
        **values_of(ticket),
        category=shown.category_path,
        lon=ticket.lon,
        lat=ticket.lat,
        accuracy_m=ticket.accuracy_m,
        overlays=shown.overlays,
        placing_reason=shown.placing_reason,
        routing_reason=shown.routing_reason,
        text=shown.description,
        answer=shown.answer,
        photos_before=shown.photos_before,
        photos_after=shown.photos_after,
        clocks=[
            ClockOut(
                kind=str(clock.kind),
                stage=clock.stage,
                started_at=clock.started_at,
                due_at=clock.due_at,
                paused=clock.paused_at is not None,
                estimated=clock.estimated,
            )
            for clock in shown.clocks
        ],
        reporters=[
            ReporterOut(name=masked_name(r.name), phone=masked_phone(r.phone), consented=r.consented)
            for r in reporters
        ],
        possible=[
            PossibleOut(
                action=possible.row.action,
                label=possible.row.label,
                given=[
                    FieldOut(
                        name=given.name,
                        label=given.label,
                        kind=str(given.kind),
                        required=required,
                        choices=dict(given.choices),
                    )
                    for given, required in possible.fields
                ],
            )
            for possible in shown.possible
        ],
    )
