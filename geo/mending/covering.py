"""A clean partition made from a dirty one by rule, cleaning only where there is dirt."""

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.errors import GeoError
from geo.index.shapes import PER_DEGREE, is_clean
from geo.review.surfaces import holes_of, open_slits, polygonal, width_m
from geo.zones import to_degrees

RULES = {
    "longest_border": "归公共边界最长的一方",
    "max_area": "归面积大的一方",
    "min_area": "归面积小的一方",
    "min_index": "归先列出的一方",
}
_ROUNDS = 4


def on_lattice(geometries: Any) -> Any:
    """Every vertex on a whole 1e-7 of a degree, as the index will see it."""
    return shapely.transform(geometries, lambda xy: np.rint(xy * PER_DEGREE) / PER_DEGREE)


def rounded(shape: Any) -> Any:
    """One shape on the lattice, unless that would break it."""
    once = on_lattice(shape)
    return once if once.is_valid else made_valid(np.array([once], dtype=object))[0]


def made_valid(drawn: NDArray[Any]) -> NDArray[Any]:
    """Broken polygons cut where they cross themselves; the others as they are."""
    broken = np.flatnonzero(~shapely.is_valid(drawn))
    mended = drawn.copy()
    mended[broken] = polygonal(shapely.make_valid(drawn[broken], method="structure", keep_collapsed=False))
    return mended


def clean_coverage(
    plane: NDArray[Any], epsg: int, *, rule: str, gap_width_m: float, snap_m: float
) -> NDArray[Any]:
    """Valid polygons on the plane of a zone as a clean partition in degrees, on the lattice.

    Rounding can undo a hair's breadth of it, hence the rounds.
    """
    options = {"gap_width": gap_width_m, "merge_strategy": rule}
    plane = _cleaned(plane, _dirty(plane), snapping_distance=snap_m, **options)
    beside = _beside_narrow_holes(plane, gap_width_m)
    if beside.any():
        plane = _cleaned(plane, beside, snapping_distance=snap_m, **options)
    plane, heirs = _without_slits(plane)
    if heirs.any():
        plane = _cleaned(plane, heirs, snapping_distance=snap_m, gap_width=1.0, merge_strategy=rule)
    degrees = on_lattice(to_degrees(plane, epsg=epsg))
    for _ in range(_ROUNDS):
        if is_clean(degrees):
            return np.asarray(degrees)
        lattice = made_valid(shapely.transform(degrees, lambda xy: np.rint(xy * PER_DEGREE)))
        lattice = _cleaned(
            lattice, _dirty(lattice), snapping_distance=2.0, gap_width=5.0, merge_strategy=rule
        )
        degrees = shapely.transform(lattice, lambda xy: np.rint(xy) / PER_DEGREE)
    if not is_clean(degrees):
        raise GeoError("自动修复后仍有重叠或破损,请加大对齐距离或手工修改后重试。")
    return np.asarray(degrees)


def _dirty(plane: NDArray[Any]) -> NDArray[np.bool_]:
    """Features with an edge that does not match their neighbour's."""
    return np.asarray(~shapely.is_empty(shapely.coverage_invalid_edges(plane)))


def _cleaned(plane: NDArray[Any], dirty: NDArray[np.bool_], **options: Any) -> NDArray[Any]:
    """The coverage with the dirty features and those around them cleaned.

    Features narrower than the gaps to be filled always take part: left out they would look like gaps.
    """
    if not dirty.any():
        return plane
    near = shapely.STRtree(plane).query(plane[dirty], predicate="dwithin", distance=options["gap_width"])[1]
    taking = dirty.copy()
    taking[near] = True
    length = shapely.length(plane)
    taking |= 2 * shapely.area(plane) <= options["gap_width"] * length
    cleaned = plane.copy()
    cleaned[taking] = shapely.coverage_clean(plane[taking], **options)  # type: ignore[attr-defined]
    return cleaned


def _beside_narrow_holes(plane: NDArray[Any], gap_width_m: float) -> NDArray[np.bool_]:
    """Features around holes that are to be filled and that no mismatched edge has given away."""
    beside = np.zeros(len(plane), dtype=bool)
    holes = [
        hole
        for hole in holes_of(shapely.coverage_union_all(plane))
        if width_m(hole) <= gap_width_m
        and 2 * shapely.length(shapely.maximum_inscribed_circle(hole)) <= gap_width_m
    ]
    if holes:
        beside[shapely.STRtree(plane).query(holes, predicate="dwithin", distance=0.05)[1]] = True
    return beside


def _without_slits(plane: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Slits at the rim, which no ring encloses, given to the neighbour with most border; and who got one."""
    tree = shapely.STRtree(plane)
    filled, heirs = plane.copy(), np.zeros(len(plane), dtype=bool)
    for slit in open_slits(plane, shapely.coverage_union_all(plane), tree):
        heir = longest_neighbour(tree, plane, slit, -1)
        if heir is not None:
            filled[heir] = shapely.union(filled[heir], slit)
            heirs[heir] = True
    return filled, heirs


def longest_neighbour(tree: shapely.STRtree, plane: NDArray[Any], part: Any, owner: int) -> int | None:
    """The feature that a part shares most border with, its owner left aside."""
    best, longest = None, 0.0
    around = shapely.buffer(part, 0.5)
    for j in sorted(tree.query(around, predicate="intersects").tolist()):
        shared = shapely.intersection(around, plane[j]).area if j != owner else 0.0
        if shared > longest:
            best, longest = j, shared
    return best
