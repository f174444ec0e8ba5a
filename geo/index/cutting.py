"""Lines cut by cells, in whole numbers: which rows of a cell a line matters in, by integer division alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass
class Expanded:
    owner: Ints
    step: Ints


def expanded(counts: Ints) -> Expanded:
    """Each item repeated as often as counted, with its running number."""
    owner = np.repeat(np.arange(len(counts)), counts)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    return Expanded(owner, step)


def crossing(line: Ints, y: Ints) -> Ints:
    """The westernmost lattice x on or east of the edge in row y: ax + ceil((y - ay) dx / dy)."""
    ax, ay, dx, dy = line.T
    return np.asarray(ax - (-(y - ay) * dx) // np.maximum(dy, 1))


def reach(line: Ints, low: Ints, high: Ints) -> tuple[Ints, Ints]:
    """Westernmost and easternmost lattice x of an edge between two rows."""
    level = line[:, 3] == 0
    one = np.where(level, line[:, 0], crossing(line, low))
    other = np.where(level, line[:, 0] + line[:, 2], crossing(line, high))
    return np.minimum(one, other), np.maximum(one, other)


@dataclass
class Cut:
    """Edges cut by the cells of the coarse cell each is paired with."""

    line: Ints
    low: Ints
    high: Ints
    bottom: int
    left: Ints
    shift: int

    def into(self, bits: Ints) -> tuple[Ints, Ints, Ints, Ints, NDArray[np.bool_]]:
        """(packed row and column of the cell, first and last row within it, pair, whether virtual)."""
        first, last = (self.low - self.bottom) >> bits, (self.high - self.bottom) >> bits
        rows = expanded(last - first + 1)
        pair, row = rows.owner, first[rows.owner] + rows.step
        cell_bottom = self.bottom + (row << bits[pair])
        low = np.maximum(self.low[pair], cell_bottom)
        high = np.minimum(self.high[pair], cell_bottom + np.left_shift(1, bits[pair]) - 1)
        west, east = reach(self.line[pair], low, high)
        west = np.maximum(west, self.left[pair])
        east = np.minimum(east, self.left[pair] + (1 << self.shift) - 1)
        first, last = (west - self.left[pair]) >> bits[pair], (east - self.left[pair]) >> bits[pair]
        columns = expanded(np.where(west <= east, last - first + 1, 0))
        column = first[columns.owner] + columns.step
        pair, row, low, high = (a[columns.owner] for a in (pair, row, low, high))
        return self._clipped(pair, row, column, bits[pair], low, high)

    def _clipped(
        self, pair: Ints, row: Ints, column: Ints, bits: Ints, low: Ints, high: Ints
    ) -> tuple[Ints, Ints, Ints, Ints, NDArray[np.bool_]]:
        line = self.line[pair]
        side = np.left_shift(1, bits)
        bottom = self.bottom + (row << bits)
        west = self.left[pair] + (column << bits) - 1
        first, last = _rows_inside(line, west, west + side, low, high)
        real = first <= last
        turn = _rises_past(line, west)
        lowest, highest = (
            np.minimum(line[:, 0], line[:, 0] + line[:, 2]),
            np.maximum(line[:, 0], line[:, 0] + line[:, 2]),
        )
        virtual = (lowest <= west) & (west < highest) & (bottom < turn) & (turn < bottom + side)
        cell = row << 32 | column
        return (
            np.concatenate([cell[real], cell[virtual]]),
            np.concatenate([(first - bottom)[real], (turn - bottom)[virtual]]),
            np.concatenate([(last - bottom)[real], (side - 1)[virtual]]),
            np.concatenate([pair[real], pair[virtual]]),
            np.repeat([False, True], [np.count_nonzero(real), np.count_nonzero(virtual)]),
        )


def _rows_inside(line: Ints, west: Ints, east: Ints, low: Ints, high: Ints) -> tuple[Ints, Ints]:
    """Rows in which a point at `east` counts the edge and a point at `west` does not."""
    ax, ay, dx, dy = line.T
    last = np.minimum(high, ay + dy - 1)
    up, run = dx > 0, np.maximum(np.abs(dx), 1)
    # rising eastwards: not yet at `west`, already at `east`
    after = np.where(up, ay + ((west - ax) * dy) // run + 1, ay - (-(ax - east) * dy) // run)
    until = np.where(up, ay + ((east - ax) * dy) // run, ay - (-(ax - west) * dy) // run - 1)
    steep = dx == 0
    after = np.where(steep, np.where((west < ax) & (ax <= east), low, high + 1), after)
    first, last = np.maximum(low, after), np.where(steep, last, np.minimum(last, until))
    level = dy == 0  # no row counts a level edge; its one row is kept to recognise points on it
    return np.where(level, ay, first), np.where(level, ay, last)


def _rises_past(line: Ints, west: Ints) -> Ints:
    """First row in which a point a hair east of `west` is above the edge."""
    ax, ay, dx, dy = line.T
    run = np.maximum(np.abs(dx), 1)
    rising = ay + ((west - ax) * dy) // run + 1
    falling = ay - (-(ax - west) * dy) // run
    return np.asarray(np.where(dy == 0, ay, np.where(dx > 0, rising, falling)))
