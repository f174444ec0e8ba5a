"""Ten million points against the definition in whole numbers and against Shapely."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from geo.index.exact import ring_edges, within_many
from geo.index.shapes import PER_DEGREE
from geo.locating import Locator

CHUNK = 500_000
NEAR_DEGREES = 1e-7  # 1.1 cm


@dataclass
class Truth:
    """The shapes of one index: rings for the definition, original polygons for Shapely."""

    locator: Locator
    shapes: np.ndarray  # as imported, in the index's order

    def __post_init__(self) -> None:
        layout = self.locator._layout
        self.layout = layout
        self.keys = np.asarray(layout.file.array("shape_key"))
        self.edges = [ring_edges(layout.rings, s) for s in range(len(self.keys))]
        low = np.array([e[:, :2].min(axis=0) for e in self.edges])
        high = np.array([e[:, :2].max(axis=0) for e in self.edges])
        self.boxes = shapely.STRtree(shapely.box(low[:, 0], low[:, 1], high[:, 0], high[:, 1]))
        self.polygons = shapely.STRtree(self.shapes)
        self.lines = shapely.STRtree(shapely.boundary(self.shapes))

    def answered(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """What the index says, as the key of the set of shapes."""
        found = self.locator._many.find(x, y) if self.locator._many else self._first(x, y)
        sets = np.append(np.asarray(self.locator._profiles.set_keys), 0)
        extra = {n: k for k, n in self.locator._profiles._number.items() if n >= len(sets) - 1}
        high = sets[np.minimum(found.sets, len(sets) - 1)]
        for number, key in extra.items():
            high[found.sets == number] = key
        return found.leaf.astype(np.int64) | (high << self.layout.leaf_bits)

    def _first(self, x: np.ndarray, y: np.ndarray) -> Any:
        self.locator.locate_many(lon=[0.0], lat=[0.0], frame="wgs84")
        return self.locator._many.find(x, y)

    def defined(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The key by the definition, and how many leaves claim the point."""
        key, claims = np.zeros(len(x), dtype=np.int64), np.zeros(len(x), dtype=np.int8)
        point, shape = self.boxes.query(shapely.points(x, y))
        for s, members in _grouped(shape, point):
            inside = members[within_many(self.edges[s], x=x[members], y=y[members])]
            key[inside] ^= self.keys[s]
            if s < self.layout.leaves:
                claims[inside] += 1
        return key, claims

    def by_shapely(self, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        """The key by `covered_by`; on a shared border it holds both sides and equals nothing."""
        key = np.zeros(len(lon), dtype=np.int64)
        point, shape = self.polygons.query(shapely.points(lon, lat), predicate="covered_by")
        np.bitwise_xor.at(key, point, self.keys[shape])
        return key

    def far_from_edges(self, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        """Which points are farther than 1.1 cm from every edge."""
        points = shapely.points(lon, lat)
        close = self.lines.query(points, predicate="dwithin", distance=NEAR_DEGREES)[0]
        far = np.ones(len(lon), dtype=bool)
        far[close] = False
        return far


def _grouped(shape: np.ndarray, point: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    order = np.argsort(shape, kind="stable")
    shape, point = shape[order], point[order]
    starts = np.flatnonzero(np.diff(shape, prepend=-1))
    for start, end in zip(starts, np.append(starts[1:], len(shape)), strict=True):
        yield int(shape[start]), point[start:end]


def count_mismatches(truth: Truth, points: int, *, seed: int) -> tuple[int, int]:
    """(points checked, points answered wrongly)."""
    rng = np.random.default_rng(seed)
    checked = wrong = 0
    while checked < points:
        x, y, on_edges = _sample(rng, truth, min(CHUNK, points - checked))
        ours = truth.answered(x, y)
        exact, claims = truth.defined(x, y)
        bad = ours != exact
        if truth.layout.leaf_bits:
            bad |= claims > 1
        east, north = truth.layout.origin
        lon, lat = (x + east) / PER_DEGREE, (y + north) / PER_DEGREE
        free = np.arange(on_edges, len(x))  # the others lie on edges by construction
        unlike = free[ours[free] != truth.by_shapely(lon[free], lat[free])]
        if len(unlike):
            bad[unlike[truth.far_from_edges(lon[unlike], lat[unlike])]] = True
        checked += len(x)
        wrong += int(np.count_nonzero(bad))
    return checked, wrong


def _sample(rng: np.random.Generator, truth: Truth, count: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Half anywhere, the rest on vertices, on edges, and within some centimetres or metres of them.

    The points on vertices and edges come first; the third value says how many they are.
    """
    header, xy = truth.layout.file.header, np.asarray(truth.layout.rings.xy)
    eighth = count // 8
    anywhere = rng.integers(-5000, [header["width"] + 5000, header["height"] + 5000], (count - 4 * eighth, 2))
    corner = xy[rng.integers(len(xy), size=3 * eighth)]
    close = corner[eighth : 2 * eighth] + rng.integers(-10, 11, (eighth, 2))
    around = corner[2 * eighth :] + np.rint(rng.normal(0, 2000, (eighth, 2))).astype(np.int64)
    lines = np.asarray(truth.layout.file.array("edge_line"), dtype=np.int64)
    line = lines[rng.integers(len(lines), size=eighth)]
    share = rng.random(eighth)[:, None]
    along = np.where(rng.random(eighth)[:, None] < 0.3, 0.5, share)
    on_edge = line[:, :2] + np.rint(line[:, 2:] * along).astype(np.int64)
    points = np.concatenate([corner[:eighth], on_edge, anywhere, close, around]).astype(np.int64)
    return points[:, 0], points[:, 1], 2 * eighth
