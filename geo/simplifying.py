"""Lighter copies of borders for maps, one per zoom, whose neighbours still share every edge."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.index.shapes import PER_DEGREE

_PIXEL_AT_ZOOM_0_M = 156_543.034
_METRES_PER_DEGREE = 111_320.0


def tolerance_degrees(*, zoom: int, lat: float) -> float:
    """Half a screen pixel at a zoom of the usual web map, as degrees of latitude."""
    pixel_m = _PIXEL_AT_ZOOM_0_M * math.cos(math.radians(lat)) / float(2**zoom)
    return pixel_m / 2 / _METRES_PER_DEGREE


def simplify_for_zooms(geometries: Any, zooms: Iterable[int]) -> dict[int, NDArray[Any]]:
    """Simplified copies of one level, in the same order, for each zoom.

    A clean partition stays one (edges are simplified once, for both sides). Areas that are none are
    simplified one by one, keeping each of them valid, and may then gape or overlap by less than a pixel.
    """
    drawn = np.asarray(geometries, dtype=object)
    _, south, _, north = shapely.total_bounds(drawn)
    clean = bool(shapely.is_valid(drawn).all() and shapely.coverage_is_valid(drawn))
    copies = {}
    for zoom in zooms:
        tolerance = tolerance_degrees(zoom=zoom, lat=float(south + north) / 2)
        copies[zoom] = _simplified(drawn, tolerance, clean)
    return copies


def _simplified(drawn: NDArray[Any], tolerance: float, clean: bool) -> NDArray[Any]:
    if not clean:
        return np.asarray(shapely.simplify(drawn, tolerance, preserve_topology=True))
    light = shapely.coverage_simplify(drawn, tolerance)
    rounded = shapely.transform(light, lambda xy: np.rint(xy * PER_DEGREE) / PER_DEGREE)
    if shapely.is_valid(rounded).all() and shapely.coverage_is_valid(rounded):
        return np.asarray(rounded)
    return np.asarray(light)
