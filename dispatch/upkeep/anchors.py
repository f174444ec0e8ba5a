"""Anchors: the ends of the chains, written to files outside the database.

A chain alone cannot show that its end was cut off, nor that the whole database was replaced by an older copy.
Copy the folder to a medium that cannot be rewritten; the first line of each file carries the hash of the file before.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, select, tuple_
from sqlmodel import Session, col

from dispatch.record.models import TicketEvent
from grid.settings import Settings

BATCH = 400
# Events are stamped before they are committed: look back further than any transaction lasts.
OVERLAP = timedelta(hours=1)
BEFORE = "before"


@dataclass(frozen=True, slots=True)
class Head:
    """The last line of one ticket's history when it was anchored."""

    ticket_id: UUID
    seq: int
    hash: str


def folder_of(settings: Settings) -> Path:
    return settings.instance_path / "anchors"


def write(session: Session, folder: Path, now: datetime) -> int:
    """Anchor every chain that grew since the last time; the answer is how many. Twice does no harm."""
    files = _files(folder)
    since = datetime.strptime(f"{files[-1].stem}+0000", "%Y%m%dT%H%M%S%fZ%z") - OVERLAP if files else None
    heads = _heads(session, since)
    if not heads:
        return 0
    lines = [f"{BEFORE} {_digest(files[-1]) if files else '-'}"]
    lines += [f"{head.ticket_id} {head.seq} {head.hash}" for head in heads]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{now:%Y%m%dT%H%M%S%f}Z.heads"
    aside = path.with_suffix(f".{os.getpid()}")
    with aside.open("w") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        os.fsync(file.fileno())
    aside.chmod(0o400)
    aside.rename(path)
    return len(heads)


def read(folder: Path) -> Iterator[list[Head]]:
    """Every anchored end, some at a time."""
    for path in _files(folder):
        with path.open() as file:
            next(file, None)
            while lines := list(islice(file, BATCH)):
                yield [Head(UUID(parts[0]), int(parts[1]), parts[2]) for parts in map(str.split, lines)]


def breaks(folder: Path) -> list[str]:
    """Anchor files that were changed or taken away."""
    found, before = [], "-"
    for path in _files(folder):
        with path.open() as file:
            if file.readline().split() != [BEFORE, before]:
                found.append(f"锚点文件 {path.name}:前一个文件被改写或缺失")
        before = _digest(path)
    return found


def last_at(folder: Path) -> str | None:
    """When anchors were last written, as the file says it."""
    files = _files(folder)
    return files[-1].stem if files else None


def _heads(session: Session, since: datetime | None) -> list[Head]:
    key = (col(TicketEvent.intake_district), col(TicketEvent.ticket_id))
    grown = select(*key, func.max(col(TicketEvent.seq)).label("seq")).group_by(*key)
    if since is not None:
        grown = grown.where(col(TicketEvent.at) >= since)
    last = grown.subquery()
    query = select(col(TicketEvent.ticket_id), col(TicketEvent.seq), col(TicketEvent.hash)).join(
        last,
        tuple_(*key, col(TicketEvent.seq)) == tuple_(last.c.intake_district, last.c.ticket_id, last.c.seq),
    )
    return [Head(*row) for row in session.execute(query)]


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.heads"))


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
