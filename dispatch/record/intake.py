"""A report as values, and what makes two reports the same one."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from dispatch.record.models import ClientKey, Source, Ticket
from grid.database import canonical_json
from grid.errors import InputError


class Mode(StrEnum):
    """Report it, remind on the spot, settle it oneself; or hold it for a person at the intake desk to decide."""

    REPORT = "report"
    REMIND = "remind"
    SELF_HANDLED = "self_handled"
    HOLD = "hold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came in, checked for form by the edge; `client_uuid` is the sender's own id of it.

    `joins` is the ticket of the same matter that somebody else reported before; `apart` says that it is another one.
    """

    client_uuid: UUID
    source: Source
    category_code: str
    lon: float
    lat: float
    frame: str
    accuracy_m: float | None = None
    location_source: str = "browser"
    captured_at: datetime | None = None
    text: str | None = None
    photos: tuple[str, ...] = ()
    mode: Mode = Mode.REPORT
    nature: str | None = None
    reporter_name: str | None = None
    reporter_phone: str | None = None
    consented: bool = False
    confidential: bool = False
    accused: str | None = None
    notice_version: str | None = None
    chosen_grid: str | None = None
    scanned_grid: str | None = None
    answers: Mapping[str, str] | None = None
    upper_code: str | None = None
    upper_due_at: datetime | None = None
    synthetic: bool = False
    joins: str | None = None
    apart: bool = False

    @property
    def fingerprint(self) -> str:
        """One text for one content, whatever order or spelling of the payload."""
        plain = asdict(self)
        plain["captured_at"] = self.captured_at.isoformat() if self.captured_at else None
        plain["photos"] = sorted(self.photos)
        return hashlib.sha256(canonical_json({k: str(v) for k, v in plain.items()}).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Reported:
    """The answer to a report: the same one whenever the same report comes again."""

    code: str
    ticket_id: UUID
    intake_district: str
    state: str
    repeated: bool = False


def earlier(session: Session, report: Report) -> Reported | None:
    """The answer already given to this report, if it came before.

    Raises
    ------
    InputError
        The same `client_uuid` came with other content.
    """
    query = select(*ClientKey.__table__.c).where(col(ClientKey.client_uuid) == report.client_uuid)  # type: ignore[attr-defined]
    known = session.connection().execute(query).first()
    if known is None:
        return None
    if known.fingerprint != report.fingerprint:
        raise InputError(
            "这个编号(client_uuid)已经用于另一份内容不同的上报;请重新打开上报页再提交",
            {"client_uuid": "已用于另一份上报"},
        )
    answer: dict[str, Any] = known.answer or {}
    return Reported(answer["code"], known.ticket_id, known.intake_district, answer["state"], repeated=True)


def key_of(report: Report, ticket: Ticket, now: datetime) -> ClientKey:
    """The answer, kept with the ticket for as long as it lives."""
    return ClientKey(
        client_uuid=report.client_uuid,
        fingerprint=report.fingerprint,
        intake_district=ticket.intake_district,
        ticket_id=ticket.id,
        answer={"code": ticket.code, "state": str(ticket.state)},
        created_at=now,
    )
