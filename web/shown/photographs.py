"""Photos between browser and store: what was uploaded with a form, and the copy that is shown."""

from flask import Request, Response
from sqlmodel import Session

from dispatch.engine import jobs
from dispatch.record.evidence import photos
from dispatch.record.models import Ticket
from grid.errors import InputError
from web.forms import MAX_PHOTOS
from web.gate.access import current_actor
from web.service.context import database, now, settings


def uploaded(request: Request, name: str, *, anonymous: bool = False) -> tuple[str, ...]:
    """The hashes of all photos of a form: those kept from before and those that came with it, now stored.

    Raises
    ------
    InputError
        One of them is no photo, or there are too many.
    """
    files = [file for file in request.files.getlist(name) if file.filename]
    kept = request.form.getlist(f"kept_{name}")
    if len(files) + len(kept) > MAX_PHOTOS:
        raise InputError(f"照片最多 {MAX_PHOTOS} 张", {name: f"照片最多 {MAX_PHOTOS} 张"})
    by = None if anonymous else current_actor()
    fresh = [photos.store(database(), settings(), file.read(), by, now()).sha256 for file in files]
    if fresh:
        jobs.ask_for(settings(), "make_thumbnails")
    return tuple(dict.fromkeys([*kept, *fresh]))


def served(session: Session, ticket: Ticket, sha256: str, *, small: bool = False) -> Response:
    """A ticket's photo for the browser: the re-encoded copy, or its thumbnail, shut into itself."""
    photo = photos.of_ticket(session, ticket, sha256)
    response = Response(photos.read_served(settings(), photo, thumb=small), mimetype=photos.SERVED_TYPE)
    response.headers["Content-Disposition"] = f'inline; filename="{sha256[:12]}.jpg"'
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "private, no-store"
    return response
