"""Plain records of a border set, and the door to the index builder."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from geo.errors import BadBorders


class Level(StrEnum):
    """Nested levels of areas, from the widest to the finest; any of them may be missing."""

    CITY = "city"
    DISTRICT = "district"
    STREET = "street"
    COMMUNITY = "community"
    GRID = "grid"
    UNIT = "unit"


LEVELS: tuple[Level, ...] = tuple(Level)
LEVEL_LABELS = dict(zip(LEVELS, ("市", "区县", "街道乡镇", "社区村", "责任网格", "单元网格"), strict=True))


@dataclass(frozen=True, slots=True)
class AreaShape:
    """One area: geometry in WGS-84 degrees, or None when it is the sum of its children."""

    code: str
    name: str
    level: Level | str
    parent: str | None
    geometry: Any | None


@dataclass(frozen=True, slots=True)
class OverlayShape:
    """A named surface that cuts across areas; the higher `priority` comes first."""

    code: str
    name: str
    kind: str
    priority: int
    geometry: Any


def build_index(
    areas: Iterable[AreaShape], overlays: Iterable[OverlayShape], path: Path | str, *, generation: str
) -> None:
    """Build the index of one generation and put it at `path` in one atomic step."""
    from geo.index.building import build

    build(list(areas), list(overlays), Path(path), generation=generation)


def checked_areas(areas: list[AreaShape]) -> list[int]:
    """Parent position of each area (-1 at the top); refuses doubled codes, unknown parents and cycles."""
    if not areas:
        raise BadBorders("没有任何区域,无法建立索引。")
    position: dict[str, int] = {}
    for i, area in enumerate(areas):
        if not area.code or area.code in position:
            raise BadBorders(f"区域编码“{area.code}”为空或重复,编码必须唯一。", feature=area.name)
        if area.level not in LEVELS:
            raise BadBorders(f"不认识层级“{area.level}”。", feature=area.code)
        position[area.code] = i
    parents = []
    for area in areas:
        if area.parent is None:
            parents.append(-1)
            continue
        if area.parent not in position:
            raise BadBorders(f"上级编码“{area.parent}”不在这批区域里。", feature=area.code)
        above = areas[position[area.parent]]
        if LEVELS.index(Level(above.level)) >= LEVELS.index(Level(area.level)):
            raise BadBorders(
                f"上级“{above.name}”的层级({above.level})不高于本级({area.level})。", feature=area.code
            )
        parents.append(position[area.parent])
    return parents
