"""What a check can find: one row per kind, one record per finding, one report for all."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import shapely

from geo.borders import LEVEL_LABELS, Level

ERROR, WARNING, NOTE = "error", "warning", "note"

# kind: (label, severity)
KINDS: dict[str, tuple[str, str]] = {
    "unusable": ("无法使用的要素", ERROR),
    "no_code": ("没有编码", ERROR),
    "no_level": ("层级不明", ERROR),
    "duplicate_code": ("编码重复", ERROR),
    "swapped": ("经纬度写反", ERROR),
    "frame_suspected": ("坐标系可疑", ERROR),
    "broken_ring": ("环自相交或破损", ERROR),
    "parent_missing": ("上级不存在", ERROR),
    "overlap": ("重叠", WARNING),
    "overlap_sliver": ("重叠碎片", WARNING),
    "gap": ("缝隙", WARNING),
    "gap_sliver": ("细缝", WARNING),
    "duplicate_shape": ("边界重复", WARNING),
    "sliver_part": ("碎片", WARNING),
    "outside_parent": ("超出上级", WARNING),
    "parent_not_covered": ("上级未铺满", WARNING),
    "code_format": ("编码格式不符", WARNING),
    "code_unknown": ("区划表中没有的编码", WARNING),
    "name_differs": ("名称与区划表不同", NOTE),
    "label_swapped": ("标注点经纬度写反", NOTE),
    "label_outside": ("标注点在界外", NOTE),
    "exclave": ("飞地", NOTE),
    "name_repeats": ("名称重复", NOTE),
    "level_missing": ("缺层级", NOTE),
    "outline_missing": ("上级没有边界", NOTE),
    "flattened": ("带高程", NOTE),
    "read_as": ("读入方式", NOTE),
}


@dataclass(frozen=True)
class Finding:
    """One thing found: where (a lon/lat inside it), how big, between whom, and a sentence."""

    kind: str
    message: str
    level: str | None = None
    codes: tuple[str, ...] = ()
    area_m2: float | None = None
    width_m: float | None = None
    lon: float | None = None
    lat: float | None = None
    geometry: Any = field(default=None, compare=False, repr=False)

    @property
    def label(self) -> str:
        return KINDS[self.kind][0]

    @property
    def severity(self) -> str:
        return KINDS[self.kind][1]

    def to_json(self) -> dict[str, Any]:
        """Plain values; the geometry as WKT, or null."""
        return {
            "kind": self.kind,
            "label": self.label,
            "severity": self.severity,
            "message": self.message,
            "level": self.level,
            "codes": list(self.codes),
            "area_m2": None if self.area_m2 is None else round(self.area_m2, 2),
            "width_m": None if self.width_m is None else round(self.width_m, 2),
            "lon": self.lon,
            "lat": self.lat,
            "wkt": None if self.geometry is None else shapely.to_wkt(self.geometry, rounding_precision=7),
        }


@dataclass(frozen=True)
class CheckedFile:
    """A file as it was read: which columns were taken, and its checksum."""

    name: str
    sha256: str
    frame: str
    features: int
    columns: dict[str, str | None]
    guessed: tuple[str, ...]


@dataclass(frozen=True)
class CheckReport:
    """Everything found. `clean` when nothing stands against building an index from the files."""

    files: tuple[CheckedFile, ...]
    levels: dict[str, dict[str, float]]
    findings: tuple[Finding, ...]
    shapes: dict[str, dict[str, Any]] = field(repr=False)

    @property
    def clean(self) -> bool:
        return not any(f.severity != NOTE for f in self.findings)

    @property
    def usable(self) -> bool:
        return not any(f.severity == ERROR for f in self.findings)

    def counts(self) -> dict[str, int]:
        """Findings by kind, in the order of the table."""
        counted = Counter(f.kind for f in self.findings)
        return {kind: counted[kind] for kind in KINDS if counted[kind]}

    def to_json(self) -> dict[str, Any]:
        return {
            "clean": self.clean,
            "usable": self.usable,
            "files": [
                {
                    "name": f.name,
                    "sha256": f.sha256,
                    "frame": f.frame,
                    "features": f.features,
                    "columns": f.columns,
                    "guessed": list(f.guessed),
                }
                for f in self.files
            ],
            "levels": self.levels,
            "counts": self.counts(),
            "findings": [f.to_json() for f in self.findings],
        }


def level_label(level: str | None) -> str:
    return LEVEL_LABELS[Level(level)] if level else "层级不明"
