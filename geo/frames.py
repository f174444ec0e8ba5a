"""Frames of reference a coordinate can come in, and the way to WGS-84 and back.

GCJ-02 is the offset of Chinese web maps (Amap, Tencent), BD-09 Baidu's offset on top of it. CGCS2000
(EPSG:4490) differs from WGS-84 by centimetres and is treated as equal. Inverses are iterated to below a
nanodegree; outside China every frame is the identity. Whoever may not invert GCJ-02 encodes the borders
forward with `encode_geometry` and compares there.
"""

import math
from enum import StrEnum
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.errors import BadPoint, UnknownFrame
from geo.outline import in_china, in_china_array

Floats = NDArray[np.float64]


class Frame(StrEnum):
    """The frame a longitude and latitude are given in."""

    WGS84 = "wgs84"
    GCJ02 = "gcj02"
    BD09 = "bd09"
    CGCS2000 = "cgcs2000"


_PLAIN = (Frame.WGS84, Frame.CGCS2000)
_SEMI_MAJOR_M = 6378245.0  # Krasovsky 1940, as the published offset uses it
_ECCENTRICITY_SQUARED = 0.00669342162296594323
_BD_TURN = math.pi * 3000.0 / 180.0
_ROUNDS = 12


def known_frame(frame: Frame | str) -> Frame:
    """The frame by name; raises `UnknownFrame`."""
    try:
        return Frame(frame)
    except ValueError:
        known = "、".join(Frame)
        raise UnknownFrame(f"不认识坐标系“{frame}”,请用 {known} 之一。") from None


def checked_point(*, lon: float, lat: float) -> tuple[float, float]:
    """The pair as floats, or `BadPoint` when it is no place on earth."""
    try:
        lon, lat = float(lon), float(lat)
    except (TypeError, ValueError):
        raise BadPoint(f"坐标必须是数字:经度 {lon!r},纬度 {lat!r}。") from None
    if not (-180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0):  # NaN fails both
        swapped = ",经纬度可能写反了" if -90.0 <= lon <= 90.0 and -180.0 <= lat <= 180.0 else ""
        raise BadPoint(f"经度 {lon}、纬度 {lat} 超出范围{swapped},请核对后重报。")
    return lon, lat


def to_wgs84(*, lon: float, lat: float, frame: Frame | str) -> tuple[float, float]:
    """WGS-84 `(lon, lat)` of a position given in `frame`."""
    frame = known_frame(frame)
    lon, lat = checked_point(lon=lon, lat=lat)
    if frame in _PLAIN:
        return lon, lat
    found = _undo(math, lon, lat, _wgs_to_bd if frame is Frame.BD09 else _wgs_to_gcj)
    return found if in_china(lon=found[0], lat=found[1]) else (lon, lat)


def from_wgs84(*, lon: float, lat: float, frame: Frame | str) -> tuple[float, float]:
    """A WGS-84 position expressed in `frame`."""
    frame = known_frame(frame)
    lon, lat = checked_point(lon=lon, lat=lat)
    if frame in _PLAIN or not in_china(lon=lon, lat=lat):
        return lon, lat
    return _wgs_to_bd(math, lon, lat) if frame is Frame.BD09 else _wgs_to_gcj(math, lon, lat)


def to_wgs84_array(*, lon: Any, lat: Any, frame: Frame | str) -> tuple[Floats, Floats]:
    """`to_wgs84` for arrays. Values that are no place on earth come back as NaN."""
    frame, lon, lat = known_frame(frame), *_checked_arrays(lon, lat)
    if frame in _PLAIN:
        return lon, lat
    x, y = _undo(np, lon, lat, _wgs_to_bd if frame is Frame.BD09 else _wgs_to_gcj)
    inside = in_china_array(lon=x, lat=y)
    return np.where(inside, x, lon), np.where(inside, y, lat)


def from_wgs84_array(*, lon: Any, lat: Any, frame: Frame | str) -> tuple[Floats, Floats]:
    """`from_wgs84` for arrays. Values that are no place on earth come back as NaN."""
    frame, lon, lat = known_frame(frame), *_checked_arrays(lon, lat)
    if frame in _PLAIN:
        return lon, lat
    x, y = _wgs_to_bd(np, lon, lat) if frame is Frame.BD09 else _wgs_to_gcj(np, lon, lat)
    inside = in_china_array(lon=lon, lat=lat)
    return np.where(inside, x, lon), np.where(inside, y, lat)


def encode_geometry(geometry: Any, *, frame: Frame | str) -> Any:
    """Geometry or array of geometries in WGS-84, expressed in `frame` vertex by vertex."""

    def move(xy: Floats) -> Floats:
        return np.column_stack(from_wgs84_array(lon=xy[:, 0], lat=xy[:, 1], frame=frame))

    return shapely.transform(geometry, move)


def decode_geometry(geometry: Any, *, frame: Frame | str) -> Any:
    """Geometry or array of geometries in `frame`, expressed in WGS-84 vertex by vertex."""

    def move(xy: Floats) -> Floats:
        return np.column_stack(to_wgs84_array(lon=xy[:, 0], lat=xy[:, 1], frame=frame))

    return shapely.transform(geometry, move)


def _checked_arrays(lon: Any, lat: Any) -> tuple[Floats, Floats]:
    x, y = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    bad = ~((x >= -180.0) & (x <= 180.0) & (y >= -90.0) & (y <= 90.0))
    return (np.where(bad, np.nan, x), np.where(bad, np.nan, y)) if bad.any() else (x, y)


def _wgs_to_gcj(m: Any, lon: Any, lat: Any) -> tuple[Any, Any]:
    """The published offset; `m` is `math` for one point or `numpy` for arrays."""
    x, y, pi = lon - 105.0, lat - 35.0, math.pi
    root = m.sqrt(abs(x))
    ripple = (20.0 * m.sin(6.0 * x * pi) + 20.0 * m.sin(2.0 * x * pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + ripple
    north += (20.0 * m.sin(y * pi) + 40.0 * m.sin(y / 3.0 * pi)) * 2.0 / 3.0
    north += (160.0 * m.sin(y / 12.0 * pi) + 320.0 * m.sin(y * pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + ripple
    east += (20.0 * m.sin(x * pi) + 40.0 * m.sin(x / 3.0 * pi)) * 2.0 / 3.0
    east += (150.0 * m.sin(x / 12.0 * pi) + 300.0 * m.sin(x / 30.0 * pi)) * 2.0 / 3.0
    angle = lat / 180.0 * pi
    shrink = 1.0 - _ECCENTRICITY_SQUARED * m.sin(angle) * m.sin(angle)
    meridian_m = _SEMI_MAJOR_M * (1.0 - _ECCENTRICITY_SQUARED) / (shrink * m.sqrt(shrink))
    parallel_m = _SEMI_MAJOR_M / m.sqrt(shrink) * m.cos(angle)
    return lon + east * 180.0 / (parallel_m * pi), lat + north * 180.0 / (meridian_m * pi)


def _wgs_to_bd(m: Any, lon: Any, lat: Any) -> tuple[Any, Any]:
    x, y = _wgs_to_gcj(m, lon, lat)
    radius = m.sqrt(x * x + y * y) + 0.00002 * m.sin(y * _BD_TURN)
    turn = (math.atan2 if m is math else np.arctan2)(y, x) + 0.000003 * m.cos(x * _BD_TURN)
    return radius * m.cos(turn) + 0.0065, radius * m.sin(turn) + 0.006


def _undo(m: Any, lon: Any, lat: Any, forward: Any) -> tuple[Any, Any]:
    """Fixed-point iteration; the offset is a contraction (its slope is below 0.02 per unit)."""
    x, y = lon, lat
    for _ in range(_ROUNDS):
        ex, ey = forward(m, x, y)
        dx, dy = ex - lon, ey - lat
        x, y = x - dx, y - dy
        if m is math and abs(dx) + abs(dy) < 1e-13:
            break
    return x, y
