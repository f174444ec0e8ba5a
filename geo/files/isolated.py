"""The parent's side of the child process: start it bare, believe nothing it says without checking."""

import json
import os
import struct
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from geo.errors import BadFile
from geo.files.child import CURVED, CURVES
from geo.files.geojson import RawFeature
from geo.files.limits import Limits

_ROOT = Path(__file__).resolve().parents[2]
_POLYGON, _MULTIPOLYGON = 3, 6


def read_in_child(
    path: Path,
    limits: Limits,
    *,
    label: str,
    kind: str,
    layer: str | None = None,
    encoding: str | None = None,
) -> tuple[list[RawFeature], str | None]:
    """Features and the CRS name of a file, read by a confined child process."""
    job = {
        "path": str(path), "kind": kind, "layer": layer, "encoding": encoding, "limits": asdict(limits),
        "memory_bytes": limits.child_memory_bytes, "seconds": limits.child_seconds,
    }  # fmt: skip
    environment = {
        "PATH": os.defpath, "PYTHONPATH": str(_ROOT), "PYTHONUTF8": "1", "HOME": str(path.parent),
        "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
    try:
        done = subprocess.run(
            [sys.executable, "-m", "geo.files.child"], input=json.dumps(job).encode(), capture_output=True,
            cwd=path.parent, env=environment, timeout=limits.child_seconds, start_new_session=True, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise BadFile(f"读取超过 {limits.child_seconds} 秒,已中止;请简化或分文件导入。", file=label) from None
    if done.returncode != 0 or len(done.stdout) < 8:
        cause = (
            "内存或时间超出上限" if done.returncode < 0 or b"MemoryError" in done.stderr else "文件无法读取"
        )
        raise BadFile(f"{cause},未导入任何内容;请简化、分文件或重新导出。", file=label)
    return _unpacked(done.stdout, limits, label)


def _unpacked(answer: bytes, limits: Limits, label: str) -> tuple[list[RawFeature], str | None]:
    (length,) = struct.unpack_from("<Q", answer)
    head: dict[str, Any] = json.loads(answer[8 : 8 + length])
    if "error" in head:
        raise BadFile(head["error"], file=label)
    rows, at, vertices, features = head["rows"], 8 + length, 0, []
    for number, row in enumerate(rows):
        (size,) = struct.unpack_from("<q", answer, at)
        at += 8
        shape = answer[at : at + size] if size >= 0 else None
        at += max(size, 0)
        feature = _feature(number, row, shape)
        if feature.geometry is not None:
            count = int(shapely.get_num_coordinates(feature.geometry))
            vertices += count
            if count > limits.feature_vertices or vertices > limits.vertices:
                raise BadFile(
                    "顶点过多,超过上限,请简化或分文件导入。",
                    file=label,
                    layer=head.get("layer"),
                    feature=number,
                )
        features.append(feature)
    return features, head.get("crs")


def _feature(number: int, row: dict[str, Any], shape: bytes | None) -> RawFeature:
    properties, problem = row["properties"], row.get("problem")
    if problem or shape is None or len(shape) < 5:
        return RawFeature(number, properties, None, problem or "没有几何,请补画边界")
    order = "<" if shape[0] else ">"
    code = struct.unpack_from(order + "I", shape, 1)[0]
    flat = row.get("flat", True) and not (code & 0xC0000000 or (code & 0xFFFF) >= 1000)
    kind = (code & 0xFFFF) % 1000
    if kind in CURVES:
        return RawFeature(number, properties, None, CURVED)
    if kind not in (_POLYGON, _MULTIPOLYGON):
        return RawFeature(number, properties, None, "不是面状几何,只接受 Polygon 和 MultiPolygon")
    try:
        drawn = shapely.force_2d(shapely.from_wkb(shape))
    except shapely.GEOSException:
        return RawFeature(number, properties, None, "几何数据已损坏,请重新导出")
    if drawn.is_empty:
        return RawFeature(number, properties, None, "几何是空的,请补画边界")
    if not np.isfinite(shapely.get_coordinates(drawn)).all():
        return RawFeature(number, properties, None, "坐标不是有限的数")
    return RawFeature(number, properties, drawn, flat=flat)
