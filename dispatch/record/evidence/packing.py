"""A ticket's evidence as one file that anybody can check without this service: photos, times, places, chain.

Every file stands in the list with its SHA-256; the ticket's events are there as they were hashed, so that the chain can
be followed to its head, which the ticket's page shows as well. The checking program in it needs Python alone.
"""

import hashlib
import json
import zipfile
from datetime import UTC, datetime
from importlib import resources
from io import BytesIO
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from dispatch.record import chain, queries
from dispatch.record.evidence import photos
from dispatch.record.models import StoredPhoto, Ticket, TicketEvent, TicketPhoto
from grid.database import canonical_json
from grid.settings import Settings

FORMAT = "grid-evidence-1"
CHECKER = "check.py"
# A fixed time inside the archive: the same evidence is the same file.
EPOCH = (1980, 1, 1, 0, 0, 0)


def pack(session: Session, settings: Settings, ticket: Ticket, now: datetime) -> bytes:
    """The whole package as a ZIP."""
    files: dict[str, bytes] = {}
    shown = []
    for photo, row in _photos(session, ticket):
        name = f"photos/{row.sha256}"
        files[name] = photos.read_original(settings, row)
        shown.append({"file": name, "part": photo.part, "event": str(photo.event_id), **_facts(row)})
    events = sorted(queries.rows(session, TicketEvent, ticket), key=lambda event: event.seq)
    lines = [{**chain.plain(event), "hash": event.hash} for event in events]
    files["ticket.json"] = _json(
        {"format": FORMAT, **_ticket(ticket), "photos": shown, "packed_at": _at(now)}
    )
    files["chain.json"] = _json(lines)
    files[CHECKER] = resources.files(__package__).joinpath("package_checker.py").read_bytes()
    sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(files.items()))
    files["SHA256SUMS"] = sums.encode()
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, data in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, EPOCH), data)
    return out.getvalue()


def _photos(session: Session, ticket: Ticket) -> list[tuple[TicketPhoto, StoredPhoto]]:
    query = (
        select(TicketPhoto, StoredPhoto)
        .join(StoredPhoto, col(StoredPhoto.sha256) == col(TicketPhoto.sha256))
        .where(queries.of_ticket(TicketPhoto, ticket))
        .order_by(col(TicketPhoto.id))
    )
    return [(photo, row) for photo, row in session.execute(query)]


def _facts(row: StoredPhoto) -> dict[str, Any]:
    """What is known of a photo: what the phone said, what its file said, when it arrived."""
    return {
        "sha256": row.sha256,
        "bytes": row.bytes,
        "taken": row.taken,
        "exif": {"at": _at(row.captured_at), "lon": row.captured_lon, "lat": row.captured_lat},
        "stored_at": _at(row.stored_at),
    }


def _ticket(ticket: Ticket) -> dict[str, Any]:
    return {
        "code": ticket.code,
        "ticket_id": str(ticket.id),
        "category_code": ticket.category_code,
        "lon": ticket.lon,
        "lat": ticket.lat,
        "reported_lon": ticket.reported_lon,
        "reported_lat": ticket.reported_lat,
        "frame": ticket.frame,
        "accuracy_m": ticket.accuracy_m,
        "grid_code": ticket.grid_code,
        "captured_at": _at(ticket.captured_at),
        "reported_at": _at(ticket.reported_at),
    }


def _at(instant: datetime | None) -> str | None:
    return instant.astimezone(UTC).isoformat() if instant else None


def _json(value: Any) -> bytes:
    return json.dumps(json.loads(canonical_json(value)), ensure_ascii=False, indent=1).encode()
