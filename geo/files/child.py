"""Runs in a child process: opens one local file with one GDAL driver and writes what it finds to stdout.

Limits on memory, time and files are set before GDAL is loaded, every other driver is skipped, and the network
is taken away where the kernel allows it. Whatever goes wrong here is told as a sentence and ends only here.
"""

import contextlib
import ctypes
import json
import os
import resource
import sqlite3
import struct
import sys
from pathlib import Path
from typing import Any

DRIVERS = {".gpkg": "GPKG", ".shp": "ESRI Shapefile", ".kml": "KML"}
CURVES = range(8, 15)
CURVED = "是曲线几何,请先离散成折线多边形再导入"
_NEW_USER, _NEW_NET = 0x10000000, 0x40000000

# Every driver that the GDAL in pyogrio's wheels knows. Another build may have more: then nothing is read.
_ALL_DRIVERS = (
    "ADBC", "AIVector", "AVCBin", "AVCE00", "AmigoCloud", "CSV", "CSW", "Carto", "DGN", "DXF", "EDIGEO",
    "EEDA", "ESRI Shapefile", "ESRIJSON", "Elasticsearch", "FlatGeobuf", "GDALG", "GML", "GPKG", "GPSBabel",
    "GPX", "GTFS", "GeoJSON", "GeoJSONSeq", "GeoRSS", "HTTP", "Idrisi", "JML", "JSONFG", "KML", "LIBKML",
    "LVBAG", "MBTiles", "MEM", "MVT", "MapInfo File", "MapML", "MiraMonVector", "NGW", "OAPIF", "ODS",
    "OGCAPI", "OGR_GMT", "OGR_PDS", "OGR_VRT", "OSM", "OpenFileGDB", "PCIDSK", "PDF", "PDS4", "PGDUMP",
    "PLSCENES", "PMTiles", "PostgreSQL", "S57", "SQLite", "SXF", "Selafin", "TopoJSON", "VDV", "VFK",
    "VICAR", "VRT", "WAsP", "WFS", "XLSX",
)  # fmt: skip


def main() -> None:
    job = json.loads(sys.stdin.buffer.read())
    _confine(job)
    try:
        answer, shapes = _read_with_gdal(job) if job["kind"] == "gdal" else _read_geojson(job)
    except MemoryError:
        answer, shapes = {"error": "内容过大,超出内存上限,请简化或分文件导入。"}, []
    except _Refused as refused:
        answer, shapes = {"error": str(refused)}, []
    head = json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace")
    out = sys.stdout.buffer
    out.write(struct.pack("<Q", len(head)) + head)
    for shape in shapes:
        out.write(struct.pack("<q", -1 if shape is None else len(shape)) + (shape or b""))
    out.flush()


class _Refused(Exception):
    """A sentence for the person who gave the file."""


def _confine(job: dict[str, Any]) -> None:
    memory, seconds = job["memory_bytes"], job["seconds"]
    for kind, most in (
        (resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_FSIZE, 1 << 20),
        (resource.RLIMIT_NOFILE, 64), (resource.RLIMIT_CORE, 0),
    ):  # fmt: skip
        _, hard = resource.getrlimit(kind)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))
    # A network namespace of its own holds not even a loopback. Where the kernel refuses one, the driver
    # allow-list and the private folder remain.
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).unshare(_NEW_NET if os.geteuid() == 0 else _NEW_USER | _NEW_NET)


def _read_geojson(job: dict[str, Any]) -> tuple[dict[str, Any], list[bytes | None]]:
    import shapely

    from geo.errors import BadFile
    from geo.files.geojson import load_geojson
    from geo.files.limits import Limits

    try:
        raw, crs = load_geojson(Path(job["path"]), Limits(**job["limits"]))
    except BadFile as bad:
        at = "" if bad.feature is None else f"第 {int(bad.feature) + 1} 个要素:"
        raise _Refused(at + bad.message) from None
    rows = [{"properties": f.properties, "problem": f.problem, "flat": f.flat} for f in raw]
    return {"rows": rows, "crs": crs}, [
        None if f.geometry is None else shapely.to_wkb(f.geometry) for f in raw
    ]


def _read_with_gdal(job: dict[str, Any]) -> tuple[dict[str, Any], list[bytes | None]]:
    path, limits = job["path"], job["limits"]
    driver = DRIVERS[Path(path).suffix.lower()]
    skipped = ",".join(d for d in _ALL_DRIVERS if d != driver)
    os.environ.update(GDAL_SKIP=skipped, GDAL_NUM_THREADS="1", CPL_DEBUG="OFF")
    os.environ.update(GDAL_HTTP_PROXY="127.0.0.1:9", OGR_SQLITE_LOAD_EXTENSIONS="", SHAPE_RESTORE_SHX="NO")
    import pyogrio

    left = set(pyogrio.list_drivers()) - {driver}
    if left:
        raise _Refused(f"环境里的 GDAL 多出驱动 {'、'.join(sorted(left)[:5])},为安全起见拒绝读取。")
    layer = _layer(pyogrio, path, job["layer"])
    info = _asked(pyogrio.read_info, path, layer=layer, encoding=job["encoding"], force_feature_count=True)
    if info["geometry_type"] is None:
        raise _Refused(f"图层“{layer}”没有几何,请导出带边界的图层。")
    if info["features"] > limits["features"]:
        raise _Refused(f"图层“{layer}”有 {info['features']} 个要素,超过上限 {limits['features']}。")
    meta, ids, shapes, columns = _asked(
        pyogrio.raw.read, path, layer=layer, encoding=job["encoding"], return_fids=True
    )
    names = [str(n) for n in meta["fields"]]
    curved = _curved(path, layer) if driver == "GPKG" else set()
    rows = [
        {
            "properties": {n: _plain(c[i]) for n, c in zip(names, columns, strict=True)},
            "problem": CURVED if int(ids[i]) in curved else None,
        }
        for i in range(len(shapes))
    ]
    return {"rows": rows, "crs": meta["crs"], "layer": layer}, list(shapes)


def _curved(path: str, layer: str) -> set[int]:
    """Rows of a GeoPackage that hold arcs: GDAL hands them over as polygons of its own making."""
    with contextlib.suppress(sqlite3.Error), contextlib.closing(
        sqlite3.connect(f"{Path(path).as_uri()}?mode=ro&immutable=1", uri=True)
    ) as file:  # fmt: skip
        file.execute("pragma trusted_schema = off")
        asked = "select column_name from gpkg_geometry_columns where table_name = ?"
        (column,) = file.execute(asked, (layer,)).fetchone() or ("geom",)
        quoted = [str(name).replace('"', '""') for name in (column, layer)]
        rows = file.execute('select rowid, substr("{}", 1, 80) from "{}"'.format(*quoted))  # noqa: S608 -- quoted
        return {number for number, blob in rows if isinstance(blob, bytes) and _kind(blob) in CURVES}
    return set()


def _kind(blob: bytes) -> int:
    """Type of the geometry in a GeoPackage blob: a header, perhaps a bounding box, then WKB."""
    if len(blob) < 16 or blob[:2] != b"GP":
        return 0
    at = 8 + {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}.get(blob[3] >> 1 & 7, 0)
    if len(blob) < at + 5:
        return 0
    code: int = struct.unpack_from("<I" if blob[at] else ">I", blob, at + 1)[0]
    return (code & 0xFFFF) % 1000


def _layer(pyogrio: Any, path: str, wanted: str | None) -> str:
    layers = [str(name) for name, kind in _asked(pyogrio.list_layers, path) if kind is not None or wanted]
    if not layers:
        raise _Refused("文件里没有带几何的图层,请导出带边界的图层。")
    if wanted is not None:
        if wanted not in layers:
            raise _Refused(f"文件里没有图层“{wanted}”,有:{'、'.join(layers[:8])}。")
        return wanted
    if len(layers) > 1:
        raise _Refused(f"文件里有多个图层({'、'.join(layers[:8])}),请指定其中一个。")
    return layers[0]


def _asked(function: Any, *given: Any, **named: Any) -> Any:
    """Call GDAL; its complaints are for programmers, so they become one sentence."""
    try:
        return function(*given, **named)
    except MemoryError:
        raise
    except UnicodeDecodeError:
        raise _Refused("属性表的文字编码不对,请指定 GBK 或 UTF-8。") from None
    except Exception as error:
        said = " ".join(str(error).replace(str(given[0]), "文件").split())[:160]
        raise _Refused(f"文件已损坏或不是所称的格式({type(error).__name__}: {said})。") from None


def _plain(value: Any) -> Any:
    """A cell as something JSON can carry."""
    if value is None or isinstance(value, str | bool):
        return value
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, int | str | bool):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    return None if isinstance(value, bytes) else str(value)


if __name__ == "__main__":
    main()
