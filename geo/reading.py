"""Border files to plain features in WGS-84. Unusable features are named, never dropped in silence."""

import hashlib
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from geo.borders import AreaShape, Level, OverlayShape
from geo.errors import BadFile
from geo.files.archive import unpack
from geo.files.columns import Columns, as_text, choose_columns, label_point, level_of_code, no_code_column
from geo.files.dbf import table_encoding
from geo.files.geojson import RawFeature, load_geojson
from geo.files.isolated import read_in_child
from geo.files.limits import DEFAULT_LIMITS, Limits
from geo.frames import Frame, decode_geometry
from geo.zones import checked_system, recognise, to_degrees

_SMALL_BYTES = 4 * 1024 * 1024  # read in this process; anything bigger in a child whose memory is limited


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
    notices: tuple[str, ...] = ()

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
    frame: Frame | str | int | None = None,
    level: Level | str | None = None,
    columns: Mapping[str, str] | None = None,
    layer: str | None = None,
    encoding: str | None = None,
    swapped: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> BorderFile:
    """Read one border file: GeoJSON, GeoPackage, zipped shapefile or KML.

    `frame` is a frame or the EPSG of a CGCS2000 3° zone; without one the file's own word counts, or WGS-84.
    `swapped` says the file has latitude first.
    Raises `BadFile` when the file as a whole cannot be trusted or understood.
    """
    path, system = Path(path), checked_system(frame or Frame.WGS84)
    chosen = Level(level) if level else None
    digest = _digest(path, limits)
    with tempfile.TemporaryDirectory(prefix="borders-") as folder:
        raw, crs = _raw(path, Path(folder), limits, layer, encoding)
    system, notices = _agreed_system(path, system, crs, given=frame is not None)
    return _features(path, digest, raw, system, chosen, columns, swapped, notices, limits)


def _digest(path: Path, limits: Limits) -> str:
    try:
        size = path.stat().st_size
    except OSError:
        raise BadFile("文件不存在或无法读取。", file=path.name) from None
    if not path.is_file():
        raise BadFile("不是普通文件。", file=path.name)
    if size == 0:
        raise BadFile("文件是空的(0 字节),请重新导出。", file=path.name)
    if size > limits.file_bytes:
        most = limits.file_bytes / 1e6
        raise BadFile(f"文件 {size / 1e6:.0f} MB 超过上限 {most:.0f} MB,请分区导入或简化。", file=path.name)
    with open(path, "rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _raw(
    path: Path, folder: Path, limits: Limits, layer: str | None, encoding: str | None
) -> tuple[list[RawFeature], str | None]:
    """Features by whichever reader the name calls for; the content has to agree with the name."""
    label, suffix = path.name, path.suffix.lower()
    if suffix == ".zip":
        path = unpack(path, folder, limits, layer=layer)
        suffix, layer = path.suffix, None
    elif suffix in (".gpkg", ".kml"):
        path = Path(shutil.copyfile(path, folder / f"layer{suffix}"))
    if suffix in (".geojson", ".json"):
        if path.stat().st_size > _SMALL_BYTES:
            return read_in_child(path, limits, label=label, kind="geojson")
        return load_geojson(path, limits)
    if suffix == ".shp":
        if path.parent != folder:
            raise BadFile("请把 .shp .shx .dbf .prj .cpg 一起打包成 zip 再上传。", file=label)
        encoding = table_encoding(path, encoding, file=label)
    elif suffix == ".gpkg" and path.read_bytes()[:16] != b"SQLite format 3\0":
        raise BadFile("内容不是 GeoPackage,请重新导出。", file=label)
    elif suffix == ".kml":
        start = path.read_bytes()
        if b"<kml" not in start[:4096] or b"<!DOCTYPE" in start or b"<!ENTITY" in start:
            raise BadFile("内容不是普通的 KML,请重新导出。", file=label)
    elif suffix not in (".gpkg", ".kml"):
        raise BadFile(
            "不认识这种文件,请提供 GeoJSON、GeoPackage、KML 或打包成 zip 的 Shapefile。", file=label
        )
    encoding = encoding if suffix == ".shp" else None
    return read_in_child(path, limits, label=label, kind="gdal", layer=layer, encoding=encoding)


def _agreed_system(
    path: Path, system: Frame | int, crs: str | None, *, given: bool
) -> tuple[Frame | int, tuple[str, ...]]:
    """What the file declares and what was said must not contradict each other."""
    declared = _declared(path, crs, given=given)
    if declared is None:
        return system, ()
    if not given:
        if isinstance(declared, int):
            return declared, (f"按文件声明的 EPSG:{declared}(CGCS2000 三度带)换算。",)
        return declared, ()
    if isinstance(declared, int) != isinstance(system, int) or (
        isinstance(declared, int) and declared != system
    ):
        raise BadFile(
            f"文件声明的坐标参考是 {crs and crs[:60]},与指定的 {system} 不符,请核实。", file=path.name
        )
    return system, ()


def _declared(path: Path, crs: str | None, *, given: bool) -> Frame | int | None:
    if crs is None:
        return None
    if crs.endswith("CRS84"):
        return Frame.WGS84
    number = re.search(r"(\d{4,6})$", crs.strip())
    try:
        return checked_system(int(number.group(1))) if number else _by_wkt(crs)
    except BadFile:
        if given:
            return None
        raise BadFile(
            f"坐标参考 {crs[:60]} 不在支持之列,请转为 EPSG:4490 或三度带。", file=path.name
        ) from None


def _by_wkt(crs: str) -> Frame | int | None:
    """The EPSG of a definition without a number, where it is one we know."""
    import pyproj

    try:
        number = pyproj.CRS.from_user_input(crs).to_epsg(min_confidence=60)
    except pyproj.exceptions.CRSError:
        number = None
    if number is None:
        raise BadFile("坐标参考没有 EPSG 编号")
    return checked_system(number)


def _features(
    path: Path,
    digest: str,
    raw: list[RawFeature],
    system: Frame | int,
    level: Level | None,
    given: Mapping[str, str] | None,
    swapped: bool,
    notices: tuple[str, ...],
    limits: Limits,
) -> BorderFile:
    rows = [f.properties for f in raw[:1000]]
    columns = choose_columns(given, rows)
    if columns.code is None and rows:
        notices = (*notices, no_code_column(rows))
    problems = [Problem(f.problem, f.number, _cell(f, columns.code, limits)) for f in raw if f.problem]
    usable = [f for f in raw if f.geometry is not None]
    problems += [
        Problem("带高程(三维),已只取平面坐标", f.number, _cell(f, columns.code, limits))
        for f in usable
        if not f.flat
    ]
    drawn = np.array([f.geometry for f in usable], dtype=object)
    if swapped and len(drawn):
        drawn = shapely.transform(drawn, lambda xy: xy[:, ::-1])
        notices = (*notices, "按(纬度、经度)顺序读入,已对调。")
    if isinstance(system, int) and len(drawn):
        drawn = to_degrees(drawn, epsg=system)
    fits = np.ones(len(drawn), dtype=bool)
    for i, feature in enumerate(usable):
        reason = _misplaced(drawn[i].bounds)
        if reason:
            fits[i] = False
            problems.append(Problem(reason, feature.number, _cell(feature, columns.code, limits)))
    usable, drawn = [f for f, fit in zip(usable, fits, strict=True) if fit], drawn[fits]
    shifted = system if isinstance(system, Frame) else Frame.CGCS2000
    if shifted not in (Frame.WGS84, Frame.CGCS2000) and len(drawn):
        drawn = decode_geometry(drawn, frame=shifted)
    features = tuple(_feature(f, g, columns, level, limits) for f, g in zip(usable, drawn, strict=True))
    if not features:
        problems.append(Problem("没有一个可用的多边形,未导入任何内容"))
    return BorderFile(path.name, digest, shifted, columns, features, tuple(problems), notices)


def _misplaced(bounds: tuple[float, float, float, float]) -> str | None:
    """Why a bounding box cannot be longitude and latitude, or None."""
    west, south, east, north = bounds
    if not all(np.isfinite(bounds)):
        return "坐标换算失败,坐标系可能指定错了"
    if -90 <= west <= east <= 90 and -180 <= south <= north <= 180 and (south < -90 or north > 90):
        return "经纬度写反了,请选“文件里纬度在前”重新读入"
    projected = recognise(bounds)
    if projected is not None:
        return f"坐标超出经纬度范围,{projected.sentence}".rstrip("。")
    if east - west > 180:
        return "跨越 180° 经线,不支持,请拆成两块"
    return None


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
