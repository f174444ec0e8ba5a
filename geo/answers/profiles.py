"""What a key means: codes of all levels, overlays, and the sentence that explains it. Made once per face."""

import threading
from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

from geo.index.layout import Layout
from geo.index.sets import Overlapping

_NOTHING: Mapping[str, str] = MappingProxyType({})


class Profile(NamedTuple):
    """The part of an answer that is the same all over a face; `leaf` is -1 where no finest area reaches."""

    leaf: int
    codes: Mapping[str, str]
    overlays: tuple[str, ...]
    on_border: bool
    how: str
    reason: str


class Profiles:
    """Decodes keys. Safe to share between threads."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._mask = (1 << layout.leaf_bits) - 1
        at, shapes = layout.file.view("set_at"), layout.file.view("set_shape")
        self.set_keys = layout.file.array("set_key")
        self.sets = [tuple(shapes[at[i] : at[i + 1]]) for i in range(len(at) - 1)]
        self._number = dict(zip(self.set_keys.tolist(), range(len(self.sets)), strict=True))
        self._codes: dict[int, Mapping[str, str]] = {}
        self._lock = threading.Lock()

    def decode(self, key: int, on_border: bool, x: int, y: int) -> Profile:
        """The profile of a key found at a lattice point."""
        members = self.sets[self.set_number(key >> self._layout.leaf_bits, x, y)]
        low = key & self._mask
        leaves = [low - 1] if low else [s for s in members if s < self._layout.leaves]
        overlays = self.overlay_codes(members)
        if not leaves:
            return Profile(-1, self._upper_codes(members), overlays, on_border, "gap", "")
        leaf = min(leaves, key=self.code)
        how = "on_border" if on_border else "inside"
        return Profile(leaf, self.codes(leaf), overlays, on_border, how, self._reason(leaf, len(leaves), how))

    def set_number(self, key: int, x: int, y: int) -> int:
        """Number of a set; one not met at build time is worked out exactly at the point, once."""
        number: int | None = self._number.get(key)
        if number is None:
            members = self._overlapping.holding(key, x, y)
            with self._lock:
                number = self._number.setdefault(key, len(self.sets))
                if number == len(self.sets):
                    self.sets.append(members)
        return number

    @cached_property
    def _overlapping(self) -> Overlapping:
        layout = self._layout
        first = layout.leaves if layout.leaf_bits else 0
        return Overlapping(layout.rings, layout.file.array("shape_key"), first, layout.leaf_bits)

    def code(self, shape: int) -> str:
        return self._layout.areas[self._layout.shape_area[shape]][0]

    def name(self, shape: int) -> str:
        return self._layout.areas[self._layout.shape_area[shape]][1]

    def codes(self, shape: int) -> Mapping[str, str]:
        """Codes of a leaf and everything above it, widest first."""
        found = self._codes.get(shape)
        if found is None:
            found = self._codes[shape] = self._line_codes(self._layout.shape_area[shape])
        return found

    def _line_codes(self, area: int) -> Mapping[str, str]:
        layout = self._layout
        return MappingProxyType({layout.level_of(a): layout.areas[a][0] for a in layout.ancestry(area)})

    def _upper_codes(self, members: tuple[int, ...]) -> Mapping[str, str]:
        """Codes from upper areas whose own outline reaches where no finest area does."""
        layout = self._layout
        areas = [layout.shape_area[s] for s in members if layout.shape_area[s] >= 0]
        if not areas:
            return _NOTHING
        return self._line_codes(max(areas, key=lambda a: (layout.area_level[a], -a)))

    def overlay_codes(self, members: tuple[int, ...]) -> tuple[str, ...]:
        """Highest priority first, then by code; overlays are stored in that order."""
        found = sorted(-1 - self._layout.shape_area[s] for s in members if self._layout.shape_area[s] < 0)
        return tuple(self._layout.overlays[o][0] for o in found)

    def _reason(self, leaf: int, leaves: int, how: str) -> str:
        path = self._path(leaf)
        if how == "on_border":
            return f"点正好在边界线上,按半开规则归“{path}”。"
        if leaves > 1:
            return f"点同时落在 {leaves} 个重叠的区域内,按编码次序归“{path}”。"
        return f"点在“{path}”内。"

    def _path(self, leaf: int) -> str:
        """The area's name, after its parent's where the name does not say it already."""
        names = [self._layout.areas[a][1] for a in self._layout.ancestry(self._layout.shape_area[leaf])]
        if len(names) < 2 or names[-1].startswith(names[-2]):
            return names[-1]
        return names[-2] + names[-1]
