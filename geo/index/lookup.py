"""Asking the cells: one point in plain Python, many at once with numpy."""

from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from geo.frames import checked_point
from geo.index.file import IndexFile

Ints = NDArray[np.int64]
Answer = TypeVar("Answer")
Found = TypeVar("Found", covariant=True)

_RECORD = Struct("<HHi")
_LINE = Struct("<iiii")
_BLOCK = 1 << 15


class PointFinder(Protocol[Found]):
    """A question about one WGS-84 position."""

    def __call__(self, *, lon: float, lat: float) -> Found: ...


def point_finder(file: IndexFile, decode: Callable[[int, bool, int, int], Answer]) -> PointFinder[Answer]:
    """A function of a WGS-84 position to whatever `decode(key, on_border, x, y)` makes of its key.

    Answers are kept by key, so `decode` runs once for each face met. Everything is a local name of the
    closure: this is the hot path.
    """
    header = file.header
    east, north = header["origin"]
    shift, columns, width, height = (header[n] for n in ("shift", "columns", "width", "height"))
    area_edges = header["area_edges"]
    mask = (1 << shift) - 1
    coarse, cells, face_key = file.view("coarse"), file.view("cells"), file.view("face_key")
    base_key, record_at = file.view("base_key"), file.view("record_at")
    records, lines = file.view("records").cast("B"), file.view("edge_line").cast("B")
    edge_key = file.view("edge_key")
    of_face: list[Any] = [None] * len(face_key)
    of_key: dict[int, Answer] = {}
    of_border: dict[int, Answer] = {}
    each_record, line_at = _RECORD.iter_unpack, _LINE.unpack_from

    def find(*, lon: float, lat: float) -> Answer:
        if not (-180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0):
            lon, lat = checked_point(lon=lon, lat=lat)
        x, y = round(lon * 1e7) - east, round(lat * 1e7) - north
        if x < 0 or y < 0 or x > width or y > height:
            return decode(0, False, x, y)
        packed = coarse[(y >> shift) * columns + (x >> shift)]
        bits = packed & 31
        value = cells[(packed >> 5) + ((y & mask) >> bits << shift - bits) + ((x & mask) >> bits)]
        if value >= 0:
            answer = of_face[value]
            if answer is None:
                answer = of_face[value] = decode(face_key[value], False, x, y)
            return answer  # type: ignore[no-any-return]
        key, on_border = base_key[~value], False
        row = y & ((1 << bits) - 1)
        for first, last, edge in each_record(records[record_at[~value] * 8 : record_at[-value] * 8]):
            if first <= row <= last:
                if edge < 0:
                    key ^= edge_key[~edge]
                    continue
                ax, ay, dx, dy = line_at(lines, edge * 16)
                cross = (x - ax) * dy - (y - ay) * dx
                if cross > 0:
                    key ^= edge_key[edge]
                elif cross == 0:
                    if dy:
                        key ^= edge_key[edge]
                        on_border = on_border or edge < area_edges
                    elif 0 <= x - ax <= dx:
                        on_border = on_border or edge < area_edges
        known = of_border if on_border else of_key
        found = known.get(key)
        if found is None:
            found = known[key] = decode(key, on_border, x, y)
        return found

    return find


@dataclass
class Keys:
    """Leaf number (from 1, 0 for none) and set of each point, and whether it is on the border of an area."""

    leaf: NDArray[np.int32]
    sets: NDArray[np.int32]
    on_border: NDArray[np.bool_]


class ManyFinder:
    """Leaf and set numbers of many lattice points. `resolve(set key, x, y)` numbers a set not met before."""

    def __init__(self, file: IndexFile, set_keys: Ints, resolve: Callable[[int, int, int], int]) -> None:
        header = file.header
        self.shift, self.columns = header["shift"], header["columns"]
        self.width, self.height = header["width"], header["height"]
        self.area_edges, self.leaf_bits = header["area_edges"], header["leaf_bits"]
        self.coarse, self.cells = file.array("coarse"), file.array("cells")
        self.base_key, self.record_at = file.array("base_key"), file.array("record_at")
        self.records, self.edge_key = file.array("records"), file.array("edge_key")
        self.edge_line = file.array("edge_line")
        self.set_keys, self.resolve = set_keys, resolve
        face_key = np.asarray(file.array("face_key"))
        self.face_leaf = (face_key & ((1 << self.leaf_bits) - 1)).astype(np.int32)
        self.face_set = np.searchsorted(set_keys, face_key >> self.leaf_bits).astype(np.int32)

    def find(self, x: Ints, y: Ints) -> Keys:
        found = Keys(np.zeros(len(x), np.int32), np.zeros(len(x), np.int32), np.zeros(len(x), np.bool_))
        for start in range(0, len(x), _BLOCK):
            part = slice(start, start + _BLOCK)
            self._block(x[part], y[part], found.leaf[part], found.sets[part], found.on_border[part])
        return found

    def _block(
        self, x: Ints, y: Ints, leaf: NDArray[np.int32], sets: NDArray[np.int32], on_border: NDArray[np.bool_]
    ) -> None:
        beyond = (x < 0) | (y < 0) | (x > self.width) | (y > self.height)
        if beyond.any():
            x, y = np.where(beyond, 0, x), np.where(beyond, 0, y)
        mask = (1 << self.shift) - 1
        packed = self.coarse.take((y >> self.shift) * self.columns + (x >> self.shift))
        bits = packed & 31
        inner = ((y & mask) >> bits << self.shift - bits) + ((x & mask) >> bits)
        value = self.cells.take((packed >> 5) + inner)
        self.face_leaf.take(value, out=leaf, mode="clip")
        self.face_set.take(value, out=sets, mode="clip")
        border = np.flatnonzero(value < 0)
        if len(border):
            at = ~value.take(border)
            key, touched = self._boundary(x.take(border), y.take(border), at, bits.take(border))
            leaf[border] = key & ((1 << self.leaf_bits) - 1)
            sets[border] = self._set_numbers(key >> self.leaf_bits, x, y, border)
            on_border[border] = touched
        if beyond.any():
            leaf[beyond], sets[beyond], on_border[beyond] = 0, self._number_of(0), False

    def _boundary(
        self, x: Ints, y: Ints, at: NDArray[np.int32], bits: Ints
    ) -> tuple[Ints, NDArray[np.bool_]]:
        """XOR the keys of the records that hold for each point into its cell's key."""
        start = self.record_at.take(at).astype(np.int64)
        count = self.record_at.take(at + 1) - start
        ends = np.cumsum(count)
        begins = ends - count
        point = np.repeat(np.arange(len(x), dtype=np.int32), count)
        record = self.records.take(np.arange(ends[-1]) + np.repeat(start - begins, count))
        row = (y & (np.left_shift(1, bits) - 1)).astype(np.uint64).take(point)
        hit = np.flatnonzero(
            (row >= (record & np.uint64(0xFFFF))) & (row <= (record >> np.uint64(16) & np.uint64(0xFFFF)))
        )
        point = point.take(hit)
        edge = (record.take(hit) >> np.uint64(32)).astype(np.uint32).view(np.int32)
        virtual = edge < 0
        real = np.flatnonzero(~virtual)
        named = np.where(virtual, ~edge, edge)
        ax, ay, dx, dy = self.edge_line.take(named.take(real), axis=0).astype(np.int64).T
        px = x.take(point.take(real))
        cross = (px - ax) * dy - (y.take(point.take(real)) - ay) * dx
        counts = virtual.copy()
        counts[real] = (cross >= 0) & (dy > 0)
        flips = np.zeros(ends[-1], dtype=np.int64)
        flips[hit[counts]] = self.edge_key.take(named[counts])
        key: Ints = np.bitwise_xor(self.base_key.take(at), np.bitwise_xor.reduceat(flips, begins))
        touching = (
            (cross == 0) & ((dy > 0) | ((px >= ax) & (px - ax <= dx))) & (named.take(real) < self.area_edges)
        )
        touched = np.zeros(len(x), dtype=bool)
        touched[point.take(real)[touching]] = True
        return key, touched

    def _set_numbers(self, high: Ints, x: Ints, y: Ints, border: Ints) -> NDArray[Any]:
        numbers = np.full(len(high), self._number_of(0), dtype=np.int64)
        some = np.flatnonzero(high)
        wanted = high.take(some)
        place = np.minimum(np.searchsorted(self.set_keys, wanted), len(self.set_keys) - 1)
        strange = np.flatnonzero(self.set_keys.take(place) != wanted)
        for i in strange.tolist():
            j = int(border[some[i]])
            place[i] = self.resolve(int(wanted[i]), int(x[j]), int(y[j]))
        numbers[some] = place
        return numbers

    def _number_of(self, key: int) -> int:
        return int(np.searchsorted(self.set_keys, key))
