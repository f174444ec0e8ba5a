"""Small copies of photos, made after the upload by whoever works: until then pages show the photo itself."""

import logging
from datetime import datetime
from functools import partial

from sqlalchemy import select, update
from sqlmodel import Session, col

from dispatch.record.evidence import photos
from dispatch.record.evidence.pictures import small_copy
from dispatch.record.models import StoredPhoto
from grid.database import Database
from grid.errors import Unavailable
from grid.settings import Settings

log = logging.getLogger(__name__)

BATCH = 10


def make(database: Database, settings: Settings, now: datetime) -> int:
    """Make some of those that are missing; the answer is how many photos were seen to.

    Two processes may make the same one: both write the same bytes. A photo that is lost or damaged is passed over,
    a store that is away is asked again at the next look.
    """
    query = (
        select(StoredPhoto).where(col(StoredPhoto.thumb_at).is_(None)).order_by(col(StoredPhoto.stored_at))
    )
    with database.reading() as session:
        waiting = list(session.execute(query.limit(BATCH)).scalars())
    done = 0
    for photo in waiting:
        try:
            _make(settings, photo)
        except Unavailable as error:
            if error.details.get("cause"):
                log.warning("no thumbnails while the store of photos is away (%s)", error.details["cause"])
                break
            log.error("no thumbnail of photo %s: its file is lost or damaged", photo.sha256)
        except OSError as error:  # what the decoder says of bytes that match their hash and are no picture
            log.error("no thumbnail of photo %s (%s)", photo.sha256, type(error).__name__)
        database.write(partial(_note, photo.sha256, now))
        done += 1
    return done


def _make(settings: Settings, photo: StoredPhoto) -> None:
    path = photos.paths_of(photo.sha256, photo.served_sha256)[photos.THUMB]
    photos.shelf_of(settings).write(path, small_copy(photos.read_served(settings, photo)))


def _note(sha256: str, now: datetime, session: Session) -> None:
    seen_to = update(StoredPhoto).where(col(StoredPhoto.sha256) == sha256).values(thumb_at=now)
    session.execute(seen_to.execution_options(synchronize_session=False))
