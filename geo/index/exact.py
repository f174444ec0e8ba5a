"""The definition of the answer, polygon by polygon in whole numbers: slow, and what the cells must equal.

A point belongs to a polygon when an odd number of its edges are crossed by the ray towards west. An edge
counts when its lower end is at or below the point, its upper end above, and the point on it or east of it.
So a point on a border belongs to the polygon east of it (above it, where the border is level), and to exactly
one of the two.
"""

import numpy as np
from numpy.typing import NDArray

from geo.index.shapes import Rings


def ring_edges(rings: Rings, shape: int) -> NDArray[np.int64]:
    """Edges `ax, ay, bx, by` of one shape."""
    first, last = (int(rings.ring_at[rings.part_at[rings.shape_at[shape + k]]]) for k in (0, 1))
    xy = np.asarray(rings.xy[first:last], dtype=np.int64)
    closes = rings.ring_at[(rings.ring_at > first) & (rings.ring_at < last)] - 1 - first
    edges = np.hstack([xy[:-1], xy[1:]])
    return np.delete(edges, closes, axis=0)


def within_many(edges: NDArray[np.int64], *, x: NDArray[np.int64], y: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of some lattice points are in the polygon."""
    ax, ay, bx, by = edges.T
    up = ay < by
    lx, ly = np.where(up, ax, bx)[:, None], np.where(up, ay, by)[:, None]
    hx, hy = np.where(up, bx, ax)[:, None], np.where(up, by, ay)[:, None]
    odd = np.zeros(len(x), dtype=bool)
    step = max(1, 2_000_000 // max(1, len(edges)))
    for part in (slice(start, start + step) for start in range(0, len(x), step)):
        px, py = x[part], y[part]
        crossed = (ly <= py) & (py < hy) & ((px - lx) * (hy - ly) >= (py - ly) * (hx - lx))
        odd[part] = np.count_nonzero(crossed, axis=0) & 1
    return odd


def within(edges: NDArray[np.int64], *, x: int, y: int) -> tuple[bool, bool]:
    """Whether the lattice point is in the polygon, and whether it is on an edge."""
    ax, ay, bx, by = edges.T
    up = ay <= by
    lx, ly, hx, hy = np.where(up, ax, bx), np.where(up, ay, by), np.where(up, bx, ax), np.where(up, by, ay)
    cross = (x - lx) * (hy - ly) - (y - ly) * (hx - lx)
    crossed = (ly <= y) & (y < hy) & (cross >= 0)
    west, east = np.minimum(ax, bx), np.maximum(ax, bx)
    touching = (cross == 0) & (west <= x) & (x <= east) & (ly <= y) & (y <= hy)
    return bool(np.count_nonzero(crossed) & 1), bool(touching.any())
