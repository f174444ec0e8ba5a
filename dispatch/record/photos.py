"""Photos by content hash: the original as it came, restricted, and a re-encoded copy that alone is served.

Bytes are written before the row, the row before any ticket that shows it: a crash in between leaves a file
that nobody points to, never a ticket without its photo. The same bytes sent twice are one photo.
"""

import hashlib
import io
import uuid
import warnings
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import fsspec
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError
from sqlalchemy import select
from sqlmodel import Session, col

from dispatch.record import queries
from dispatch.record.models import StoredPhoto, Ticket, TicketPhoto
from grid.database import Database
from grid.errors import InputError, NotFound
from grid.permissions import Actor
from grid.settings import Settings

FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
MAX_PIXELS = 50_000_000
LONGEST_SIDE = 1600
SERVED_TYPE = "image/jpeg"
QUALITY = 82
NOT_A_PHOTO = "这个文件不是能识别的照片,请上传 JPEG、PNG 或 WebP 照片"


@dataclass(frozen=True, slots=True)
class Copied:
    """What a photo becomes for being served, and what the original says of itself."""

    served: bytes
    width: int
    height: int
    media_type: str
    captured_at: datetime | None
    captured_lon: float | None
    captured_lat: float | None


def store(
    database: Database, settings: Settings, data: bytes, actor: Actor | None, now: datetime
) -> StoredPhoto:
    """Keep a photo and return its row; the same bytes again return the row there is.

    Raises
    ------
    InputError
        It is too large or no photo; nothing was kept.
    """
    if len(data) > settings.max_photo_bytes:
        _refuse(f"照片超过 {settings.max_photo_bytes // 1024 // 1024} MB,请缩小后再上传")
    sha256 = hashlib.sha256(data).hexdigest()
    with database.reading() as session:
        known = session.get(StoredPhoto, sha256)
    if known is not None:
        return known
    copied = copy_of(data, settings)
    served_sha256 = hashlib.sha256(copied.served).hexdigest()
    _write(settings, "originals", sha256, data)
    _write(settings, "served", served_sha256, copied.served)

    def keep(session: Session) -> StoredPhoto:
        row = session.get(StoredPhoto, sha256)
        if row is None:
            row = StoredPhoto(
                sha256=sha256,
                served_sha256=served_sha256,
                bytes=len(data),
                width=copied.width,
                height=copied.height,
                media_type=copied.media_type,
                stored_at=now,
                stored_by=actor.account_id if actor else None,
                captured_at=copied.captured_at,
                captured_lon=copied.captured_lon,
                captured_lat=copied.captured_lat,
            )
            session.add(row)
            session.flush()
        return row

    return database.write(keep)


def copy_of(data: bytes, settings: Settings) -> Copied:
    """Decode, turn upright, shrink and encode anew, so that nothing but the picture is left."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(io.BytesIO(data), formats=list(FORMATS)) as image:
                if image.width * image.height > MAX_PIXELS:
                    _refuse("照片的像素过多(超过 5000 万),请用手机相机直接拍摄后上传")
                exif = image.getexif()
                media_type = FORMATS[image.format or ""]
                width, height = image.size
                image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
                upright = ImageOps.exif_transpose(image).convert("RGB")
    except InputError:
        raise
    except (
        UnidentifiedImageError,
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        Warning,
        Image.DecompressionBombError,
    ):
        _refuse(NOT_A_PHOTO)
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    clean = Image.new("RGB", upright.size)
    clean.paste(upright)
    out = io.BytesIO()
    clean.save(out, "JPEG", quality=QUALITY, optimize=True)
    lon, lat = _position(exif)
    return Copied(out.getvalue(), width, height, media_type, _taken_at(exif, settings), lon, lat)


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
        .limit(1)
    )
    found: StoredPhoto | None = session.execute(query).scalar_one_or_none()
    if found is None:
        raise NotFound("这件工单没有这张照片")
    return found


def read_served(settings: Settings, photo: StoredPhoto) -> bytes:
    """The bytes of the copy that may be shown."""
    filesystem, root = _storage(settings)
    path = _path(root, "served", photo.served_sha256)
    if not filesystem.exists(path):
        raise NotFound("照片文件不在存储中,请联系系统管理员")
    data: bytes = filesystem.cat_file(path)
    return data


def _write(settings: Settings, kind: str, sha256: str, data: bytes) -> None:
    """Write under another name first: a half-written file never bears a photo's name."""
    filesystem, root = _storage(settings)
    path = _path(root, kind, sha256)
    if filesystem.exists(path):
        return
    filesystem.makedirs(path.rpartition("/")[0], exist_ok=True)
    unfinished = f"{path}.{uuid.uuid4().hex}"
    filesystem.pipe_file(unfinished, data)
    filesystem.mv(unfinished, path)


def _storage(settings: Settings) -> tuple[Any, str]:
    filesystem, root = fsspec.core.url_to_fs(
        settings.photo_url or f"file://{settings.instance_path / 'photos'}"
    )
    return filesystem, str(root)


def _path(root: str, kind: str, sha256: str) -> str:
    return f"{root}/{kind}/{sha256[:2]}/{sha256}"


def _refuse(sentence: str) -> None:
    raise InputError(sentence, {"photos": sentence})


def _taken_at(exif: Image.Exif, settings: Settings) -> datetime | None:
    text = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal)
    try:
        return datetime.strptime(str(text).strip("\x00 "), "%Y:%m:%d %H:%M:%S").replace(tzinfo=settings.zone)
    except ValueError:
        return None


def _position(exif: Image.Exif) -> tuple[float | None, float | None]:
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    lon = _degrees(gps.get(ExifTags.GPS.GPSLongitude), gps.get(ExifTags.GPS.GPSLongitudeRef), "W")
    lat = _degrees(gps.get(ExifTags.GPS.GPSLatitude), gps.get(ExifTags.GPS.GPSLatitudeRef), "S")
    return (lon, lat) if lon is not None and lat is not None else (None, None)


def _degrees(parts: Any, side: object, negative: str) -> float | None:
    try:
        degrees, minutes, seconds = (float(part) for part in parts)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    value = degrees + minutes / 60 + seconds / 3600
    return (-value if side == negative else value) if abs(value) <= 180 else None
