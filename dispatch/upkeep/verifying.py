"""Proves what is kept: every chain of history, every text it promises, every photo by its hash."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, tuple_
from sqlmodel import Session, SQLModel, col

from dispatch.record import chain
from dispatch.record.evidence import photos
from dispatch.record.models import Statement, StoredPhoto, Ticket, TicketEvent
from dispatch.upkeep import anchors
from grid.auditing import record_change
from grid.database import Database
from grid.errors import Unavailable
from grid.settings import Settings

PAGE = 500
CHAIN, VERIFIED = "chain", "verified"

Key = tuple[str, UUID]


@dataclass
class Proof:
    """What was looked at, and each thing that does not hold, in words."""

    tickets: int = 0
    events: int = 0
    photos: int = 0
    anchored: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.wrong

    def summary(self) -> str:
        """One sentence for people."""
        looked = (
            f"工单 {self.tickets} 件、历史 {self.events} 条、照片 {self.photos} 张、锚点 {self.anchored} 条"
        )
        return f"已核对{looked}:全部相符" if self.holds else f"已核对{looked}:{len(self.wrong)} 处不符"


def verify(
    database: Database, settings: Settings, *, with_photos: bool = True, anchor_folder: Path | None = None
) -> Proof:
    """Look at everything, page by page; nothing is changed and no lock is held."""
    proof = Proof()
    for page in _pages(database):
        _verify_page(database, page, proof)
    if with_photos:
        _verify_photos(database, settings, proof)
    _verify_anchors(database, anchor_folder or anchors.folder_of(settings), proof)
    return proof


def record(database: Database, proof: Proof, now: datetime) -> None:
    """Keep in the audit when the record was last proved, for the operator's page."""
    after = {
        "tickets": proof.tickets,
        "events": proof.events,
        "wrong": len(proof.wrong),
        "first": proof.wrong[:3],
    }
    database.write(lambda s: record_change(s, None, CHAIN, "all", VERIFIED, after=after, now=now))


def counts(session: Session) -> dict[str, int]:
    """How many rows each table has."""
    return {
        name: session.execute(select(func.count()).select_from(table)).scalar_one()
        for name, table in sorted(SQLModel.metadata.tables.items())
    }


def _pages(database: Database) -> Iterator[list[tuple[Key, str, int]]]:
    """Every ticket's key, code and version, in the order of the key."""
    last: Key | None = None
    key = tuple_(col(Ticket.intake_district), col(Ticket.id))
    while True:
        query = select(col(Ticket.intake_district), col(Ticket.id), col(Ticket.code), col(Ticket.version))
        if last is not None:
            query = query.where(key > tuple_(*last))
        with database.reading() as session:
            found = session.execute(
                query.order_by(col(Ticket.intake_district), col(Ticket.id)).limit(PAGE)
            ).all()
        if not found:
            return
        yield [((district, id_), code, version) for district, id_, code, version in found]
        last = (found[-1][0], found[-1][1])


def _verify_page(database: Database, page: Sequence[tuple[Key, str, int]], proof: Proof) -> None:
    keys = [key for key, _, _ in page]
    with database.reading() as session:
        events = _by_ticket(session, TicketEvent, keys, "seq")
        statements = _by_ticket(session, Statement, keys, "id")
    for key, code, _ in page:
        lines = events.get(key, [])
        proof.tickets += 1
        proof.events += len(lines)
        if not lines:
            proof.wrong.append(f"工单 {code}:没有任何历史记录")
        for found in chain.breaks(lines, statements.get(key, [])):  # type: ignore[arg-type]
            proof.wrong.append(f"工单 {code}:第 {found.seq} 条,{found.what}")


def _by_ticket(
    session: Session, table: type[TicketEvent] | type[Statement], keys: list[Key], order: str
) -> dict[Key, list[Row[Any]]]:
    """Plain rows, which have the same attributes as the objects and are read far faster."""
    columns = SQLModel.metadata.tables[str(table.__tablename__)].c
    query = select(*columns).where(tuple_(columns.intake_district, columns.ticket_id).in_(keys))
    found: dict[Key, list[Row[Any]]] = defaultdict(list)
    for row in session.execute(query.order_by(columns[order])):
        found[(row.intake_district, row.ticket_id)].append(row)
    return found


def _verify_photos(database: Database, settings: Settings, proof: Proof) -> None:
    with database.reading() as session:
        stored = list(photos_in(session))
    for photo in stored:
        proof.photos += 1
        try:
            for _ in photos.files_of(settings, photo):
                pass
        except Unavailable as error:
            proof.wrong.append(f"照片 {photo.sha256[:12]}…:{error.message}")


def photos_in(session: Session) -> Iterator[StoredPhoto]:
    """Every stored photo's row."""
    last = ""
    while True:
        query = select(StoredPhoto).where(col(StoredPhoto.sha256) > last).order_by(col(StoredPhoto.sha256))
        page = list(session.execute(query.limit(PAGE)).scalars())
        if not page:
            return
        yield from page
        last = page[-1].sha256


def _verify_anchors(database: Database, folder: Path, proof: Proof) -> None:
    """What was anchored must still be there: a cut-off end or an older copy of the database shows here alone."""
    proof.wrong += anchors.breaks(folder)
    for heads in anchors.read(folder):
        proof.anchored += len(heads)
        with database.reading() as session:
            event = SQLModel.metadata.tables["ticket_event"].c
            where = tuple_(event.ticket_id, event.seq).in_([(head.ticket_id, head.seq) for head in heads])
            kept = {
                (row.ticket_id, row.seq): row.hash
                for row in session.execute(select(event.ticket_id, event.seq, event.hash).where(where))
            }
        for head in heads:
            found = kept.get((head.ticket_id, head.seq))
            if found != head.hash:
                what = "已不存在" if found is None else "已被改写"
                proof.wrong.append(f"工单 {head.ticket_id}:曾锚定的第 {head.seq} 条历史{what}")
