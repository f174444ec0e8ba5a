"""What stands in an index file besides the cells: areas, overlays, shapes, their order and their keys."""

import threading
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.borders import LEVELS
from geo.index.file import IndexFile
from geo.index.shapes import Rings


def pack_text(rows: list[str]) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
    """Strings as one blob and where each begins."""
    encoded = [row.encode() for row in rows]
    at = np.zeros(len(rows) + 1, dtype=np.uint32)
    at[1:] = np.cumsum([len(e) for e in encoded])
    return at, np.frombuffer(b"".join(encoded), dtype=np.uint8)


class Text:
    """Strings read from the file one by one, when asked for."""

    def __init__(self, file: IndexFile, name: str) -> None:
        self._at, self._blob = file.view(f"{name}_at"), file.view(name)

    def __len__(self) -> int:
        return len(self._at) - 1

    def __getitem__(self, i: int) -> list[str]:
        return bytes(self._blob[self._at[i] : self._at[i + 1]]).decode().split("\t")


class Layout:
    """Areas, overlays and shapes of one index file. Safe to share between threads: nothing is prepared.

    Shapes are numbered leaves first (areas without children), then areas whose own outline is not the sum of
    their children, then overlays. `shape_area` is the area of a shape, or -1 - overlay.
    """

    def __init__(self, file: IndexFile) -> None:
        header = file.header
        self.generation: str = header["generation"]
        self.origin: tuple[int, int] = tuple(header["origin"])
        self.leaves: int = header["leaves"]
        self.leaf_bits: int = header["leaf_bits"]
        self.areas, self.overlays = Text(file, "area_text"), Text(file, "overlay_text")
        self.area_parent, self.area_level = file.view("area_parent"), file.view("area_level")
        self.shape_area, self.shape_key = file.view("shape_area"), file.view("shape_key")
        self.file = file
        self._lock = threading.Lock()

    @cached_property
    def rings(self) -> Rings:
        return Rings(*(self.file.array(n) for n in ("ring_xy", "ring_at", "part_at", "shape_at")))

    @cached_property
    def leaf_tree(self) -> shapely.STRtree:
        """Leaves as polygons, for nearest and neighbours."""
        with self._lock:
            return shapely.STRtree(self.rings.first(self.leaves).polygons(origin=self.origin))

    @cached_property
    def leaf_bounds(self) -> NDArray[np.float64]:
        """Bounding boxes of the leaves in degrees."""
        return np.asarray(shapely.bounds(self.leaf_tree.geometries))

    @cached_property
    def outline(self) -> Any:
        """Everything the leaves cover, holes filled: what lies outside it is outside the city."""
        return shapely.from_wkb(self.file.array("outline").tobytes())

    @cached_property
    def position(self) -> dict[str, int]:
        """Area by code."""
        return {self.areas[i][0]: i for i in range(len(self.areas))}

    @cached_property
    def children(self) -> dict[int, list[int]]:
        """Areas directly below each area."""
        below: dict[int, list[int]] = {}
        for area, parent in enumerate(self.area_parent):
            if parent >= 0:
                below.setdefault(parent, []).append(area)
        return below

    @cached_property
    def leaf_shape(self) -> dict[int, int]:
        """Leaf shape by area."""
        return {self.shape_area[s]: s for s in range(self.leaves)}

    def ancestry(self, area: int) -> list[int]:
        """The area and everything above it, widest first."""
        line = [area]
        while (area := self.area_parent[area]) >= 0:
            line.append(area)
        return line[::-1]

    def level_of(self, area: int) -> str:
        return LEVELS[self.area_level[area]].value

    def shape(self, shape: int) -> Any:
        """One shape as a fresh multipolygon in degrees."""
        return self.rings.polygon(shape, origin=self.origin)

    def leaves_under(self, area: int) -> list[int]:
        """Leaf shapes that make up an area."""
        found, waiting = [], [area]
        while waiting:
            here = waiting.pop()
            below = self.children.get(here)
            if below:
                waiting += below
            else:
                found.append(self.leaf_shape[here])
        return sorted(found)

    def geometry(self, area: int) -> Any:
        """The area as the sum of its leaves, in degrees, drawn afresh."""
        drawn = [self.shape(s) for s in self.leaves_under(area)]
        if len(drawn) == 1:
            return drawn[0]
        return shapely.coverage_union_all(drawn) if self.leaf_bits else shapely.union_all(drawn)
