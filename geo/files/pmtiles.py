"""Map pictures from one PMTiles file (version 3): found by a search in its directories, nothing unpacked beforehand.

Only raster tiles, as the pages draw no vectors from elsewhere. What a file claims is checked before it is followed.
"""

import gzip
import mmap
import struct
import zlib
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from geo.errors import GeoError

HEADER_BYTES = 127
KINDS = {2: "image/png", 3: "image/jpeg", 4: "image/webp", 5: "image/avif"}
PLAIN, GZIPPED = 1, 2
DEEPEST = 4
LARGEST_DIRECTORY = 16 * 1024 * 1024
LARGEST_ZOOM = 26


class BadTiles(GeoError):
    """The file is no PMTiles file that can be shown."""


@dataclass(frozen=True, slots=True)
class _Directory:
    """Parallel lists, sorted by the number of the first tile; a run of 0 leads to another directory."""

    ids: list[int]
    runs: list[int]
    lengths: list[int]
    offsets: list[int]


class Tiles:
    """An opened file."""

    def __init__(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise BadTiles(f"打不开底图文件 {path}:{error}") from error
        head = self._bytes[:HEADER_BYTES]
        if len(head) < HEADER_BYTES or head[:8] != b"PMTiles\x03":
            raise BadTiles(f"{path} 不是 PMTiles 第 3 版文件")
        self._root, self._root_bytes, _, _, self._leaves, _, self._data, _ = struct.unpack_from(
            "<8Q", head, 8
        )
        self._packing, tile_packing, kind, self.least_zoom, self.most_zoom = head[97:102]
        if kind not in KINDS or tile_packing > PLAIN or self._packing not in (PLAIN, GZIPPED):
            raise BadTiles(f"{path} 里不是图片瓦片:只能用 PNG、JPEG、WebP 的 PMTiles 文件")
        self.media_type = KINDS[kind]
        self._directory = lru_cache(maxsize=64)(self._read_directory)

    def tile(self, zoom: int, x: int, y: int) -> bytes | None:
        """The picture, or None where the file has none."""
        if not (0 <= zoom <= LARGEST_ZOOM and 0 <= x < 1 << zoom and 0 <= y < 1 << zoom):
            return None
        number, offset, length = number_of(zoom, x, y), self._root, self._root_bytes
        for _ in range(DEEPEST):
            found = self._directory(offset, length)
            at = bisect_right(found.ids, number) - 1
            if at < 0:
                return None
            if found.runs[at]:
                if number >= found.ids[at] + found.runs[at]:
                    return None
                return self._part(self._data + found.offsets[at], found.lengths[at])
            offset, length = self._leaves + found.offsets[at], found.lengths[at]
        return None

    def _part(self, offset: int, length: int) -> bytes:
        part = self._bytes[offset : offset + length]
        if len(part) != length:
            raise BadTiles("底图文件不完整,请重新下载")
        return part

    def _read_directory(self, offset: int, length: int) -> _Directory:
        body = self._part(offset, min(length, LARGEST_DIRECTORY))
        if self._packing == GZIPPED:
            try:
                body = gzip.decompress(body)
            except (OSError, EOFError, zlib.error) as error:
                raise BadTiles("底图文件的目录已损坏,请重新下载") from error
        values = _numbers(body)
        count = min(next(values, 0), len(body))
        ids, number = [], 0
        for _ in range(count):
            number += next(values, 0)
            ids.append(number)
        runs = [next(values, 0) for _ in range(count)]
        lengths = [next(values, 0) for _ in range(count)]
        offsets: list[int] = []
        for at in range(count):
            value = next(values, 0)
            offsets.append(offsets[-1] + lengths[at - 1] if value == 0 and at else value - 1)
        return _Directory(ids, runs, lengths, offsets)


def number_of(zoom: int, x: int, y: int) -> int:
    """The tile's place along the Hilbert curves of all zooms, one after the other."""
    number, side = ((1 << 2 * zoom) - 1) // 3, 1 << zoom >> 1
    while side:
        right, down = int(bool(x & side)), int(bool(y & side))
        number += side * side * ((3 * right) ^ down)
        if not down:
            if right:
                x, y = side - 1 - x, side - 1 - y
            x, y = y, x
        side >>= 1
    return number


def _numbers(body: bytes) -> Iterator[int]:
    """Variable-length whole numbers, seven bits a byte."""
    value = shift = 0
    for byte in body:
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            yield value
            value = shift = 0
