"""Metres around a place: a local plane on the ellipsoid, good to a millionth over some kilometres."""

import math
from typing import Any

import numpy as np
import shapely

_SEMI_MAJOR_M = 6378137.0
_ECCENTRICITY_SQUARED = 0.0066943800229


def metres_per_degree(*, lat: float) -> tuple[float, float]:
    """Length of one degree of longitude and of latitude at a latitude."""
    angle = math.radians(lat)
    shrink = 1.0 - _ECCENTRICITY_SQUARED * math.sin(angle) ** 2
    east = math.pi / 180 * _SEMI_MAJOR_M / math.sqrt(shrink) * math.cos(angle)
    north = math.pi / 180 * _SEMI_MAJOR_M * (1 - _ECCENTRICITY_SQUARED) / shrink**1.5
    return east, north


def on_plane(geometry: Any, *, lon: float, lat: float) -> Any:
    """Geometry (or array of them) in metres east and north of a position."""
    scale, place = np.array(metres_per_degree(lat=lat)), np.array([lon, lat])
    return shapely.transform(geometry, lambda xy: (xy - place) * scale)
