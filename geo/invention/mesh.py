"""Cells of an irregular honeycomb whose shared borders are jagged lines.

Each border is drawn inside the kite of its two ends and the centres of the two cells beside it. Kites do not
overlap, so borders cannot cross; each is drawn once and used by both sides, so there is no gap or overlap.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.index.shapes import PER_DEGREE

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_CORNERS = ((0, 0), (1, 0), (2, 0), (2, 1), (1, 1), (0, 1))  # brick with a vertex amid its long sides


@dataclass
class Mesh:
    """`cells[c]` are six borders; border `b` runs between its two ends, through `lines[b]` (degrees)."""

    cells: Ints
    forward: NDArray[np.bool_]
    lines: Floats
    centres: Floats
    neighbours: list[list[int]]

    def ring(self, cell: int) -> Floats:
        """Closed outline of one cell in degrees."""
        pieces = [
            (self.lines[b] if f else self.lines[b][::-1])[:-1]
            for b, f in zip(self.cells[cell], self.forward[cell], strict=True)
        ]
        ring = np.vstack(pieces)
        return np.vstack([ring, ring[:1]])


def draw_mesh(
    rng: np.random.Generator, *, count: int, lon: float, lat: float, radius_m: float, core: float, bends: int
) -> Mesh:
    """`count` cells around a point; `core` < 1 makes cells in the middle smaller than at the rim."""
    side = int(np.sqrt(count) * 1.35) + 4
    columns, rows = side, side
    vertex = _vertices(rng, columns, rows)
    cells = _cell_corners(columns, rows)
    cells = _keep_inner(rng, vertex, cells, count)
    vertex = _warp(vertex, core=core)
    scale = np.array([radius_m / (111_320.0 * np.cos(np.radians(lat))), radius_m / 110_900.0])
    vertex = vertex * scale + np.array([lon, lat])
    centres = vertex[cells].mean(axis=1)
    borders, forward, of_cells, beside = _borders(cells)
    lines = _jagged(rng, vertex, borders, centres, beside, bends)
    neighbours: list[list[int]] = [[] for _ in range(len(cells))]
    for left, right in beside:
        if left >= 0 and right >= 0:
            neighbours[left].append(int(right))
            neighbours[right].append(int(left))
    return Mesh(of_cells, forward, lines, centres, neighbours)


def _vertices(rng: np.random.Generator, columns: int, rows: int) -> Floats:
    """Brick-wall vertices in [-1, 1], shaken."""
    width = 2 * columns + 2
    i, j = np.meshgrid(np.arange(width), np.arange(rows + 1), indexing="xy")
    zigzag = np.where((i + j) % 2 == 0, 0.17, -0.17)
    x = i + rng.uniform(-0.28, 0.28, i.shape)
    y = (j + zigzag) * 1.7 + rng.uniform(-0.22, 0.22, i.shape)
    xy = np.column_stack([x.ravel() / (width - 1), y.ravel() / (rows * 1.7)])
    return np.asarray(xy * 2.0 - 1.0)


def _cell_corners(columns: int, rows: int) -> Ints:
    width = 2 * columns + 2
    cells = []
    for j in range(rows):
        for i in range(columns):
            left = 2 * i + (j % 2)
            cells.append([(j + dy) * width + left + dx for dx, dy in _CORNERS])
    return np.array(cells, dtype=np.int64)


def _keep_inner(rng: np.random.Generator, vertex: Floats, cells: Ints, count: int) -> Ints:
    """The `count` innermost cells, measured against a wobbling outline."""
    centre = vertex[cells].mean(axis=1)
    angle = np.arctan2(centre[:, 1], centre[:, 0])
    wobble = 1.0 + sum(
        rng.uniform(0.01, 0.05) * np.sin(k * angle + rng.uniform(0, 2 * np.pi)) for k in range(2, 7)
    )
    order = np.argsort(np.hypot(centre[:, 0], centre[:, 1]) / wobble, kind="stable")
    return cells[np.sort(order[:count])]


def _warp(xy: Floats, *, core: float) -> Floats:
    squared = (xy**2).sum(axis=1, keepdims=True)
    return np.asarray(xy * (core + (1.0 - core) * squared))


def _borders(cells: Ints) -> tuple[Ints, NDArray[np.bool_], Ints, Ints]:
    starts, ends = cells.ravel(), np.roll(cells, -1, axis=1).ravel()
    low, high = np.minimum(starts, ends), np.maximum(starts, ends)
    pairs, which = np.unique(np.column_stack([low, high]), axis=0, return_inverse=True)
    which = which.reshape(-1)
    beside = np.full((len(pairs), 2), -1, dtype=np.int64)
    owner = np.repeat(np.arange(len(cells)), 6)
    ahead = starts == low
    beside[which[ahead], 0] = owner[ahead]
    beside[which[~ahead], 1] = owner[~ahead]
    return pairs, ahead.reshape(-1, 6), which.reshape(-1, 6), beside


def _jagged(
    rng: np.random.Generator, vertex: Floats, borders: Ints, centres: Floats, beside: Ints, bends: int
) -> Floats:
    """A polyline of `bends` inner points per border, on the lattice, inside the border's kite."""
    n = len(borders)
    a, b = vertex[borders[:, 0]], vertex[borders[:, 1]]
    middle = (a + b) / 2
    left = np.where(beside[:, :1] >= 0, centres[beside[:, 0]], 2 * middle - centres[beside[:, 1]])
    right = np.where(beside[:, 1:] >= 0, centres[beside[:, 1]], 2 * middle - centres[beside[:, 0]])
    t = np.linspace(0.0, 1.0, bends + 2)[1:-1]
    pull = np.cumsum(rng.normal(0.0, 0.11, (n, bends)), axis=1)
    pull = np.clip((pull - pull.mean(axis=1, keepdims=True)) * np.sin(np.pi * t) ** 0.5, -0.45, 0.45)
    for i in range(1, bends):  # never jump from one side of the straight line to the other
        pull[:, i] = np.where(pull[:, i] * pull[:, i - 1] < 0, 0.0, pull[:, i])
    straight = a[:, None] + t[None, :, None] * (b - a)[:, None]
    towards = np.where(pull[..., None] > 0, left[:, None], right[:, None])
    inner = straight + np.abs(pull)[..., None] * (towards - straight)
    lines = np.concatenate([a[:, None], inner, b[:, None]], axis=1)
    return np.asarray(np.rint(lines * PER_DEGREE) / PER_DEGREE)
