"""A cleaned partition taken apart again: which ground goes from whom to whom, piece by piece.

Every overlap, gap and sliver is a piece of its own. What is narrower than the snapping distance is left to the
alignment of the lines.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.mending.proposals import Move
from geo.review.surfaces import polygonal, width_m
from geo.zones import to_zone

_LEAST_M2 = 0.05


@dataclass(frozen=True)
class Piece:
    """Ground (degrees) that goes to `heir`, from `giver` if anybody had it; `shared` if the heir had it too."""

    kind: str
    giver: int | None
    heir: int
    ground: Any
    area_m2: float
    width_m: float

    def moves(self) -> tuple[Move, ...]:
        lost = () if self.giver is None else (Move(self.giver, False, self.ground),)
        return lost if self.kind == "overlap" else (*lost, Move(self.heir, True, self.ground))


def pieces_between(
    before: NDArray[Any], after: NDArray[Any], *, epsg: int, least_width_m: float
) -> list[Piece]:
    """Pieces that make `after` of `before` (both valid), biggest first."""
    changed = np.flatnonzero(~shapely.equals_exact(before, after, 0.0, normalize=True))
    if not len(changed):
        return []
    found = [*_lost(before, after, changed), *_filled(before, after, changed)]
    if not found:
        return []
    plane = to_zone(np.array([f[3] for f in found], dtype=object), epsg=epsg)
    pieces = []
    for (kind, giver, heir, ground), flat in zip(found, plane, strict=True):
        area_m2, wide_m = float(shapely.area(flat)), width_m(flat)
        if area_m2 >= _LEAST_M2 and wide_m > least_width_m:
            pieces.append(Piece(kind, giver, heir, ground, area_m2, wide_m))
    return sorted(pieces, key=lambda p: (-p.area_m2, p.heir))


_Found = tuple[str, int | None, int, Any]


def _lost(before: NDArray[Any], after: NDArray[Any], changed: NDArray[np.int64]) -> Iterator[_Found]:
    """Ground that features lose, by who holds it afterwards."""
    parts, of = shapely.get_parts(shapely.difference(before[changed], after[changed]), return_index=True)
    if not len(parts):
        return
    part, holder = shapely.STRtree(after).query(parts)
    giver = changed[of[part]]
    apart = holder != giver
    part, holder, giver = part[apart], holder[apart], giver[apart]
    grounds = polygonal(shapely.intersection(parts[part], after[holder]))
    had_too = shapely.area(shapely.intersection(grounds, before[holder]))
    for ground, i, j, common in zip(grounds, giver.tolist(), holder.tolist(), had_too, strict=True):
        kind = "overlap" if common > 0.5 * ground.area else "sliver"
        for one in shapely.get_parts(ground):
            yield kind, i, j, one


def _filled(before: NDArray[Any], after: NDArray[Any], changed: NDArray[np.int64]) -> Iterator[_Found]:
    """Ground that nobody had."""
    parts, of = shapely.get_parts(shapely.difference(after[changed], before[changed]), return_index=True)
    if not len(parts):
        return
    tree = shapely.STRtree(before)
    part, owner = tree.query(parts, predicate="intersects")
    near: dict[int, list[int]] = {}
    for p, o in zip(part.tolist(), owner.tolist(), strict=True):
        near.setdefault(p, []).append(o)
    for p, others in near.items():
        parts[p] = shapely.difference(parts[p], shapely.union_all(before[others]))
    for ground, i in zip(polygonal(parts), changed[of].tolist(), strict=True):
        for one in shapely.get_parts(ground):
            yield "gap", None, i, one
