"""Projected CGCS2000 in 3° zones (EPSG:4513–4554): recognised from the numbers, confirmed by a person.

Eastings with the zone number in front (39 500 000) name their zone. Eastings without it do not, and local
systems look just like them: there the EPSG code must be given.
"""

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyproj
import shapely

from geo.errors import BadFile
from geo.frames import Frame, known_frame

_NUMBERED = {4513 + i: 25 + i for i in range(21)}  # EPSG of zones with the number in the easting
_PLAIN = {4534 + i: 25 + i for i in range(21)}  # the same zones by central meridian, easting 500 000
ZONE_OF_EPSG = {**_NUMBERED, **_PLAIN}
_GEOGRAPHIC = {4326: Frame.WGS84, 4490: Frame.CGCS2000}
_HALF_WIDTH_M = 334_000  # nothing in a 3° zone is farther from the middle, even with a generous margin


@dataclass(frozen=True)
class Recognised:
    """What the numbers say: the EPSG to confirm (None: it has to be given) and the sentence for the person."""

    epsg: int | None
    swapped: bool
    sentence: str


def zone_at(*, lon: float) -> int:
    """Number of the 3° zone of a longitude, 25 to 45."""
    return int(np.clip(np.floor(lon / 3 + 0.5), 25, 45))


def recognise(bounds: tuple[float, float, float, float]) -> Recognised | None:
    """What projected system a bounding box may be in; None when it is longitude and latitude."""
    west, south, east, north = bounds
    if -180 <= west <= east <= 180 and -90 <= south <= north <= 90:
        return None
    for swapped, (low, high), (bottom, top) in (
        (False, (west, east), (south, north)),
        (True, (south, north), (west, east)),
    ):
        if not 300_000 < bottom <= top < 6_200_000:
            continue
        zone, offset = divmod(low, 1_000_000)
        if 25 <= zone <= 45 and abs(offset - 500_000) <= _HALF_WIDTH_M and high - low < 2 * _HALF_WIDTH_M:
            order = ",且坐标写成了(北、东)顺序" if swapped else ""
            return Recognised(
                4513 + int(zone) - 25,
                swapped,
                f"像是 CGCS2000 三度带第 {int(zone)} 带(EPSG:{4513 + int(zone) - 25}){order},请确认。",
            )
        if abs(low - 500_000) <= _HALF_WIDTH_M and abs(high - 500_000) <= _HALF_WIDTH_M:
            return Recognised(
                None, swapped, "是不带带号的平面坐标,可能是 CGCS2000 三度带,也可能是地方坐标系,请给出 EPSG。"
            )
    return Recognised(None, False, "是平面坐标,但不像 CGCS2000 三度带;地方坐标系请先转换为 EPSG:4490。")


def checked_system(given: Frame | str | int) -> Frame | int:
    """A frame, or the EPSG of a 3° zone; anything else is refused."""
    text = str(given).upper().removeprefix("EPSG:")
    if not text.isdigit():
        return known_frame(str(given))
    number = int(text)
    if number in _GEOGRAPHIC:
        return _GEOGRAPHIC[number]
    if number in ZONE_OF_EPSG:
        return number
    raise BadFile(f"不支持 EPSG:{number},请给 4326、4490 或 CGCS2000 三度带 4513–4554。")


def to_degrees(geometry: Any, *, epsg: int) -> Any:
    """Projected geometry (or array) to longitude and latitude."""
    transformer = _transformer(epsg)
    return shapely.transform(
        geometry, lambda xy: np.column_stack(transformer.transform(xy[:, 0], xy[:, 1], direction="INVERSE"))
    )


def to_zone(geometry: Any, *, epsg: int) -> Any:
    """Longitude and latitude to a 3° zone, in metres."""
    transformer = _transformer(epsg)
    return shapely.transform(geometry, lambda xy: np.column_stack(transformer.transform(xy[:, 0], xy[:, 1])))


def square_metres(geometries: Any) -> Any:
    """Area of each geometry in the 3° zone its middle lies in, in m²."""
    array = np.atleast_1d(np.asarray(geometries, dtype=object))
    area = np.zeros(len(array))
    bounds = shapely.bounds(array)
    drawn = np.isfinite(bounds).all(axis=1)
    zones = np.zeros(len(array), dtype=int)
    zones[drawn] = np.clip(np.floor((bounds[drawn, 0] + bounds[drawn, 2]) / 6 + 0.5), 25, 45)
    for zone in np.unique(zones[drawn]):
        members = zones == zone
        area[members] = shapely.area(to_zone(array[members], epsg=4534 + int(zone) - 25))
    return area if np.ndim(geometries) else float(area[0])


@functools.lru_cache(maxsize=64)
def _built(epsg: int) -> str:
    return str(pyproj.CRS.from_epsg(epsg).to_wkt())


def _transformer(epsg: int) -> pyproj.Transformer:
    """A fresh one: pyproj's are not to be shared between threads."""
    return pyproj.Transformer.from_crs("EPSG:4490", pyproj.CRS.from_wkt(_built(epsg)), always_xy=True)
