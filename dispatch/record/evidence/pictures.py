"""Judges an upload and makes the clean copies of it, keeping nothing.

Nothing of it is trusted: size and pixels are limited before anything is decoded, only known formats are opened,
and what will be served is encoded anew, without metadata. Time and place are read before they are stripped.
"""

import hashlib
import io
import logging
import threading
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from grid.errors import InputError
from grid.settings import Settings

try:  # an extra: phones that keep HEIC
    from pillow_heif import register_heif_opener

    register_heif_opener()
    FORMATS = ["JPEG", "PNG", "WEBP", "HEIF"]
except ImportError:
    FORMATS = ["JPEG", "PNG", "WEBP"]

log = logging.getLogger(__name__)

MAX_PIXELS = 50_000_000
# What is decoded whole: all but baseline JPEG, which is decoded at a fraction of its size.
MAX_WHOLE_PIXELS = 25_000_000
MAX_SIDE = 20_000
SERVED_SIDE, THUMB_SIDE = 1600, 480
SERVED_QUALITY, THUMB_QUALITY = 82, 75
FIELD = "photos"
MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "HEIF": "image/heic"}

# Pillow refuses by itself above twice this; below, it only warns, and `_check_size` judges.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
# Decoded pictures are large: no more than two at a time in one process.
_decoding = threading.BoundedSemaphore(2)


@dataclass(frozen=True, slots=True)
class Captured:
    """What the camera wrote down: when and where; each may be missing."""

    at: datetime | None = None
    lon: float | None = None
    lat: float | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """An upload that has been judged, with the copies to be served."""

    sha256: str
    original: bytes
    served: bytes
    width: int
    height: int
    media_type: str
    captured: Captured
    picture_hash: str

    @property
    def served_sha256(self) -> str:
        return hashlib.sha256(self.served).hexdigest()


def prepare(settings: Settings, data: bytes) -> Prepared:
    """Everything that can be said and made of an upload without keeping anything."""
    if not data:
        raise _refused("照片是空的,请重新拍照")
    if len(data) > settings.max_photo_bytes:
        limit_mb = settings.max_photo_bytes / 1024 / 1024
        raise _refused(
            f"照片有 {len(data) / 1024 / 1024:.1f} MB,超过 {limit_mb:.0f} MB 的上限,请调低拍照分辨率"
        )
    with _decoding:
        try:
            return _decoded(data, settings)
        except InputError:
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise _too_many_pixels() from error
        except UnidentifiedImageError as error:
            raise _refused("这不是能识别的照片(支持 JPEG、PNG、WebP),请重新拍照") from error
        except Exception as error:  # whatever a hostile file makes a decoder raise
            log.info("upload refused: %s", type(error).__name__)
            raise _refused("照片已损坏或不完整,请重新拍照或重新选择") from error


def _decoded(data: bytes, settings: Settings) -> Prepared:
    image: Image.Image = Image.open(io.BytesIO(data), formats=FORMATS)
    _check_size(image)
    kind, (width, height) = str(image.format), image.size
    captured = _captured(image, settings)
    image.draft("RGB", (SERVED_SIDE, SERVED_SIDE))
    image.load()
    upright = ImageOps.exif_transpose(image)
    if upright.size != image.size:
        width, height = height, width
    clean = _flattened(upright)
    clean.thumbnail((SERVED_SIDE, SERVED_SIDE), Image.Resampling.LANCZOS)
    served = _encoded(clean, SERVED_QUALITY)
    return Prepared(
        sha256=hashlib.sha256(data).hexdigest(),
        original=data,
        served=served,
        width=width,
        height=height,
        media_type=MEDIA_TYPES[kind],
        captured=captured,
        picture_hash=_hashed(clean),
    )


def small_copy(served: bytes) -> bytes:
    """The thumbnail of a copy that `prepare` made."""
    image: Image.Image = Image.open(io.BytesIO(served), formats=("JPEG",))
    image.draft("RGB", (THUMB_SIDE, THUMB_SIDE))
    image.thumbnail((THUMB_SIDE, THUMB_SIDE), Image.Resampling.LANCZOS)
    return _encoded(image, THUMB_QUALITY)


def _hashed(image: Image.Image) -> str:
    """64 bits of which neighbour is brighter: nearly the same for the same picture scaled or compressed anew."""
    side = 8
    grey = image.convert("L").resize((side + 1, side), Image.Resampling.LANCZOS).tobytes()
    rows = (grey[start : start + side + 1] for start in range(0, len(grey), side + 1))
    bits = "".join("1" if left > right else "0" for row in rows for left, right in pairwise(row))
    return f"{int(bits, 2):016x}"


def _check_size(image: Image.Image) -> None:
    """By what the header says, before anything is decoded."""
    width, height = image.size
    whole = image.format != "JPEG" or bool(image.info.get("progressive"))
    if width * height > (MAX_WHOLE_PIXELS if whole else MAX_PIXELS) or max(width, height) > MAX_SIDE:
        raise _too_many_pixels()


def _too_many_pixels() -> InputError:
    return _refused(f"照片像素过多(上限 {MAX_PIXELS // 1_000_000} 百万像素),请调低拍照分辨率")


def _refused(sentence: str) -> InputError:
    return InputError(sentence, {FIELD: sentence})


def _flattened(image: Image.Image) -> Image.Image:
    """The pixels alone, on white where they were transparent: a new image, so that nothing rides along."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        clean = Image.new("RGB", image.size, "white")
        clean.paste(image, mask=image.getchannel("A"))
        return clean
    clean = Image.new("RGB", image.size)
    clean.paste(image.convert("RGB"))
    return clean


def _encoded(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, optimize=True)
    return out.getvalue()


def _captured(image: Image.Image, settings: Settings) -> Captured:
    """Time and place from EXIF; a camera that wrote nonsense has written nothing."""
    try:
        exif = image.getexif()
        details = exif.get_ifd(ExifTags.IFD.Exif)
        lon, lat = _position(exif.get_ifd(ExifTags.IFD.GPSInfo))
        return Captured(_taken_at(dict(details), settings), lon, lat)
    except Exception as error:  # whatever a hostile header makes the parser raise
        log.info("EXIF not readable: %s", type(error).__name__)
        return Captured()


def _taken_at(details: dict[int, Any], settings: Settings) -> datetime | None:
    text = details.get(ExifTags.Base.DateTimeOriginal)
    if not isinstance(text, str):
        return None
    offset = str(details.get(ExifTags.Base.OffsetTimeOriginal) or "").strip("\0 ")
    try:
        if offset:
            return datetime.strptime(text.strip("\0 ") + offset, "%Y:%m:%d %H:%M:%S%z").astimezone(UTC)
        local = datetime.strptime(text.strip("\0 "), "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007
        return local.replace(tzinfo=settings.zone).astimezone(UTC)
    except ValueError:
        return None


def _position(gps: dict[int, Any]) -> tuple[float | None, float | None]:
    try:
        lat = _degrees(gps[ExifTags.GPS.GPSLatitude], negative=gps.get(ExifTags.GPS.GPSLatitudeRef) == "S")
        lon = _degrees(gps[ExifTags.GPS.GPSLongitude], negative=gps.get(ExifTags.GPS.GPSLongitudeRef) == "W")
    except (KeyError, ValueError, TypeError, ArithmeticError):
        return None, None
    if not (-180 <= lon <= 180 and -90 <= lat <= 90) or (lon == 0 and lat == 0):
        return None, None
    return lon, lat


def _degrees(parts: Any, *, negative: bool) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    value = degrees + minutes / 60 + seconds / 3600
    return -value if negative else value
