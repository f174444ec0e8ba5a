"""Lighter copies of borders for maps, one per zoom, whose neighbours still share every edge."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.index.shapes import PER_DEGREE, is_clean

_PIXEL_AT_ZOOM_0_M = 156_543.034
_METRES_PER_DEGREE = 111_320.0


def half_pixel_m(*, zoom: int, lat: float) -> float:
    """Half a screen pixel at a zoom of the usual web map."""
    return _PIXEL_AT_ZOOM_0_M * math.cos(math.radians(lat)) / float(2**zoom) / 2


def tolerance_degrees(*, zoom: int, lat: float) -> float:
    """The same as degrees of latitude."""
    return half_pixel_m(zoom=zoom, lat=lat) / _METRES_PER_DEGREE


def middle_lat(geometries: Any) -> float:
    """Latitude of the middle of some shapes."""
    _, south, _, north = shapely.total_bounds(geometries)
    return float(south + north) / 2


def simplify_for_zooms(
    geometries: Any, zooms: Iterable[int], *, tiling: bool | None = None
) -> dict[int, NDArray[Any]]:
    """Simplified copies of one level, in the same order, for each zoom.

    A clean partition stays one (edges are simplified once, for both sides). Areas that are none are
    simplified one by one, keeping each of them valid, and may then gape or overlap by less than a pixel.
    `tiling` says which of the two it is, where that is known.
    """
    drawn = np.asarray(geometries, dtype=object)
    clean = is_clean(drawn) if tiling is None else tiling
    lat = middle_lat(drawn)
    return {zoom: _simplified(drawn, tolerance_degrees(zoom=zoom, lat=lat), clean) for zoom in zooms}


def _simplified(drawn: NDArray[Any], tolerance: float, clean: bool) -> NDArray[Any]:
    if not clean:
        return np.asarray(shapely.simplify(drawn, tolerance, preserve_topology=True))
    light = shapely.coverage_simplify(drawn, tolerance)
    rounded = shapely.transform(light, lambda xy: np.rint(xy * PER_DEGREE) / PER_DEGREE)
    if shapely.is_valid(rounded).all() and shapely.coverage_is_valid(rounded):
        return np.asarray(rounded)
    return np.asarray(light)
