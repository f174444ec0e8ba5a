"""Polygons on the lattice: whole numbers of 1e-7 degree, stored as ragged rings."""

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.errors import BadBorders

PER_DEGREE = 10_000_000


def on_lattice(geometries: NDArray[Any]) -> NDArray[Any]:
    """Polygons with every vertex rounded to the lattice (in degrees × 1e7), repeats and points dropped.

    Rounding may make a ring touch itself; insides are then counted even-odd, here and in the index alike.
    """
    return shapely.transform(geometries, lambda xy: np.rint(xy * PER_DEGREE))


def is_clean(drawn: NDArray[Any]) -> bool:
    """Whether polygons, as the index will see them, tile without overlap and with matching edges."""
    rounded = shapely.transform(drawn, lambda xy: np.rint(xy * PER_DEGREE))
    return bool(shapely.is_valid(rounded).all() and shapely.coverage_is_valid(rounded))


class Rings:
    """Ragged rings of a list of (multi)polygons, as shapely lays them out."""

    def __init__(
        self, xy: NDArray[Any], ring_at: NDArray[Any], part_at: NDArray[Any], shape_at: NDArray[Any]
    ) -> None:
        self.xy, self.ring_at, self.part_at, self.shape_at = xy, ring_at, part_at, shape_at

    @classmethod
    def of(cls, lattice: NDArray[Any], labels: list[str]) -> "Rings":
        """Rings of lattice polygons; `labels` name the culprit when a polygon is none."""
        kinds = shapely.get_type_id(lattice)
        for i in np.flatnonzero(~np.isin(kinds, (3, 6)) | shapely.is_empty(lattice)):
            raise BadBorders("没有面状边界,请补上多边形。", feature=labels[i])
        if not len(lattice):
            empty = np.zeros(1, dtype=np.int64)
            return cls(np.zeros((0, 2), dtype=np.int64), empty, empty, empty)
        parts, owner = shapely.get_parts(lattice, return_index=True)
        shape_at = np.searchsorted(owner, np.arange(len(lattice) + 1))
        _, xy, (ring_at, part_at) = shapely.to_ragged_array(parts, include_z=False)
        return cls(xy.astype(np.int64), ring_at.astype(np.int64), part_at.astype(np.int64), shape_at)

    def first(self, count: int) -> "Rings":
        """The first `count` shapes."""
        shape_at = self.shape_at[: count + 1]
        part_at = self.part_at[: int(shape_at[-1]) + 1]
        ring_at = self.ring_at[: int(part_at[-1]) + 1]
        return Rings(self.xy[: int(ring_at[-1])], ring_at, part_at, shape_at)

    def edges(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """All ring edges as rows `ax, ay, bx, by`, and the shape each belongs to."""
        closes = np.zeros(len(self.xy), dtype=bool)
        closes[self.ring_at[1:] - 1] = True
        first = np.flatnonzero(~closes)
        rows = np.hstack([self.xy[first], self.xy[first + 1]])
        ring_of = self.part_at[self.shape_at]
        edges = np.diff(self.ring_at[ring_of]) - np.diff(ring_of)
        owner = np.repeat(np.arange(len(edges)), edges)
        moved = (rows[:, 0] != rows[:, 2]) | (rows[:, 1] != rows[:, 3])
        return rows[moved], owner[moved]

    def polygons(self, *, origin: tuple[int, int]) -> NDArray[Any]:
        """All shapes back as shapely multipolygons in degrees."""
        degrees = (self.xy + np.array(origin)) / PER_DEGREE
        offsets = (self.ring_at, self.part_at, self.shape_at)
        return shapely.from_ragged_array(shapely.GeometryType.MULTIPOLYGON, degrees, offsets)

    def polygon(self, shape: int, *, origin: tuple[int, int]) -> Any:
        """One shape back as a shapely multipolygon in degrees."""
        parts = []
        for part in range(int(self.shape_at[shape]), int(self.shape_at[shape + 1])):
            rings = [
                (self.xy[int(self.ring_at[r]) : int(self.ring_at[r + 1])] + np.array(origin)) / PER_DEGREE
                for r in range(int(self.part_at[part]), int(self.part_at[part + 1]))
            ]
            parts.append(shapely.Polygon(rings[0], rings[1:]))
        return shapely.MultiPolygon(parts)
