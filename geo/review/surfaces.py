"""Overlaps, gaps and slivers of one level, measured in metres on the zone's plane."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.index.shapes import is_clean
from geo.review.findings import Finding
from geo.zones import to_degrees, to_zone, zone_at

SLIVER_WIDTH_M = 5.0
SLIVER_AREA_M2 = 100.0
LEAST_AREA_M2 = 0.05
SLIT_M = 15.0


@dataclass
class Sheet:
    """The features of one level on the plane of one zone, made valid for measuring only."""

    level: str
    codes: list[str]
    names: list[str]
    plane: NDArray[Any]
    epsg: int
    clean: bool

    @classmethod
    def of(cls, level: str, codes: list[str], names: list[str], geometries: NDArray[Any]) -> "Sheet":
        west, _, east, _ = shapely.total_bounds(geometries)
        epsg = 4534 + zone_at(lon=(west + east) / 2) - 25
        plane = to_zone(geometries, epsg=epsg)
        broken = ~shapely.is_valid(plane)
        plane[broken] = polygonal(shapely.make_valid(plane[broken], method="structure", keep_collapsed=False))
        return cls(level, codes, names, plane, epsg, is_clean(geometries))

    def who(self, index: int) -> str:
        return f"{self.names[index]}({self.codes[index]})"

    def finding(self, kind: str, message: str, codes: tuple[str, ...], surface: Any) -> Finding:
        """A finding with its place and size taken from a surface on the plane."""
        drawn = to_degrees(surface, epsg=self.epsg)
        place = shapely.point_on_surface(drawn)
        return Finding(
            kind, message, self.level, codes, float(surface.area), width_m(surface),
            round(place.x, 6), round(place.y, 6), drawn,
        )  # fmt: skip


def polygonal(geometries: Any) -> Any:
    """Only the polygons of each geometry."""
    array = np.atleast_1d(np.asarray(geometries, dtype=object))
    cleaned = np.empty(len(array), dtype=object)
    for i, geometry in enumerate(array):
        parts = [p for p in shapely.get_parts(geometry) if p.geom_type in ("Polygon", "MultiPolygon")]
        parts = [p for part in parts for p in shapely.get_parts(part)]
        cleaned[i] = parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
    return cleaned


def width_m(surface: Any) -> float:
    """Mean width of something long and thin; about half the side of a square."""
    length = shapely.length(surface)
    return float(2 * shapely.area(surface) / length) if length else 0.0


def is_sliver(surface: Any) -> bool:
    return bool(surface.area < SLIVER_AREA_M2 or width_m(surface) < SLIVER_WIDTH_M)


def overlaps(sheet: Sheet) -> Iterator[Finding]:
    """Pairs of features that claim the same ground."""
    if sheet.clean:
        return
    tree = shapely.STRtree(sheet.plane)
    left, right = tree.query(sheet.plane, predicate="intersects")
    pairs = left < right
    left, right = left[pairs], right[pairs]
    shared = shapely.intersection(sheet.plane[left], sheet.plane[right])
    for a, b, common in zip(left.tolist(), right.tolist(), polygonal(shared), strict=True):
        if common.area < LEAST_AREA_M2:
            continue
        smaller = min(sheet.plane[a].area, sheet.plane[b].area)
        codes = (sheet.codes[a], sheet.codes[b])
        between = f"{sheet.who(a)}与{sheet.who(b)}"
        if common.area > 0.98 * max(sheet.plane[a].area, sheet.plane[b].area):
            yield sheet.finding("duplicate_shape", f"{between}边界几乎相同。", codes, common)
            continue
        kind = "overlap_sliver" if width_m(common) < SLIVER_WIDTH_M else "overlap"
        part = f",占较小者的 {common.area / smaller:.1%}" if smaller else ""
        message = f"{between}重叠 {common.area:,.1f} 平方米,平均宽 {width_m(common):.1f} 米{part}。"
        yield sheet.finding(kind, message, codes, common)


def united(drawn: Any, *, clean: bool) -> Any:
    """The shapes as one surface; edges that meet to the last bit but one still need the slow way."""
    if clean:
        with suppress(shapely.errors.GEOSException):
            return shapely.coverage_union_all(drawn)
    return shapely.union_all(drawn)


def gaps(sheet: Sheet, filled_by: NDArray[Any]) -> Iterator[Finding]:
    """Enclosed holes between features, and narrow slits that open to the outside.

    What `filled_by` (degrees) covers is no gap: areas of a higher level that have none below them.
    """
    union = united(sheet.plane, clean=sheet.clean)
    tree = shapely.STRtree(sheet.plane)
    found = [hole for hole in holes_of(union) if hole.area >= LEAST_AREA_M2]
    found += open_slits(sheet.plane, union, tree)
    for hole in _unfilled(found, to_zone(filled_by, epsg=sheet.epsg)) if len(filled_by) else found:
        beside = beside_of(tree, hole)
        codes = tuple(sheet.codes[i] for i in beside)
        named = "、".join(sheet.who(i) for i in beside[:4])
        kind = "gap_sliver" if width_m(hole) < SLIVER_WIDTH_M else "gap"
        message = f"{named}之间有缝隙 {hole.area:,.1f} 平方米,平均宽 {width_m(hole):.1f} 米。"
        yield sheet.finding(kind, message, codes, hole)


def _unfilled(holes: list[Any], fillers: NDArray[Any]) -> list[Any]:
    """What is left of holes under other areas."""
    fillers = np.where(shapely.is_valid(fillers), fillers, polygonal(shapely.make_valid(fillers)))
    tree, left = shapely.STRtree(fillers), []
    for hole in holes:
        over = fillers[tree.query(hole, predicate="intersects")]
        rest = shapely.difference(hole, shapely.union_all(over)) if len(over) else hole
        left += [p for p in shapely.get_parts(polygonal(rest)[0]) if p.area >= LEAST_AREA_M2]
    return left


def holes_of(union: Any) -> list[Any]:
    """The holes of a surface as polygons."""
    return [
        shapely.Polygon(ring)
        for part in shapely.get_parts(union)
        if part.geom_type == "Polygon"
        for ring in part.interiors
    ]


def open_slits(plane: NDArray[Any], union: Any, tree: shapely.STRtree) -> list[Any]:
    """Long narrow gaps between two features that are open to the outside, so that no ring encloses them."""
    filled = shapely.union_all(
        [shapely.Polygon(p.exterior) for p in shapely.get_parts(union) if p.geom_type == "Polygon"]
    )
    closed = shapely.buffer(shapely.buffer(filled, SLIT_M, join_style="mitre"), -SLIT_M, join_style="mitre")
    return [
        slit
        for slit in shapely.get_parts(shapely.difference(closed, filled))
        if slit.area >= 1.0 and slit.length > 60 * width_m(slit) and _is_lined(plane, slit, tree)
    ]


def _is_lined(plane: NDArray[Any], slit: Any, tree: shapely.STRtree) -> bool:
    """Whether features line both long sides of a slit; a notch in the rim has an open side, or one feature."""
    beside = [
        shapely.intersection(shapely.buffer(plane[i], 0.05), slit.exterior).length
        for i in beside_of(tree, slit)
    ]
    return len(beside) >= 2 and sum(beside) > 0.85 * slit.length and sorted(beside)[-2] > 0.15 * slit.length


def beside_of(tree: shapely.STRtree, surface: Any, *, distance: float = 0.05) -> list[int]:
    """Features that touch a surface, or nearly."""
    return sorted(tree.query(surface, predicate="dwithin", distance=distance).tolist())


def loose_parts(sheet: Sheet) -> Iterator[Finding]:
    """Parts apart from the main body: exclaves, or slivers that are nobody's intention."""
    for i in np.flatnonzero(shapely.get_num_geometries(sheet.plane) > 1).tolist():
        parts = sorted(shapely.get_parts(sheet.plane[i]), key=lambda p: -p.area)
        for part in parts[1:]:
            apart_m = shapely.distance(part, parts[0])
            kind = "sliver_part" if is_sliver(part) else "exclave"
            what = "碎片" if kind == "sliver_part" else "飞地"
            message = f"{sheet.who(i)}有{what} {part.area:,.1f} 平方米,距主体 {apart_m:,.0f} 米。"
            yield sheet.finding(kind, message, (sheet.codes[i],), part)
