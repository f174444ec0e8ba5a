"""The metropolis as every arm gets it, and the points it is asked for."""

import numpy as np
import shapely

from geo.borders import Level
from geo.inventing import City


class Layers:
    """The metropolis as every arm gets it: grids and overlays as polygons, codes of parents as arrays."""

    def __init__(self, city: City) -> None:
        self.grids = city.level(Level.GRID)
        self.shapes = np.array([g.geometry for g in self.grids] + [o.geometry for o in city.overlays])
        self.codes = [g.code for g in self.grids] + [o.code for o in city.overlays]
        parents = {a.code: a.parent for a in city.areas}
        self.lines = []
        for grid in self.grids:
            line = [grid.code]
            while (above := parents[line[-1]]) is not None:
                line.append(above)
            self.lines.append(tuple(line[::-1]))
        kinds = sorted({o.kind for o in city.overlays})
        self.layer = [0] * len(self.grids) + [1 + kinds.index(o.kind) for o in city.overlays]

    def points(self, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Four in five around a grid drawn evenly (so the dense core counts), one in five anywhere."""
        rng = np.random.default_rng(seed)
        near = int(count * 0.8)
        box = shapely.bounds(self.shapes[rng.integers(len(self.grids), size=near)])
        west, south, east, north = shapely.total_bounds(self.shapes[: len(self.grids)])
        lon = np.concatenate([rng.uniform(box[:, 0], box[:, 2]), rng.uniform(west, east, count - near)])
        lat = np.concatenate([rng.uniform(box[:, 1], box[:, 3]), rng.uniform(south, north, count - near)])
        order = rng.permutation(count)
        return lon[order], lat[order]
