"""Border files to plain features in WGS-84. Unusable features are named, never dropped in silence."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from geo.borders import AreaShape, Level, OverlayShape
from geo.errors import BadFile
from geo.files.columns import Columns, as_text, choose_columns, label_point, level_of_code
from geo.files.geojson import RawFeature, load_geojson
from geo.files.limits import DEFAULT_LIMITS, Limits
from geo.frames import Frame, decode_geometry, known_frame

_GEOGRAPHIC = ("CRS84", "4326", "4490")


@dataclass(frozen=True)
class Problem:
    """Something about one feature, or about the whole file when `feature` is None."""

    message: str
    feature: int | None = None
    code: str | None = None


@dataclass(frozen=True)
class BorderFeature:
    """One polygon with what the columns say about it."""

    number: int
    code: str | None
    name: str | None
    parent: str | None
    level: Level | None
    geometry: Any
    label: tuple[float, float] | None = None
    kind: str | None = None
    priority: int = 0
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class BorderFile:
    """What was found in a file; `geometry` of the features is in WGS-84 whatever the file's frame was."""

    name: str
    sha256: str
    frame: Frame
    columns: Columns
    features: tuple[BorderFeature, ...]
    problems: tuple[Problem, ...]

    @property
    def names(self) -> list[str | None]:
        return [f.name for f in self.features]

    @property
    def codes(self) -> list[str | None]:
        return [f.code for f in self.features]

    @property
    def parents(self) -> list[str | None]:
        return [f.parent for f in self.features]

    def areas(self) -> list[AreaShape]:
        """Features with a code and a level that are not overlays, as areas."""
        return [
            AreaShape(f.code, f.name or f.code, f.level, f.parent, f.geometry)
            for f in self.features
            if f.code and f.level and not f.kind
        ]

    def overlays(self) -> list[OverlayShape]:
        """Features that have a kind, as overlays."""
        return [
            OverlayShape(f.code, f.name or f.code, f.kind, f.priority, f.geometry)
            for f in self.features
            if f.code and f.kind
        ]


def read_borders(
    path: Path | str,
    *,
    frame: Frame | str = Frame.WGS84,
    level: Level | str | None = None,
    columns: Mapping[str, str] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> BorderFile:
    """Read one border file; raises `BadFile` when it as a whole cannot be trusted or understood."""
    path, frame = Path(path), known_frame(frame)
    if path.suffix.lower() not in (".geojson", ".json"):
        raise BadFile("不认识这种文件,请提供 GeoJSON。", file=path.name)
    raw, crs = load_geojson(path, limits)
    if crs is not None and not any(crs.endswith(known) for known in _GEOGRAPHIC):
        raise BadFile(f"坐标参考 {crs[:60]} 不是经纬度,请给出坐标系或转为 EPSG:4490。", file=path.name)
    return _features(path, raw, frame, Level(level) if level else None, columns, limits)


def _features(
    path: Path,
    raw: list[RawFeature],
    frame: Frame,
    level: Level | None,
    given: Mapping[str, str] | None,
    limits: Limits,
) -> BorderFile:
    seen = dict.fromkeys(key for f in raw[:1000] for key in f.properties if isinstance(key, str))
    columns = choose_columns(given, seen)
    problems = [Problem(f.problem, f.number, _cell(f, columns.code, limits)) for f in raw if f.problem]
    usable = [f for f in raw if f.geometry is not None]
    problems += [
        Problem("带高程(三维),已只取平面坐标", f.number, _cell(f, columns.code, limits))
        for f in usable
        if not f.flat
    ]
    drawn = np.array([f.geometry for f in usable], dtype=object)
    beyond = _beyond_earth(drawn)
    for f in np.array(usable, dtype=object)[beyond]:
        problems.append(Problem("坐标超出经纬度范围,可能是投影坐标或经纬度写反", f.number))
    usable, drawn = [f for f, b in zip(usable, beyond, strict=True) if not b], drawn[~beyond]
    if frame not in (Frame.WGS84, Frame.CGCS2000) and len(drawn):
        drawn = decode_geometry(drawn, frame=frame)
    features = tuple(_feature(f, g, columns, level, limits) for f, g in zip(usable, drawn, strict=True))
    if not features:
        problems.append(Problem("没有一个可用的多边形,未导入任何内容"))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return BorderFile(path.name, digest, frame, columns, features, tuple(problems))


def _beyond_earth(drawn: Any) -> Any:
    if not len(drawn):
        return np.zeros(0, dtype=bool)
    west, south, east, north = shapely.bounds(drawn).T
    return (west < -180) | (east > 180) | (south < -90) | (north > 90)


def _cell(raw: RawFeature, column: str | None, limits: Limits) -> str | None:
    return as_text(raw.properties.get(column), limit=limits.text) if column else None


def _feature(
    raw: RawFeature, geometry: Any, columns: Columns, level: Level | None, limits: Limits
) -> BorderFeature:
    code = _cell(raw, columns.code, limits)
    written = _cell(raw, columns.level, limits)
    if level is None:
        level = Level(written) if written in set(Level) else level_of_code(code)
    priority = _cell(raw, columns.priority, limits) or "0"
    return BorderFeature(
        number=raw.number,
        code=code,
        name=_cell(raw, columns.name, limits),
        parent=_cell(raw, columns.parent, limits),
        level=level,
        geometry=geometry,
        label=label_point(raw.properties.get(columns.label)) if columns.label else None,
        kind=_cell(raw, columns.kind, limits),
        priority=int(priority) if priority.lstrip("-").isdigit() else 0,
        properties=raw.properties,
    )
