"""The cells: a coarse grid, each coarse cell split by how many edges it holds.

Every cell knows the key of the point just west of its lower left corner. A cell no border touches answers with
that; any other carries records `first row, last row, edge` whose keys are XORed in for the points they are west
of. Rows are clipped to the cell exactly, in whole numbers. See `docs/geo.md`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.index.cutting import Cut, crossing, expanded, reach
from geo.index.edges import Edges

Ints = NDArray[np.int64]

COARSE_CELLS = 512
EDGES_PER_CELL = 0.25
_HIGHEST_CELL_BITS = 16
_FINEST_SPLIT = 9
_AT_ONCE = 1_500_000


@dataclass
class Cells:
    """`coarse` packs where the cells of a coarse cell begin and how many bits high they are.

    `set_at` is a lattice point for every set of overlapping polygons met (the bits above `leaf_bits`).
    `cells` holds a face number, or ~b for boundary cell b with `base_key[b]` and the records from
    `record_at[b]` to `record_at[b + 1]`.
    """

    shift: int
    columns: int
    rows: int
    coarse: Ints
    cells: NDArray[np.int32]
    face_key: Ints
    set_at: dict[int, tuple[int, int]]
    base_key: Ints
    record_at: NDArray[np.int32]
    records: NDArray[np.uint64]


def build_cells(
    edges: Edges, *, width: int, height: int, leaf_bits: int = 0, edges_per_cell: float = EDGES_PER_CELL
) -> Cells:
    """Cells for lattice points 0..width, 0..height."""
    return _Builder(edges, width, height, leaf_bits, edges_per_cell).build()


class _Builder:
    """Works through the coarse grid row by row, so that memory stays small."""

    def __init__(self, edges: Edges, width: int, height: int, leaf_bits: int, edges_per_cell: float) -> None:
        self.edges = edges
        self.leaf_bits = leaf_bits
        self.edges_per_cell = edges_per_cell
        self.shift = max(4, (max(width, height) // COARSE_CELLS).bit_length())
        self.columns, self.rows = (width >> self.shift) + 1, (height >> self.shift) + 1
        self.coarse = np.zeros(self.columns * self.rows, dtype=np.int64)
        self.faces: dict[int, int] = {}
        self.set_at: dict[int, tuple[int, int]] = {}
        self.cell_parts: list[NDArray[np.int32]] = []
        self.base_parts: list[Ints] = []
        self.count_parts: list[NDArray[np.int32]] = []
        self.record_parts: list[NDArray[np.uint64]] = []
        self.cell_total = self.boundary_total = 0

    def build(self) -> Cells:
        line = self.edges.line
        first, last = line[:, 1] >> self.shift, (line[:, 1] + line[:, 3]) >> self.shift
        which = expanded(last - first + 1)
        row = first[which.owner] + which.step
        order = np.argsort(row, kind="stable")
        starts = np.searchsorted(row[order], np.arange(self.rows + 1))
        for j in range(self.rows):
            self._row(j, which.owner[order[starts[j] : starts[j + 1]]])
        record_at = np.zeros(self.boundary_total + 1, dtype=np.int32)
        counts = np.concatenate(self.count_parts)
        np.cumsum(counts, out=record_at[1:])
        return Cells(
            self.shift,
            self.columns,
            self.rows,
            self.coarse,
            np.concatenate(self.cell_parts),
            np.array(list(self.faces), dtype=np.int64),
            self.set_at,
            np.concatenate(self.base_parts),
            record_at,
            np.concatenate(self.record_parts),
        )

    def _row(self, j: int, chosen: Ints) -> None:
        """All cells of one coarse row."""
        bottom = j << self.shift
        line, key = self.edges.line[chosen], self.edges.key[chosen]
        low = np.maximum(line[:, 1], bottom)
        high = np.minimum(line[:, 1] + line[:, 3], bottom + (1 << self.shift) - 1)
        pairs = self._coarse_pairs(line, low, high)
        split = self._splits(np.bincount(pairs.column, minlength=self.columns))
        offset = self._place(j, split)
        base = self._bases(bottom, line, key, low, high, split, offset)
        cell, record = self._records(bottom, chosen, line, low, high, pairs, split, offset)
        self._store(base, cell, record, j, split, offset)

    def _coarse_pairs(self, line: Ints, low: Ints, high: Ints) -> "_Pairs":
        west, east = reach(line, low, high)
        first, last = west >> self.shift, east >> self.shift
        which = expanded(last - first + 1)
        return _Pairs(which.owner, first[which.owner] + which.step)

    def _splits(self, counts: Ints) -> Ints:
        """How often each coarse cell is halved."""
        wanted = np.ceil(np.log2(np.maximum(counts / self.edges_per_cell, 1.0)) / 2)
        least = max(0, self.shift - _HIGHEST_CELL_BITS)
        return np.where(counts > 0, np.clip(wanted, least, min(_FINEST_SPLIT, self.shift)), 0).astype(
            np.int64
        )

    def _place(self, j: int, split: Ints) -> Ints:
        """Where the cells of each coarse cell begin within this row's cells; equal splits lie together."""
        order = np.argsort(split, kind="stable")
        sizes = np.left_shift(1, 2 * split)
        offset = np.zeros(self.columns, dtype=np.int64)
        offset[order] = np.concatenate([[0], np.cumsum(sizes[order])[:-1]])
        at = j * self.columns
        self.coarse[at : at + self.columns] = (self.cell_total + offset) << 5 | (self.shift - split)
        return offset

    def _bases(
        self, bottom: int, line: Ints, key: Ints, low: Ints, high: Ints, split: Ints, offset: Ints
    ) -> Ints:
        """Key just west of the lower left corner of every cell: XOR of what the ray to the west crosses."""
        finest = int(split.max())
        step_bits = self.shift - finest
        top = np.minimum(high, line[:, 1] + line[:, 3] - 1)
        first = (low - bottom + (1 << step_bits) - 1) >> step_bits
        last = (top - bottom) >> step_bits
        which = expanded(np.where(line[:, 3] > 0, np.maximum(last - first + 1, 0), 0))
        sub_row = first[which.owner] + which.step
        x = crossing(line[which.owner], bottom + (sub_row << step_bits))
        key = key[which.owner]
        column = x >> self.shift
        before = np.zeros((1 << finest, self.columns + 1), dtype=np.int64)
        np.bitwise_xor.at(before, (sub_row, column + 1), key)
        np.bitwise_xor.accumulate(before, axis=1, out=before)
        base = np.zeros(int(np.left_shift(1, 2 * split).sum()), dtype=np.int64)
        # inside each coarse cell: crossings count for the cells east of the one they fall into
        mine = split[column]
        aligned = (sub_row & (np.left_shift(1, finest - mine) - 1)) == 0
        sub_column = (x - (column << self.shift)) >> (self.shift - mine)
        aligned &= sub_column + 1 < np.left_shift(1, mine)
        at = offset[column] + ((sub_row >> (finest - mine)) << mine) + sub_column + 1
        np.bitwise_xor.at(base, at[aligned], key[aligned])
        for k in np.unique(split):
            members = np.flatnonzero(split == k)
            start, side = int(offset[members].min()), 1 << int(k)
            block = base[start : start + len(members) * side * side].reshape(len(members), side, side)
            block[:, :, 0] ^= before[:: 1 << (finest - int(k)), members[np.argsort(offset[members])]].T
            np.bitwise_xor.accumulate(block, axis=2, out=block)
        return base

    def _records(
        self,
        bottom: int,
        chosen: Ints,
        line: Ints,
        low: Ints,
        high: Ints,
        pairs: "_Pairs",
        split: Ints,
        offset: Ints,
    ) -> tuple[Ints, NDArray[np.uint64]]:
        """Cell and record of every edge in every cell it touches, a bounded number at a time."""
        cells, records = [], []
        for part in range(0, len(pairs.owner), _AT_ONCE):
            owner, column = (a[part : part + _AT_ONCE] for a in (pairs.owner, pairs.column))
            cut = Cut(line[owner], low[owner], high[owner], bottom, column << self.shift, self.shift)
            sub = cut.into(self.shift - split[column])
            cell, first_row, last_row, pair, virtual = sub
            k = split[column[pair]]
            edge = chosen[owner[pair]]
            side = np.left_shift(1, k) - 1
            where = offset[column[pair]] + (((cell >> 32) & side) << k) + (cell & 0xFFFFFFFF)
            named = np.where(virtual, ~edge, edge) & 0xFFFFFFFF
            cells.append(where)
            records.append((first_row | last_row << 16 | named << 32).view(np.uint64))
        if not cells:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.uint64)
        return np.concatenate(cells), np.concatenate(records)

    def _store(
        self, base: Ints, cell: Ints, record: NDArray[np.uint64], j: int, split: Ints, offset: Ints
    ) -> None:
        order = np.argsort(cell, kind="stable")
        cell, record = cell[order], record[order]
        bounded, counts = np.unique(cell, return_counts=True)
        values = self._faces_of(base, bounded, j, split, offset)
        values[bounded] = ~(self.boundary_total + np.arange(len(bounded)))
        self.cell_parts.append(values.astype(np.int32))
        self.base_parts.append(base[bounded])
        self.count_parts.append(counts.astype(np.int32))
        self.record_parts.append(record)
        self.cell_total += len(base)
        self.boundary_total += len(bounded)

    def _faces_of(self, base: Ints, bounded: Ints, j: int, split: Ints, offset: Ints) -> Ints:
        """Face numbers for keys; equal neighbours are looked up once."""
        turns = np.flatnonzero(np.concatenate([[True], base[1:] != base[:-1]]))
        keys, at, back = np.unique(base[turns], return_index=True, return_inverse=True)
        numbers = np.empty(len(keys), dtype=np.int64)
        for n, (key, cell) in enumerate(zip(keys.tolist(), turns[at].tolist(), strict=True)):
            number = self.faces.get(key)
            if number is None:
                number = self.faces[key] = len(self.faces)
                if key >> self.leaf_bits not in self.set_at:
                    self.set_at[key >> self.leaf_bits] = self._west_of(cell, j, split, offset)
            numbers[n] = number
        lengths = np.diff(np.append(turns, len(base)))
        return np.repeat(numbers[back.reshape(-1)], lengths)

    def _west_of(self, cell: int, j: int, split: Ints, offset: Ints) -> tuple[int, int]:
        """The lattice point whose key a cell carries."""
        ends = offset + np.left_shift(1, 2 * split)
        column = int(np.flatnonzero((offset <= cell) & (cell < ends))[0])
        k = int(split[column])
        inner, bits = cell - int(offset[column]), self.shift - k
        x = (column << self.shift) + ((inner & ((1 << k) - 1)) << bits) - 1
        return x, (j << self.shift) + ((inner >> k) << bits)


@dataclass
class _Pairs:
    owner: Ints
    column: Ints
