"""Photos: the original kept restricted by its hash, and a clean copy that is served.

Files are written before the row that names them, so a crash leaves at most a file that `collect` removes.
"""

import hashlib
import logging
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, select
from sqlmodel import Session, col

from dispatch.record import queries
from dispatch.record.evidence import reuse
from dispatch.record.evidence.pictures import Prepared, prepare
from dispatch.record.evidence.shelves import Shelf
from dispatch.record.models import PhotoMark, StoredPhoto, Ticket, TicketPhoto
from grid.database import Database
from grid.errors import InputError, NotFound, Unavailable
from grid.permissions import Actor
from grid.settings import Settings

log = logging.getLogger(__name__)

GRACE = timedelta(days=1)
ORIGINAL, SERVED, THUMB = "original", "served", "thumb"
SERVED_TYPE = "image/jpeg"
JPEG_BEGINS, JPEG_ENDS = b"\xff\xd8", b"\xff\xd9"
PATH = re.compile(r"original/[0-9a-f]{2}/[0-9a-f]{64}|(served|thumb)/[0-9a-f]{2}/[0-9a-f]{64}\.jpg")


def store(
    database: Database,
    settings: Settings,
    data: bytes,
    actor: Actor | None,
    now: datetime,
    taken: dict[str, Any] | None = None,
) -> StoredPhoto:
    """Judge, clean and keep an upload; the same bytes are kept once. `taken` is what the phone says of the moment.

    Raises
    ------
    InputError
        It is not a photo that can be taken, with the reason.
    Unavailable
        There is no room, or the storage does not answer; the ticket itself can still be submitted.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    shelf = shelf_of(settings)
    with database.reading() as session:
        known = session.get(StoredPhoto, sha256)
    if known is not None and _is_whole(shelf, known):
        return known
    prepared = prepare(settings, data)
    _write(shelf, prepared)
    by = actor.account_id if actor else None
    return database.write(lambda session: _record(session, shelf, prepared, by, now, taken))


def shelf_of(settings: Settings) -> Shelf:
    """Where this deployment keeps its photos."""
    return Shelf(settings.photo_url or f"file://{settings.instance_path / 'photos'}")


def paths_of(sha256: str, served_sha256: str) -> dict[str, str]:
    """Where each kind of a photo's files lies; the small one is made later and may be missing."""
    return {
        ORIGINAL: f"{ORIGINAL}/{sha256[:2]}/{sha256}",
        SERVED: f"{SERVED}/{served_sha256[:2]}/{served_sha256}.jpg",
        THUMB: f"{THUMB}/{served_sha256[:2]}/{served_sha256}.jpg",
    }


def _write(shelf: Shelf, prepared: Prepared) -> None:
    paths = paths_of(prepared.sha256, prepared.served_sha256)
    shelf.write(paths[ORIGINAL], prepared.original)
    shelf.write(paths[SERVED], prepared.served)


def _is_whole(shelf: Shelf, photo: StoredPhoto) -> bool:
    paths = paths_of(photo.sha256, photo.served_sha256)
    return shelf.has(paths[ORIGINAL]) and shelf.has(paths[SERVED])


def _record(
    session: Session,
    shelf: Shelf,
    prepared: Prepared,
    by: UUID | None,
    now: datetime,
    taken: dict[str, Any] | None,
) -> StoredPhoto:
    photo = session.get(StoredPhoto, prepared.sha256)
    if photo is None:
        photo = StoredPhoto(
            sha256=prepared.sha256,
            served_sha256=prepared.served_sha256,
            bytes=len(prepared.original),
            width=prepared.width,
            height=prepared.height,
            media_type=prepared.media_type,
            stored_at=now,
            stored_by=by,
            captured_at=prepared.captured.at,
            captured_lon=prepared.captured.lon,
            captured_lat=prepared.captured.lat,
            taken=taken,
            picture_hash=prepared.picture_hash,
        )
        session.add(photo)
        session.flush()
        session.add_all(
            PhotoMark(mark=mark, sha256=photo.sha256) for mark in reuse.marks(prepared.picture_hash)
        )
    photo.thumb_at = None
    if not _is_whole(shelf, photo):  # collected between our writing and this transaction
        _write(shelf, prepared)
    return photo


def read_served(settings: Settings, photo: StoredPhoto, *, thumb: bool = False) -> bytes:
    """The clean copy (JPEG), checked against its hash; `thumb` for the small one, as soon as there is one."""
    shelf = shelf_of(settings)
    paths = paths_of(photo.sha256, photo.served_sha256)
    if thumb and photo.thumb_at is not None:
        with suppress(Unavailable):
            small = shelf.read(paths[THUMB])
            if small.startswith(JPEG_BEGINS) and small.endswith(JPEG_ENDS):
                return small
    return _checked(shelf.read(paths[SERVED]), photo.served_sha256)


def read_original(settings: Settings, photo: StoredPhoto) -> bytes:
    """The bytes as they were uploaded: evidence, for those who may see it, never for a page."""
    return _checked(
        shelf_of(settings).read(paths_of(photo.sha256, photo.served_sha256)[ORIGINAL]), photo.sha256
    )


def files_of(settings: Settings, photo: StoredPhoto) -> Iterator[tuple[str, bytes]]:
    """Each file of a photo with its path, checked: for backups and proofs."""
    shelf = shelf_of(settings)
    for kind, path in paths_of(photo.sha256, photo.served_sha256).items():
        if kind == THUMB and not shelf.has(path):
            continue
        data = shelf.read(path)
        if kind != THUMB:
            _checked(data, photo.sha256 if kind == ORIGINAL else photo.served_sha256)
        yield path, data


def put_back(settings: Settings, path: str, data: bytes) -> None:
    """Keep a file of a backup under the path that `files_of` gave it.

    Raises
    ------
    InputError
        The path is not one of a photo, or the content is not what its name promises.
    """
    kind, _, name = path.partition("/")
    if not PATH.fullmatch(path):
        raise InputError(f"备份中有不属于照片的文件 {path}")
    if kind != THUMB and hashlib.sha256(data).hexdigest() != name[3:67]:
        raise InputError(f"备份中的照片 {path} 已损坏")
    shelf_of(settings).write(path, data)


def _checked(data: bytes, sha256: str) -> bytes:
    if hashlib.sha256(data).hexdigest() != sha256:
        log.error("photo %s does not match its hash", sha256)
        raise Unavailable("照片文件已损坏,请联系管理员从备份恢复")
    return data


def of_ticket(session: Session, ticket: Ticket, sha256: str) -> StoredPhoto:
    """A photo that hangs on this ticket.

    Raises
    ------
    NotFound
        It does not, whether or not it exists elsewhere.
    """
    query = (
        select(StoredPhoto)
        .join(TicketPhoto, col(TicketPhoto.sha256) == col(StoredPhoto.sha256))
        .where(queries.of_ticket(TicketPhoto, ticket), col(StoredPhoto.sha256) == sha256)
    )
    found: StoredPhoto | None = session.execute(query.limit(1)).scalar_one_or_none()
    if found is None:
        raise NotFound("这件工单没有这张照片")
    return found


def collect(database: Database, settings: Settings, *, now: datetime, grace: timedelta = GRACE) -> int:
    """Delete photos no ticket refers to, and files no row names, once older than `grace`; the answer is how many."""
    shelf = shelf_of(settings)
    removed = database.write(lambda session: _forget_unreferenced(session, now - grace))
    for kind in (ORIGINAL, SERVED, THUMB):
        for path in shelf.older_than(kind, now - grace):
            removed += database.write(partial(_remove_unnamed, shelf, path))
    return removed


def _forget_unreferenced(session: Session, before: datetime) -> int:
    referred = exists().where(col(TicketPhoto.sha256) == col(StoredPhoto.sha256))
    query = select(StoredPhoto).where(col(StoredPhoto.stored_at) < before, ~referred).limit(500)
    for photo in (found := list(session.execute(query.with_for_update(skip_locked=True)).scalars())):
        session.execute(delete(PhotoMark).where(col(PhotoMark.sha256) == photo.sha256))
        session.delete(photo)
    session.flush()
    return len(found)


def _remove_unnamed(shelf: Shelf, path: str, session: Session) -> int:
    kind, _, name = path.split("/")[-3:]
    key = StoredPhoto.sha256 if kind == ORIGINAL else StoredPhoto.served_sha256
    named = session.execute(
        select(col(StoredPhoto.sha256)).where(col(key) == name.removesuffix(".jpg")).limit(1)
    )
    if named.first() is not None:
        return 0
    shelf.remove(path)
    return 1 if kind == ORIGINAL else 0
