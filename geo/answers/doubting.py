"""When a point is not plainly inside one area: circle shares, gaps, and the way to the nearest."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from geo.index.layout import Layout
from geo.metres import metres_per_degree, on_plane
from geo.placed import Candidate

SNAP_M = 30.0
WIDEST_CIRCLE_M = 3_000.0
_MOST_CANDIDATES = 20


@dataclass(frozen=True)
class Near:
    """A leaf and how far its border is."""

    shape: int
    distance_m: float


def nearest_leaf(layout: Layout, *, lon: float, lat: float) -> Near:
    """The leaf nearest to a point, however far."""
    near = leaves_within(layout, lon=lon, lat=lat, within_m=None)
    return near[0]


def leaves_within(layout: Layout, *, lon: float, lat: float, within_m: float | None) -> list[Near]:
    """Leaves by distance, ties by code; without a limit at least the nearest is among them."""
    east, north = metres_per_degree(lat=lat)
    tree = layout.leaf_tree
    point = shapely.Point(lon, lat)
    if within_m is None:
        # Degrees are not round: what is nearest in degrees bounds what is nearest in metres.
        first = tree.query_nearest(point, all_matches=False)
        within_m = _distances(tree.geometries[first], lon, lat)[0] + 0.01
    reach = shapely.box(
        lon - within_m / east, lat - within_m / north, lon + within_m / east, lat + within_m / north
    )
    found = tree.query(reach)
    found = found[_box_distances(layout.leaf_bounds[found], lon, lat, east, north) <= within_m]
    distances = _distances(tree.geometries[found], lon, lat)
    order = sorted(
        (round(float(d), 4), layout.areas[layout.shape_area[s]][0], int(s))
        for d, s in zip(distances, found, strict=True)
        if d <= within_m
    )
    return [Near(shape, distance_m) for distance_m, _, shape in order]


def _box_distances(boxes: Any, lon: float, lat: float, east: float, north: float) -> Any:
    """Metres to bounding boxes: never more than to what is in them."""
    apart_x = np.maximum(np.maximum(boxes[:, 0] - lon, lon - boxes[:, 2]), 0.0) * east
    apart_y = np.maximum(np.maximum(boxes[:, 1] - lat, lat - boxes[:, 3]), 0.0) * north
    return np.hypot(apart_x, apart_y)


def _distances(geometries: Any, lon: float, lat: float) -> Any:
    return shapely.distance(on_plane(geometries, lon=lon, lat=lat), shapely.Point(0.0, 0.0))


def circle_shares(layout: Layout, *, lon: float, lat: float, accuracy_m: float) -> tuple[Candidate, ...]:
    """Leaves the accuracy circle touches, with the part of the circle in each, largest first."""
    radius = min(accuracy_m, WIDEST_CIRCLE_M)
    if radius <= 0:
        return ()
    east, north = metres_per_degree(lat=lat)
    reach = shapely.box(lon - radius / east, lat - radius / north, lon + radius / east, lat + radius / north)
    found = layout.leaf_tree.query(reach)
    if not len(found):
        return ()
    circle = shapely.buffer(shapely.Point(0.0, 0.0), radius, quad_segs=16)
    plane = on_plane(layout.leaf_tree.geometries[found], lon=lon, lat=lat)
    plane = np.where(shapely.is_valid(plane), plane, shapely.make_valid(plane))
    # Cutting to the circle's box first keeps huge neighbours cheap.
    cut = shapely.clip_by_rect(plane, -radius, -radius, radius, radius)
    cut = np.where(shapely.is_valid(cut), cut, plane)
    shares = shapely.area(shapely.intersection(cut, circle)) / circle.area
    rows = [
        (-round(float(share), 6), layout.areas[layout.shape_area[s]][0])
        for share, s in zip(shares, found, strict=True)
        if share > 0
    ]
    return tuple(Candidate(code, -share) for share, code in sorted(rows)[:_MOST_CANDIDATES])


def in_gap(layout: Layout, *, lon: float, lat: float) -> bool:
    """Whether a point without a leaf is enclosed by the city all the same."""
    return bool(shapely.covers(layout.outline, shapely.Point(lon, lat)))
