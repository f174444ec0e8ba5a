"""Clean partitions: told apart from dirty ones, and made from them by rule."""

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.errors import GeoError
from geo.index.shapes import PER_DEGREE, is_clean
from geo.review.surfaces import open_slits, polygonal
from geo.zones import to_degrees, to_zone

_ROUNDS = 4


def on_lattice(geometries: Any) -> Any:
    """Every vertex on a whole 1e-7 of a degree, as the index will see it."""
    return shapely.transform(geometries, lambda xy: np.rint(xy * PER_DEGREE) / PER_DEGREE)


def clean_coverage(
    drawn: NDArray[Any], epsg: int, *, rule: str, gap_width_m: float, snap_m: float
) -> NDArray[Any]:
    """A clean partition on the lattice. Rounding can undo a hair's breadth of it, hence the rounds."""
    plane = to_zone(drawn, epsg=epsg)
    broken = ~shapely.is_valid(plane)
    plane[broken] = polygonal(shapely.make_valid(plane[broken], method="structure", keep_collapsed=False))
    plane = shapely.coverage_clean(  # type: ignore[attr-defined]
        plane, snapping_distance=snap_m, gap_width=gap_width_m, merge_strategy=rule
    )
    plane = _without_slits(plane, rule=rule, snap_m=snap_m)
    degrees = on_lattice(to_degrees(plane, epsg=epsg))
    for _ in range(_ROUNDS):
        if is_clean(degrees):
            return np.asarray(degrees)
        lattice = shapely.transform(degrees, lambda xy: np.rint(xy * PER_DEGREE))
        broken = ~shapely.is_valid(lattice)
        lattice[broken] = polygonal(
            shapely.make_valid(lattice[broken], method="structure", keep_collapsed=False)
        )
        lattice = shapely.coverage_clean(  # type: ignore[attr-defined]
            lattice, snapping_distance=2.0, gap_width=5.0, merge_strategy=rule
        )
        degrees = shapely.transform(lattice, lambda xy: np.rint(xy) / PER_DEGREE)
    if not is_clean(degrees):
        raise GeoError("自动修复后仍有重叠或破损,请加大对齐距离或手工修改后重试。")
    return np.asarray(degrees)


def _without_slits(plane: NDArray[Any], *, rule: str, snap_m: float) -> NDArray[Any]:
    """Slits at the rim, which no ring encloses, given to the neighbour with most border."""
    tree = shapely.STRtree(plane)
    slits = open_slits(plane, shapely.coverage_union_all(plane), tree)
    filled = plane.copy()
    for slit in slits:
        heir = longest_neighbour(tree, plane, slit, -1)
        if heir is not None:
            filled[heir] = shapely.union(filled[heir], slit)
    if not slits:
        return plane
    return np.asarray(
        shapely.coverage_clean(  # type: ignore[attr-defined]
            filled, snapping_distance=snap_m, gap_width=1.0, merge_strategy=rule
        )
    )


def longest_neighbour(tree: shapely.STRtree, plane: NDArray[Any], part: Any, owner: int) -> int | None:
    best, longest = None, 0.0
    around = shapely.buffer(part, 0.5)
    for j in sorted(tree.query(around, predicate="intersects").tolist()):
        shared = shapely.intersection(around, plane[j]).area if j != owner else 0.0
        if shared > longest:
            best, longest = j, shared
    return best
