"""How well things are kept, as values: last backup, last proof, anchors, room on the disks."""

import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from sqlmodel import Session, col, select

from dispatch.upkeep import anchors
from dispatch.upkeep.backup import BACKUP
from dispatch.upkeep.verifying import CHAIN
from grid.database import wal_is_safe
from grid.models import StandingChange
from grid.settings import Settings


@dataclass(frozen=True, slots=True)
class Keeping:
    """None means never, or not known."""

    backed_up_at: datetime | None
    photos_missing: int
    verified_at: datetime | None
    wrong: int
    anchored_at: datetime | None
    free_bytes: dict[str, int]
    wal_is_safe: bool


def keeping(session: Session, settings: Settings) -> Keeping:
    """One look, cheap enough for every scrape."""
    backup, proof = _last(session, BACKUP), _last(session, CHAIN)
    anchored = anchors.last_at(anchors.folder_of(settings))
    return Keeping(
        backed_up_at=backup.at if backup else None,
        photos_missing=_figure(backup, "missing"),
        verified_at=proof.at if proof else None,
        wrong=_figure(proof, "wrong"),
        anchored_at=datetime.strptime(anchored, "%Y%m%dT%H%M%S%fZ").replace(tzinfo=UTC) if anchored else None,
        free_bytes=free_bytes(settings),
        wal_is_safe=wal_is_safe(),
    )


def free_bytes(settings: Settings) -> dict[str, int]:
    """Room left where we write; a photo store that is no folder has none to tell."""
    folders = {"instance": str(settings.instance_path)}
    photos = urlsplit(settings.photo_url)
    if photos.scheme == "file":
        folders["photos"] = photos.path
    found = {}
    for name, path in folders.items():
        try:
            found[name] = shutil.disk_usage(path).free
        except OSError:
            continue
    return found


def _last(session: Session, thing: str) -> StandingChange | None:
    query = select(StandingChange).where(col(StandingChange.thing) == thing)
    return session.exec(query.order_by(col(StandingChange.at).desc()).limit(1)).first()


def _figure(row: StandingChange | None, name: str) -> int:
    return int(json.loads(row.after).get(name, 0)) if row is not None and row.after else 0
