"""Photos that were shown before on another matter, found by how they look rather than by their bytes.

A picture hash has 64 bits. Two of them that differ in no more than three share at least one quarter (pigeonhole),
so that the quarters, kept as marks, find every likely pair without comparing all.
"""

from dataclasses import dataclass

from sqlalchemy import and_, select
from sqlmodel import Session, col

from dispatch.record.models import PhotoMark, StoredPhoto, Ticket, TicketPhoto

QUARTERS = 4
MOST_BITS = QUARTERS - 1
# A wall, a sky, the dark: pictures that say too little to be told apart.
LEAST_EDGES = 6
MOST_FOUND = 5


@dataclass(frozen=True, slots=True)
class Reused:
    """A photo of this ticket that looks like one of another ticket."""

    sha256: str
    other_code: str
    other_sha256: str


def marks(picture_hash: str) -> list[str]:
    """The quarters of a hash, each with its place; none where the picture says too little."""
    bits = int(picture_hash, 16).bit_count()
    if not LEAST_EDGES <= bits <= 64 - LEAST_EDGES:
        return []
    width = len(picture_hash) // QUARTERS
    return [f"{part}:{picture_hash[part * width : (part + 1) * width]}" for part in range(QUARTERS)]


def apart(one: str, other: str) -> int:
    """In how many bits two hashes differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def reused(session: Session, ticket: Ticket) -> list[Reused]:
    """Photos of this ticket that another ticket has shown as well."""
    own = select(col(StoredPhoto.sha256), col(StoredPhoto.picture_hash)).join(
        TicketPhoto, col(TicketPhoto.sha256) == col(StoredPhoto.sha256)
    )
    own = own.where(
        col(TicketPhoto.intake_district) == ticket.intake_district, col(TicketPhoto.ticket_id) == ticket.id
    )
    found: dict[tuple[str, str], Reused] = {}
    for sha256, picture_hash in session.execute(own):
        for other_code, other_sha256 in _alike(session, ticket, picture_hash):
            found.setdefault((sha256, other_code), Reused(sha256, other_code, other_sha256))
    return list(found.values())[:MOST_FOUND]


def _alike(session: Session, ticket: Ticket, picture_hash: str | None) -> list[tuple[str, str]]:
    wanted = marks(picture_hash) if picture_hash else []
    if not wanted or picture_hash is None:
        return []
    query = (
        select(col(Ticket.code), col(StoredPhoto.sha256), col(StoredPhoto.picture_hash))
        .distinct()
        .join(
            TicketPhoto,
            and_(
                col(TicketPhoto.intake_district) == col(Ticket.intake_district),
                col(TicketPhoto.ticket_id) == col(Ticket.id),
            ),
        )
        .join(StoredPhoto, col(StoredPhoto.sha256) == col(TicketPhoto.sha256))
        .join(PhotoMark, col(PhotoMark.sha256) == col(StoredPhoto.sha256))
        .where(col(PhotoMark.mark).in_(wanted), col(Ticket.id) != ticket.id)
        .order_by(col(Ticket.code))
        .limit(200)
    )
    return [
        (code, sha256)
        for code, sha256, other in session.execute(query)
        if other and apart(picture_hash, other) <= MOST_BITS
    ]
