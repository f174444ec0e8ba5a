"""Our own bounded GeoJSON reader: types, finite numbers, ranges, rings and counts are checked before use.

GDAL is never asked to open a GeoJSON file: it would follow whatever the content pretends to be.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from geo.errors import BadFile
from geo.files.limits import Limits


@dataclass
class RawFeature:
    """One feature as it stands in the file: position, properties, and polygon or the reason there is none."""

    number: int
    properties: dict[str, Any]
    geometry: Any | None
    problem: str | None = None
    flat: bool = True


class _Counter:
    def __init__(self, limits: Limits) -> None:
        self.limits, self.vertices = limits, 0


def load_geojson(path: Path, limits: Limits) -> tuple[list[RawFeature], str | None]:
    """Features of a FeatureCollection and the name of its `crs` member, if any."""
    document = _document(path, limits)
    if isinstance(document, dict) and document.get("type") == "Feature":
        document = {"type": "FeatureCollection", "features": [document], "crs": document.get("crs")}
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
        raise BadFile("不是 GeoJSON 的 FeatureCollection,请导出为要素集合。", file=path.name)
    members = document.get("features")
    if not isinstance(members, list):
        raise BadFile("缺少 features 列表,请重新导出。", file=path.name)
    if len(members) > limits.features:
        raise BadFile(f"要素数 {len(members)} 超过上限 {limits.features},请分文件导入。", file=path.name)
    counter = _Counter(limits)
    try:
        return [_feature(i, m, counter, path) for i, m in enumerate(members)], _crs_name(document.get("crs"))
    except RecursionError:
        raise BadFile("嵌套层数过深,不是正常的边界文件。", file=path.name) from None


def _document(path: Path, limits: Limits) -> Any:
    size = path.stat().st_size
    if size == 0:
        raise BadFile("文件是空的(0 字节),请重新导出。", file=path.name)
    if size > limits.file_bytes:
        raise BadFile(
            f"文件 {size / 1e6:.0f} MB 超过上限 {limits.file_bytes / 1e6:.0f} MB,请分区导入或简化。",
            file=path.name,
        )
    try:
        return json.loads(path.read_bytes().decode("utf-8-sig"), parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        raise BadFile("不是 UTF-8 编码的 GeoJSON,请另存为 UTF-8。", file=path.name) from None
    except RecursionError:
        raise BadFile("嵌套层数过深,不是正常的边界文件。", file=path.name) from None
    except json.JSONDecodeError as error:
        raise BadFile(f"第 {error.lineno} 行不是合法的 JSON,请重新导出。", file=path.name) from None
    except ValueError as error:
        raise BadFile(f"内容无法解析({error}),请重新导出。", file=path.name) from None


def _refuse_constant(name: str) -> float:
    raise ValueError(f"含有 {name},坐标必须是有限数")


def _crs_name(crs: Any) -> str | None:
    if not isinstance(crs, dict) or not isinstance(crs.get("properties"), dict):
        return None
    name = crs["properties"].get("name")
    return name if isinstance(name, str) else None


def _feature(number: int, member: Any, counter: _Counter, path: Path) -> RawFeature:
    if not isinstance(member, dict):
        raise BadFile("要素不是 JSON 对象,请重新导出。", file=path.name, feature=number)
    properties = member.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    geometry = member.get("geometry")
    try:
        drawn, flat = _polygon(geometry, counter)
        return RawFeature(number, properties, drawn, flat=flat)
    except _Unusable as reason:
        return RawFeature(number, properties, None, str(reason))
    except _TooMuch as reason:
        raise BadFile(str(reason), file=path.name, feature=number) from None


class _Unusable(Exception):
    """This feature has no usable polygon; the file may still have others."""


class _TooMuch(Exception):
    """The file as a whole is refused."""


def _polygon(geometry: Any, counter: _Counter) -> tuple[Any, bool]:
    if geometry is None:
        raise _Unusable("没有几何,请补画边界")
    if not isinstance(geometry, dict):
        raise _Unusable("几何不是 JSON 对象")
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if kind == "Polygon":
        parts = [coordinates]
    elif kind == "MultiPolygon":
        parts = coordinates if isinstance(coordinates, list) else []
    else:
        raise _Unusable(f"几何类型是 {str(kind)[:40]},只接受 Polygon 和 MultiPolygon")
    if not parts:
        raise _Unusable("几何是空的,请补画边界")
    drawn, flat = [], True
    for part in parts:
        rings = [_ring(r, counter) for r in _rings(part, counter)]
        flat = flat and all(ring.shape[1] == 2 for ring in rings)
        drawn.append(shapely.Polygon(rings[0][:, :2], [r[:, :2] for r in rings[1:]]))
    return (drawn[0] if len(drawn) == 1 else shapely.MultiPolygon(drawn)), flat


def _rings(part: Any, counter: _Counter) -> Iterator[Any]:
    if not isinstance(part, list) or not part:
        raise _Unusable("多边形没有环")
    if len(part) > counter.limits.rings:
        raise _TooMuch(f"一个多边形有 {len(part)} 个环,超过上限 {counter.limits.rings},请简化。")
    return iter(part)


def _ring(ring: Any, counter: _Counter) -> np.ndarray[Any, np.dtype[np.float64]]:
    if not isinstance(ring, list):
        raise _Unusable("环不是坐标列表")
    counter.vertices += len(ring)
    if len(ring) > counter.limits.feature_vertices or counter.vertices > counter.limits.vertices:
        raise _TooMuch("顶点过多,超过上限,请简化或分文件导入。")
    if len(ring) < 4:
        raise _Unusable("环少于 4 个点,围不成面")
    width = _checked_width(ring)
    xy = np.array([position[:width] for position in ring], dtype=np.float64)
    if not np.array_equal(xy[0, :2], xy[-1, :2]):
        raise _Unusable("环没有闭合,首尾点不同")
    return xy


def _checked_width(ring: list[Any]) -> int:
    width = 2
    for position in ring:
        if not isinstance(position, list) or not 2 <= len(position) <= 4:
            raise _Unusable("坐标不是 [经度, 纬度] 数对")
        for value in position:
            # bool is an int to Python, and an integer of 5,000 digits is no float
            if type(value) not in (int, float) or not -1e9 < value < 1e9 or math.isnan(value):
                raise _Unusable("坐标不是有限的数")
        width = max(width, min(len(position), 3))
    return width if all(len(p) >= width for p in ring) else 2
