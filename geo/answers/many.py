"""Answers for many points, as arrays; codes are made when asked for."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.answers.profiles import Profiles
from geo.borders import LEVELS, Level
from geo.index.layout import Layout
from geo.index.lookup import Keys


class Many:
    """`area` is the position of the finest area (-1: none), `sets` the number of the set of overlays."""

    def __init__(self, keys: Keys, layout: Layout, profiles: Profiles) -> None:
        self._layout, self._profiles = layout, profiles
        self.on_border = keys.on_border
        self.sets = keys.sets
        shape = keys.leaf - 1
        if not layout.leaf_bits:
            shape = self._finest_of_sets()[keys.sets]
        shape_area = np.append(layout.file.array("shape_area"), np.int32(-1))
        self.area = shape_area.take(shape)

    def __len__(self) -> int:
        return len(self.area)

    def _finest_of_sets(self) -> NDArray[np.int32]:
        """Of overlapping finest areas the one with the smallest code, for each set."""
        leaves = self._layout.leaves
        chosen = [
            min((s for s in members if s < leaves), key=self._profiles.code, default=-1)
            for members in self._profiles.sets
        ]
        return np.array(chosen, dtype=np.int32)

    def at(self, level: Level | str) -> NDArray[np.int32]:
        """Position of the area of this level above (or at) each point's finest area, -1 where there is none."""
        wanted = LEVELS.index(Level(level))
        parent = np.append(self._layout.file.array("area_parent"), np.int32(-1))
        depth = np.append(self._layout.file.array("area_level"), np.uint8(0)).astype(np.int64)
        up = np.arange(len(parent))
        up[-1] = -1
        for _ in LEVELS:
            up = np.where(depth[up] > wanted, parent[up], up)
        up = np.where(depth[up] == wanted, up, -1)
        up[-1] = -1
        return up.take(self.area).astype(np.int32)

    def codes(self, level: Level | str) -> NDArray[Any]:
        """Codes at one level as an array of strings, empty where there is none."""
        places, back = np.unique(self.at(level), return_inverse=True)
        names = np.array([self._layout.areas[p][0] if p >= 0 else "" for p in places.tolist()], dtype=object)
        return np.asarray(names[back.reshape(-1)])

    def overlays(self) -> list[tuple[str, ...]]:
        """Overlay codes of each point, highest priority first."""
        of_set = {
            n: self._profiles.overlay_codes(self._profiles.sets[n]) for n in np.unique(self.sets).tolist()
        }
        return [of_set[n] for n in self.sets.tolist()]
