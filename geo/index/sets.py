"""Sets of overlapping polygons: what a key above the leaf bits stands for."""

from collections.abc import Iterable

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.errors import BadIndex
from geo.index.exact import ring_edges, within, within_many
from geo.index.shapes import Rings


class Overlapping:
    """Finds, exactly and slowly, which of some shapes hold a lattice point, and checks it against the key."""

    def __init__(self, rings: Rings, shape_key: NDArray[np.int64], first: int, leaf_bits: int) -> None:
        self._rings, self._key = rings, shape_key
        self._first, self._bits = first, leaf_bits
        vertex_at = rings.ring_at[rings.part_at[rings.shape_at]]
        starts = vertex_at[first:-1]
        if len(starts):
            xy = rings.xy[int(starts[0]) :]
            low = np.minimum.reduceat(xy, starts - starts[0], axis=0)
            high = np.maximum.reduceat(xy, starts - starts[0], axis=0)
        else:
            low = high = np.zeros((0, 2))
        self._tree = shapely.STRtree(shapely.box(low[:, 0], low[:, 1], high[:, 0], high[:, 1]))

    def holding_each(self, wanted: dict[int, tuple[int, int]]) -> list[tuple[int, tuple[int, ...]]]:
        """`holding` for many keys with a point each, shape by shape."""
        keys = list(wanted)
        x, y = np.array(list(wanted.values()), dtype=np.int64).reshape(-1, 2).T
        point, shape = self._tree.query(shapely.points(x, y))
        order = np.argsort(shape, kind="stable")
        point, shape = point[order], shape[order]
        members: list[list[int]] = [[] for _ in keys]
        left = keys.copy()
        for part in np.split(np.arange(len(shape)), np.flatnonzero(np.diff(shape)) + 1) if len(shape) else []:
            number = int(shape[part[0]]) + self._first
            near = point[part]
            inside = within_many(ring_edges(self._rings, number), x=x[near], y=y[near])
            for i in near[inside].tolist():
                members[i].append(number)
                left[i] ^= int(self._key[number]) >> self._bits
        if any(left):
            raise BadIndex("索引与边界不一致,请重新生成。")
        return [(key, tuple(found)) for key, found in zip(keys, members, strict=True)]

    def holding(self, key: int, x: int, y: int) -> tuple[int, ...]:
        """Shapes whose keys XOR to `key` at a point; a mismatch means the file is damaged."""
        if not key:
            return ()
        found, left = [], key
        for i in self._tree.query(shapely.Point(x, y)).tolist():
            shape = i + self._first
            if within(ring_edges(self._rings, shape), x=x, y=y)[0]:
                found.append(shape)
                left ^= int(self._key[shape]) >> self._bits
        if left:
            raise BadIndex("索引与边界不一致,请重新生成。")
        return tuple(sorted(found))


def pack_sets(
    sets: Iterable[tuple[int, tuple[int, ...]]],
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    """Set keys in order, where the members of each begin, and the members."""
    ordered = sorted(sets)
    at = np.zeros(len(ordered) + 1, dtype=np.int32)
    at[1:] = np.cumsum([len(members) for _, members in ordered])
    members = [m for _, group in ordered for m in group]
    return np.array([k for k, _ in ordered], dtype=np.int64), at, np.array(members, dtype=np.int32)
