"""The atomic regions (finest areas cut by overlays) in an order in which every area is one stretch."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.int32]


class Region(NamedTuple):
    """One atomic region: its areas from narrow to wide, its overlays from the highest priority down."""

    areas: tuple[str, ...]
    overlays: tuple[str, ...] = ()


@dataclass(frozen=True)
class Terrain:
    """Regions by position; an area is `stretch[code]`, an overlay the positions `within[code]`."""

    regions: tuple[Region, ...]
    stretch: Mapping[str, tuple[int, int]]
    within: Mapping[str, Positions]
    depth: Mapping[str, int]
    overlay_order: Mapping[str, int]
    names: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.regions)

    def positions(self, area: str | None, overlay: str | None) -> slice | Positions | None:
        """Where a row speaks, None where it speaks of nothing that exists."""
        if area is not None and area not in self.stretch:
            return None
        begin, end = self.stretch[area] if area is not None else (0, len(self))
        if overlay is None:
            return slice(begin, end)
        inside = self.within.get(overlay)
        if inside is None:
            return None
        return inside[np.searchsorted(inside, begin) : np.searchsorted(inside, end)]

    def described(self, positions: Positions, most: int = 3) -> str:
        """The regions in words: whole areas by their name, the widest first."""
        if len(positions) == len(self):
            return "全部区域"
        wanted = np.zeros(len(self) + 1, dtype=np.int64)
        wanted[positions] = 1
        upto = np.concatenate([[0], np.cumsum(wanted)])
        found: list[tuple[int, str]] = []
        at = 0
        while at < len(positions) and len(found) <= most:
            here = int(positions[at])
            code, end = self._widest(here, upto)
            found.append((end - here, code))
            at = int(np.searchsorted(positions, end))
        named = "、".join(self.names.get(code, code) for _, code in found[:most])
        return named + ("等" if at < len(positions) or len(found) > most else "")

    def _widest(self, here: int, upto: NDArray[np.int64]) -> tuple[str, int]:
        """The widest area that begins here and is wanted as a whole; else the finest, with its overlays."""
        region = self.regions[here]
        for code in reversed(region.areas):
            begin, end = self.stretch[code]
            if begin == here and upto[end] - upto[begin] == end - begin:
                return code, end
        finest = region.areas[0] if region.areas else ""
        if not region.overlays:
            return finest, here + 1
        return region.overlays[0], here + 1


def build(
    regions: Iterable[Region], overlay_order: Sequence[str] = (), names: Mapping[str, str] | None = None
) -> Terrain:
    """Order the regions and note where each area and overlay lies."""
    ordered = tuple(sorted(regions, key=lambda region: (region.areas[::-1], region.overlays)))
    stretch: dict[str, tuple[int, int]] = {}
    depth: dict[str, int] = {}
    inside: dict[str, list[int]] = {}
    for position, region in enumerate(ordered):
        for level, code in enumerate(reversed(region.areas)):
            begin, _ = stretch.get(code, (position, position))
            stretch[code] = (begin, position + 1)
            depth[code] = level
        for code in region.overlays:
            inside.setdefault(code, []).append(position)
    within = {code: np.array(found, dtype=np.int32) for code, found in inside.items()}
    order = {code: n for n, code in enumerate(overlay_order or sorted(within))}
    return Terrain(ordered, stretch, within, depth, order, names or {})
