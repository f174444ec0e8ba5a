"""Where is this point: one question, the codes of all levels and all overlays at once, with its doubt."""

import math
from pathlib import Path
from typing import Any

import numpy as np

from geo.answers.doubting import SNAP_M, WIDEST_CIRCLE_M, circle_shares, in_gap, leaves_within, nearest_leaf
from geo.answers.many import Many
from geo.answers.nearness import border_finder
from geo.answers.neighbouring import area_of, border_distance, neighbours
from geo.answers.profiles import Profile, Profiles
from geo.errors import BadPoint
from geo.frames import Frame, checked_point, known_frame, to_wgs84, to_wgs84_array
from geo.index.file import IndexFile
from geo.index.layout import Layout
from geo.index.lookup import Keys, ManyFinder, PointFinder, point_finder
from geo.index.shapes import PER_DEGREE
from geo.placed import Candidate, Placed
from geo.zones import square_metres

__all__ = ["Candidate", "Locator", "Many", "Placed"]

_PLAIN = {"wgs84": Frame.WGS84, "cgcs2000": Frame.CGCS2000}
_as_placed = tuple.__new__


class Locator:
    """One generation's index, opened. Cheap to open, shared by threads, shared in memory by processes."""

    def __init__(self, file: IndexFile) -> None:
        self._layout = Layout(file)
        self._profiles = Profiles(self._layout)
        self.find: PointFinder[Profile] = point_finder(file, self._profiles.decode)
        """Codes and overlays at a WGS-84 position and nothing else: no doubt weighed, no gap bridged."""
        self._border = border_finder(file)
        self._many: ManyFinder | None = None
        self._east, self._north = self._layout.origin
        self.generation = self._layout.generation

    @classmethod
    def open(cls, path: Path | str) -> "Locator":
        """Map an index file; raises `BadIndex` when it is missing or damaged."""
        return cls(IndexFile(Path(path)))

    def locate(self, *, lon: float, lat: float, accuracy_m: float | None, frame: Frame | str) -> Placed:
        """Place one point given in `frame`, `accuracy_m` being the radius the device claims."""
        known = _PLAIN.get(frame)
        if known is None:
            known = known_frame(frame)
            lon, lat = to_wgs84(lon=lon, lat=lat, frame=known)
        try:
            profile = self.find(lon=lon, lat=lat)
        except (TypeError, ValueError, OverflowError):
            lon, lat = checked_point(lon=lon, lat=lat)
            profile = self.find(lon=lon, lat=lat)
        leaf, codes, overlays, on_border, how, reason = profile
        if leaf < 0 or accuracy_m is not None:
            return self._doubted(lon, lat, accuracy_m, known, profile)
        fields = (lon, lat, known, None, codes, overlays, on_border, None, (), how, None, None, reason)
        return _as_placed(Placed, (*fields, self.generation))

    def _doubted(
        self, lon: float, lat: float, accuracy_m: float | None, frame: Frame, profile: Profile
    ) -> Placed:
        """The answer with the accuracy circle weighed, or with the way to the nearest area."""
        border_m = None
        candidates: tuple[Candidate, ...] = ()
        if accuracy_m is not None:
            accuracy_m = _checked_accuracy(accuracy_m)
            x, y = round(lon * 1e7) - self._east, round(lat * 1e7) - self._north
            border_m = self._border(x, y, lat, min(accuracy_m, WIDEST_CIRCLE_M))
            if border_m is None and profile.leaf >= 0 and self._layout.leaf_bits:
                candidates = (Candidate(self._profiles.code(profile.leaf), 1.0),)
            else:
                candidates = circle_shares(self._layout, lon=lon, lat=lat, accuracy_m=accuracy_m)
        if profile.leaf < 0:
            return self._nowhere(lon, lat, frame, accuracy_m, border_m, candidates, profile)
        return Placed(
            lon, lat, frame, accuracy_m, profile.codes, profile.overlays, profile.on_border, border_m,
            candidates, profile.how, None, None, profile.reason, self.generation,
        )  # fmt: skip

    def _nowhere(
        self,
        lon: float,
        lat: float,
        frame: Frame,
        accuracy_m: float | None,
        border_m: float | None,
        candidates: tuple[Candidate, ...],
        profile: Profile,
    ) -> Placed:
        """No finest area covers the point: snap over a small gap, or name the nearest and how far it is."""
        near = nearest_leaf(self._layout, lon=lon, lat=lat)
        code, name = self._profiles.code(near.shape), self._profiles.name(near.shape)
        codes, distance_m = profile.codes, near.distance_m
        gap = bool(codes) or in_gap(self._layout, lon=lon, lat=lat)
        if gap and distance_m <= SNAP_M:
            how, codes = "snapped", self._profiles.codes(near.shape)
            reason = f"点落在边界缝隙里,归入最近的“{name}”,相距 {distance_m:.1f} 米。"
        elif gap:
            how = "gap"
            reason = f"点不在任何末级区域内,最近的是“{name}”,相距{_far(distance_m)},需人工落格。"
        else:
            how, reason = "outside", f"点在辖区之外,离最近的“{name}”{_far(distance_m)}。"
        return Placed(
            lon, lat, frame, accuracy_m, codes, profile.overlays, profile.on_border, border_m,
            candidates, how, code, distance_m, reason, self.generation,
        )  # fmt: skip

    def locate_many(self, *, lon: Any, lat: Any, frame: Frame | str) -> Many:
        """Place many points at once; NaN and places beyond the earth are outside."""
        lon, lat = to_wgs84_array(lon=lon, lat=lat, frame=frame)
        return Many(self._keys(lon, lat), self._layout, self._profiles)

    def neighbours(self, code: str) -> tuple[str, ...]:
        """Codes of the areas of the same level that share a stretch of border with this one."""
        return neighbours(self._layout, code)

    def nearest(self, *, lon: float, lat: float, within_m: float) -> tuple[tuple[str, float], ...]:
        """Finest areas within a distance (WGS-84), as `(code, distance_m)`, nearest first."""
        lon, lat = checked_point(lon=lon, lat=lat)
        near = leaves_within(self._layout, lon=lon, lat=lat, within_m=_checked_accuracy(within_m))
        return tuple((self._profiles.code(n.shape), n.distance_m) for n in near)

    def border_distance_m(self, code: str, *, lon: float, lat: float) -> float:
        """Metres from a WGS-84 position to the border of an area, inside or out."""
        lon, lat = checked_point(lon=lon, lat=lat)
        return border_distance(self._layout, code, lon=lon, lat=lat)

    def area_m2(self, code: str) -> float:
        """Area in the CGCS2000 3° zone the middle lies in."""
        return float(square_metres(self.geometry(code)))

    def geometry(self, code: str) -> Any:
        """The area in WGS-84 degrees, drawn afresh on each call."""
        return self._layout.geometry(area_of(self._layout, code))

    def _keys(self, lon: Any, lat: Any) -> Keys:
        if self._many is None:
            layout = self._layout
            self._many = ManyFinder(layout.file, self._profiles.set_keys, self._profiles.set_number)
        missing = np.isnan(lon) | np.isnan(lat)
        if missing.any():
            lon, lat = np.where(missing, 0.0, lon), np.where(missing, 0.0, lat)
        x = np.rint(lon * PER_DEGREE).astype(np.int64) - self._east
        y = np.rint(lat * PER_DEGREE).astype(np.int64) - self._north
        if missing.any():
            x[missing] = -1
        return self._many.find(x, y)


def _checked_accuracy(accuracy_m: float) -> float:
    try:
        value = float(accuracy_m)
    except (TypeError, ValueError):
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise BadPoint(f"定位精度 {accuracy_m} 米不合理,应是不小于零的数。")
    return value


def _far(distance_m: float) -> str:
    return f" {distance_m:.0f} 米" if distance_m < 1_000 else f" {distance_m / 1_000:.1f} 公里"
