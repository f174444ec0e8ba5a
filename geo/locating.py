"""Where is this point: one question, the codes of all levels and all overlays at once, with its doubt."""

import math
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import shapely

from geo.doubting import SNAP_M, border_distance, circle_shares, in_gap, nearest_leaf
from geo.errors import BadPoint
from geo.frames import Frame, checked_point, known_frame, to_wgs84
from geo.index.exact import ring_edges, within
from geo.index.file import IndexFile
from geo.index.layout import Layout
from geo.index.shapes import PER_DEGREE
from geo.placed import Candidate, Placed

__all__ = ["Candidate", "Locator", "Placed"]


class Locator:
    """One generation's index, opened. Cheap to open, shared by threads, shared in memory by processes."""

    def __init__(self, file: IndexFile) -> None:
        self._layout = Layout(file)
        self.generation = self._layout.generation

    @classmethod
    def open(cls, path: Path | str) -> "Locator":
        """Map an index file; raises `BadIndex` when it is missing or damaged."""
        return cls(IndexFile(Path(path)))

    def locate(self, *, lon: float, lat: float, accuracy_m: float | None, frame: Frame | str) -> Placed:
        """Place one point given in `frame`, `accuracy_m` being the radius the device claims."""
        frame = known_frame(frame)
        given = checked_point(lon=lon, lat=lat)
        accuracy_m = _checked_accuracy(accuracy_m)
        lon, lat = to_wgs84(lon=given[0], lat=given[1], frame=frame)
        shapes, on_border = self._find(lon, lat)
        leaves = [s for s in shapes if s < self._layout.leaves]
        overlays = self._overlay_codes(shapes)
        candidates = (
            () if accuracy_m is None else circle_shares(self._layout, lon=lon, lat=lat, accuracy_m=accuracy_m)
        )
        if leaves:
            leaf = min(leaves, key=lambda s: self._code(s))
            border_m = None if accuracy_m is None else border_distance(self._layout, leaf, lon=lon, lat=lat)
            how = "on_border" if on_border else "inside"
            return Placed(
                lon, lat, frame, accuracy_m, self._codes(leaf), overlays, on_border, border_m, candidates,
                how, None, None, self._inside_reason(leaf, leaves, how), self.generation,
            )  # fmt: skip
        return self._placed_nowhere(lon, lat, frame, accuracy_m, shapes, overlays, candidates)

    def _placed_nowhere(
        self,
        lon: float,
        lat: float,
        frame: Frame,
        accuracy_m: float | None,
        shapes: list[int],
        overlays: tuple[str, ...],
        candidates: tuple[Candidate, ...],
    ) -> Placed:
        """No finest area covers the point: snap over a small gap, or name the nearest and how far it is."""
        layout = self._layout
        near = nearest_leaf(layout, lon=lon, lat=lat)
        upper = self._upper_codes(shapes)
        name = layout.areas[layout.shape_area[near.shape]][1] if near else "任何区域"
        code = self._code(near.shape) if near else None
        distance_m = near.distance_m if near else None
        codes: Mapping[str, str] = upper
        gap = bool(upper) or in_gap(layout, lon=lon, lat=lat)
        if gap and near and near.distance_m <= SNAP_M:
            how, codes = "snapped", self._codes(near.shape)
            reason = f"点落在边界缝隙里,归入最近的“{name}”,相距 {near.distance_m:.1f} 米。"
        elif gap:
            how, reason = (
                "gap",
                f"点不在任何末级区域内,最近的是“{name}”,相距 {distance_m or 0:.0f} 米,需人工落格。",
            )
        else:
            how, reason = "outside", f"点在辖区之外,离最近的“{name}”{_far(distance_m or 0)}。"
        return Placed(
            lon, lat, frame, accuracy_m, codes, overlays, False, distance_m if how == "snapped" else None,
            candidates, how, code, distance_m, reason, self.generation,
        )  # fmt: skip

    def _find(self, lon: float, lat: float) -> tuple[list[int], bool]:
        """Shapes that hold the point, by the half-open rule, and whether it is on an edge of a leaf."""
        layout = self._layout
        x, y = round(lon * PER_DEGREE) - layout.origin[0], round(lat * PER_DEGREE) - layout.origin[1]
        held, touching = [], False
        point = shapely.Point((x + layout.origin[0]) / PER_DEGREE, (y + layout.origin[1]) / PER_DEGREE)
        for shape in sorted(layout.tree.query(point).tolist()):
            inside, touches = within(ring_edges(layout.rings, shape), x=x, y=y)
            touching |= touches
            if inside:
                held.append(shape)
        return held, touching

    def _code(self, shape: int) -> str:
        return self._layout.areas[self._layout.shape_area[shape]][0]

    def _codes(self, shape: int) -> Mapping[str, str]:
        layout = self._layout
        line = layout.ancestry(layout.shape_area[shape])
        return MappingProxyType({layout.level_of(a): layout.areas[a][0] for a in line})

    def _upper_codes(self, shapes: list[int]) -> Mapping[str, str]:
        """Codes from upper areas whose own outline reaches where no finest area does."""
        layout = self._layout
        areas = [layout.shape_area[s] for s in shapes if layout.shape_area[s] >= 0]
        if not areas:
            return MappingProxyType({})
        finest = max(areas, key=lambda a: (layout.area_level[a], -a))
        return MappingProxyType({layout.level_of(a): layout.areas[a][0] for a in layout.ancestry(finest)})

    def _overlay_codes(self, shapes: list[int]) -> tuple[str, ...]:
        """Highest priority first; overlays are stored in that order."""
        found = sorted(-1 - self._layout.shape_area[s] for s in shapes if self._layout.shape_area[s] < 0)
        return tuple(self._layout.overlays[o][0] for o in found)

    def _path(self, leaf: int) -> str:
        """The area's name, after its parent's where the name does not say it already."""
        names = [self._layout.areas[a][1] for a in self._layout.ancestry(self._layout.shape_area[leaf])]
        if len(names) < 2 or names[-1].startswith(names[-2]):
            return names[-1]
        return names[-2] + names[-1]

    def _inside_reason(self, leaf: int, leaves: list[int], how: str) -> str:
        path = self._path(leaf)
        if how == "on_border":
            return f"点正好在边界线上,按半开规则归“{path}”。"
        if len(leaves) > 1:
            return f"点同时落在 {len(leaves)} 个重叠的区域内,按编码次序归“{path}”。"
        return f"点在“{path}”内。"


def _checked_accuracy(accuracy_m: float | None) -> float | None:
    if accuracy_m is None:
        return None
    accuracy_m = float(accuracy_m)
    if not (math.isfinite(accuracy_m) and accuracy_m >= 0):
        raise BadPoint(f"定位精度 {accuracy_m} 米不合理,应是不小于零的数。")
    return accuracy_m


def _far(distance_m: float) -> str:
    return f" {distance_m:.0f} 米" if distance_m < 1_000 else f" {distance_m / 1_000:.1f} 公里"
