"""Photos for tests, made on the spot: honest ones and hostile ones."""

import io
import struct
import zlib
from typing import Any

from PIL import Image


def picture(
    seed: int = 0, *, size: tuple[int, int] = (320, 240), form: str = "JPEG", **more: object
) -> bytes:
    """A small photo; another seed makes another one."""
    image = Image.new("RGB", size, ((seed * 37) % 256, (seed * 91) % 256, 120))
    out = io.BytesIO()
    image.save(out, form, **more)
    return out.getvalue()


def with_position(seed: int = 0, **more: Any) -> bytes:
    """A photo whose EXIF says where and when it was taken, and a comment."""
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2026:03:02 09:58:00"
    gps = exif.get_ifd(0x8825)
    gps.update({1: "N", 2: (39.0, 54.0, 18.0), 3: "E", 4: (116.0, 24.0, 18.0)})
    return picture(seed, exif=exif, comment=b"secret words", **more)


def bomb(side: int = 20_000) -> bytes:
    """A PNG of a few hundred bytes that claims to be very large."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )
