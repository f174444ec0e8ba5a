"""Files that lie, burst or reach for what is not theirs: each gets its sentence and nothing else happens."""

import contextlib
import http.server
import json
import resource
import shutil
import sqlite3
import struct
import threading
import zipfile
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely
from shapely.affinity import translate

from geo.errors import BadFile
from geo.files.limits import Limits
from geo.reading import read_borders

SQUARE = shapely.box(104.0, 35.0, 104.01, 35.01)
pyogrio.set_gdal_config_options(
    {"OGR_SQLITE_SYNCHRONOUS": "OFF"}
)  # files of a test need not survive a power cut


def gdal_write(
    path: Path, geometries, names=("甲",), *, crs="EPSG:4490", geometry_type="Polygon", **options
) -> Path:
    pyogrio.raw.write(
        str(path),
        np.array([shapely.to_wkb(g) for g in geometries], dtype=object),
        [np.array([f"99010100100100{i + 1}" for i in range(len(geometries))], dtype=object),
         np.array(list(names), dtype=object)],
        np.array(["code", "name"]), geometry_type=geometry_type, crs=crs, **options,
    )  # fmt: skip
    return path


def zipped(path: Path, *files: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.write(file, file.name)
    return path


def shapefile(
    tmp_path: Path, *, encoding: str, cpg: str | None, prj: bool = True, geometry=SQUARE, crs="EPSG:4490"
) -> Path:
    folder = tmp_path / "shp"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    gdal_write(
        folder / "grids.shp", [geometry], ["中关村街道"], encoding=encoding, driver="ESRI Shapefile", crs=crs
    )
    (folder / "grids.cpg").unlink(missing_ok=True)
    if cpg is not None:
        (folder / "grids.cpg").write_text(cpg)
    if not prj:
        (folder / "grids.prj").unlink()
    return zipped(tmp_path / "grids.zip", *sorted(folder.iterdir()))


@pytest.fixture
def trap():
    """A loopback server that counts who calls."""
    calls: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            calls.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"code,name\n1,stolen\n")

        do_HEAD = do_GET

        def log_message(self, *_: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1], calls
    server.shutdown()


def test_good_files_of_every_kind(tmp_path) -> None:
    gpkg = gdal_write(tmp_path / "a.gpkg", [SQUARE], driver="GPKG", layer="grids")
    kml = gdal_write(tmp_path / "a.kml", [SQUARE], driver="KML", crs="EPSG:4326")
    kept = (tmp_path / "a.gpkg").read_bytes()
    for path in (gpkg, zipped(tmp_path / "g.zip", gpkg), kml):
        file = read_borders(path, level="grid")
        assert [shapely.equals_exact(f.geometry, SQUARE, tolerance=1e-9) for f in file.features] == [True]
    assert read_borders(gpkg).features[0].name == "甲"
    assert (tmp_path / "a.gpkg").read_bytes() == kept
    many = Limits(file_bytes=64 * 1024 * 1024)
    big = tmp_path / "big.geojson"
    turn = np.linspace(0, 2 * np.pi, 150_000, endpoint=False)
    ring = shapely.Polygon(np.column_stack([104 + np.cos(turn) / 100, 35 + np.sin(turn) / 100]))
    big.write_text('{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"code":"1"},"geometry":'
                   + shapely.to_geojson(ring) + "}]}")  # fmt: skip
    assert big.stat().st_size > 4 * 1024 * 1024
    assert shapely.equals_exact(read_borders(big, limits=many).features[0].geometry, ring, tolerance=0)


@pytest.mark.parametrize(
    ("written", "cpg", "given"),
    [
        ("GBK", "GBK", None),
        ("GBK", "936", None),
        ("GBK", None, "gbk"),
        ("UTF-8", "UTF-8", None),
        ("UTF-8", None, None),
    ],
)
def test_shapefile_code_pages(tmp_path, written, cpg, given) -> None:
    path = shapefile(tmp_path, encoding=written, cpg=cpg)
    assert read_borders(path, encoding=given).features[0].name == "中关村街道"


def test_unknown_code_page_is_asked_for(tmp_path) -> None:
    with pytest.raises(BadFile, match="文字编码不明,请指定 GBK 或 UTF-8"):
        read_borders(shapefile(tmp_path, encoding="GBK", cpg=None))
    with pytest.raises(BadFile, match="klingon"):
        read_borders(shapefile(tmp_path, encoding="GBK", cpg="klingon"))


def test_projected_shapefile_with_and_without_prj(tmp_path) -> None:
    from geo.zones import to_zone

    projected = to_zone(SQUARE, epsg=4522)
    known = read_borders(
        shapefile(tmp_path, encoding="UTF-8", cpg="UTF-8", geometry=projected, crs="EPSG:4522")
    )
    assert known.features[0].geometry.symmetric_difference(SQUARE).area < 1e-12
    bare = shapefile(tmp_path, encoding="UTF-8", cpg="UTF-8", geometry=projected, crs="EPSG:4522", prj=False)
    asked = read_borders(bare)
    assert asked.features == ()
    assert "EPSG:4523" in asked.problems[0].message or "EPSG:4522" in asked.problems[0].message
    given = read_borders(bare, frame="EPSG:4522")
    assert given.features[0].geometry.symmetric_difference(SQUARE).area < 1e-12


@pytest.mark.parametrize("suffix", [".geojson", ".gpkg", ".kml", ".zip", ".shp", ".vrt", ".csv"])
def test_a_vrt_under_any_name_reads_nothing_and_calls_nobody(tmp_path, trap, suffix) -> None:
    port, calls = trap
    secret = tmp_path / "secret.csv"
    secret.write_text('code,name,WKT\n1,stolen,"POLYGON((0 0,1 0,1 1,0 0))"\n')
    for source in (str(secret), f"/vsicurl/http://127.0.0.1:{port}/x.csv"):
        vrt = f'<OGRVRTDataSource><OGRVRTLayer name="secret"><SrcDataSource>{source}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'
        path = tmp_path / f"x{suffix}"
        if suffix == ".zip":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("x.gpkg", vrt)
                archive.writestr("x.vrt", vrt)
        else:
            path.write_text(vrt)
        with pytest.raises(BadFile) as caught:
            read_borders(path)
        assert "stolen" not in str(caught.value)
    assert calls == []


def test_kml_that_points_elsewhere_is_not_followed(tmp_path, trap) -> None:
    port, calls = trap
    link = f"<NetworkLink><Link><href>http://127.0.0.1:{port}/a.kml</href></Link></NetworkLink>"
    (tmp_path / "a.kml").write_text(
        f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{link}</Document></kml>'
    )
    with pytest.raises(BadFile):
        read_borders(tmp_path / "a.kml")
    bomb = '<!DOCTYPE k [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><kml xmlns="x">&b;</kml>'
    (tmp_path / "b.kml").write_text(bomb)
    with pytest.raises(BadFile, match="KML"):
        read_borders(tmp_path / "b.kml")
    assert calls == []


def test_child_has_no_network(tmp_path, trap) -> None:
    """The confinement itself, without any driver in the way."""
    import subprocess
    import sys

    port, calls = trap
    code = (
        "import socket, geo.files.child as c\n"
        "c._confine({'memory_bytes': 1 << 30, 'seconds': 20})\n"
        f"socket.create_connection(('127.0.0.1', {port}), 2).send(b'GET /leak HTTP/1.0\\r\\n\\r\\n')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False
    )
    if done.returncode == 0:
        pytest.skip("this kernel gives no network namespace to this user: the driver allow-list stands alone")
    assert "Error" in done.stderr
    assert calls == []


def test_geopackages_with_nothing_to_import(tmp_path) -> None:
    bare = tmp_path / "bare.gpkg"
    gdal_write(bare, [SQUARE], driver="GPKG", layer="grids")
    pyogrio.raw.write(
        str(tmp_path / "table.gpkg"), None, [np.array([1])], np.array(["n"]), driver="GPKG", layer="t"
    )
    with pytest.raises(BadFile, match="几何"):
        read_borders(tmp_path / "table.gpkg")
    (tmp_path / "zero.gpkg").write_bytes(b"")
    with pytest.raises(BadFile, match="0 字节"):
        read_borders(tmp_path / "zero.gpkg")
    (tmp_path / "cut.gpkg").write_bytes(bare.read_bytes()[:5000])
    with pytest.raises(BadFile, match="损坏"):
        read_borders(tmp_path / "cut.gpkg")
    other = sqlite3.connect(tmp_path / "other.gpkg")
    other.execute("create table t (a)")
    other.commit()
    other.close()
    with pytest.raises(BadFile):
        read_borders(tmp_path / "other.gpkg")
    gdal_write(tmp_path / "two.gpkg", [SQUARE], driver="GPKG", layer="a")
    gdal_write(tmp_path / "two.gpkg", [SQUARE], driver="GPKG", layer="b", append=True)
    with pytest.raises(BadFile, match="多个图层"):
        read_borders(tmp_path / "two.gpkg")
    assert len(read_borders(tmp_path / "two.gpkg", layer="b").features) == 1
    with pytest.raises(BadFile, match="没有图层“c”"):
        read_borders(tmp_path / "two.gpkg", layer="c")


def test_geometries_that_are_no_plain_polygons(tmp_path) -> None:
    curved = shapely.from_wkt("POLYGON Z ((104 35 5,104.01 35 5,104.01 35.01 5,104 35 5))")
    gdal_write(tmp_path / "z.gpkg", [curved], driver="GPKG", geometry_type="Polygon Z")
    file = read_borders(tmp_path / "z.gpkg")
    assert "三维" in file.problems[0].message
    assert not file.features[0].geometry.has_z
    gdal_write(tmp_path / "p.gpkg", [shapely.Point(104, 35)], driver="GPKG", geometry_type="Point")
    assert "不是面状" in read_borders(tmp_path / "p.gpkg").problems[0].message
    nan = shapely.Polygon([(104, 35), (104.1, 35), (float("nan"), 35.1), (104, 35)])
    gdal_write(tmp_path / "nan.gpkg", [nan, SQUARE], ["a", "b"], driver="GPKG")
    file = read_borders(tmp_path / "nan.gpkg")
    assert [p.feature for p in file.problems] == [0]
    assert len(file.features) == 1
    wide = shapely.box(-179, 35, 179, 36)
    gdal_write(tmp_path / "wide.gpkg", [wide], driver="GPKG")
    assert "180°" in read_borders(tmp_path / "wide.gpkg").problems[0].message


def curved(number: int) -> bytes:
    """A circle as ISO WKB of a CurvePolygon, a MultiSurface of it, or one with heights."""
    points = [(104.0, 35.0), (104.01, 35.0), (104.0, 35.0)]
    heights = number == 1010
    packed = b"".join(struct.pack("<ddd" if heights else "<dd", *p, *([5.0] * heights)) for p in points)
    line = struct.pack("<BII", 1, 1008 if heights else 8, len(points)) + packed
    surface = struct.pack("<BII", 1, 1010 if heights else 10, 1) + line
    return struct.pack("<BII", 1, 12, 1) + surface if number == 12 else surface


@pytest.mark.parametrize("number", [10, 12, 1010])
def test_curves_in_a_geopackage_are_named(tmp_path, number) -> None:
    """As a database would export them: the file is opened by GDAL like any other, the straight one is kept."""
    path = gdal_write(
        tmp_path / "curves.gpkg", [SQUARE, translate(SQUARE, 0.02)], ["弯", "直"],
        driver="GPKG", layer="grids", layer_options={"SPATIAL_INDEX": "NO"},
    )  # fmt: skip
    with contextlib.closing(sqlite3.connect(path)) as file:
        blob = b"GP\0\x01" + struct.pack("<i", 4490) + curved(number)
        file.execute("update grids set geom = ? where name = '弯'", (blob,))
        file.execute("update gpkg_geometry_columns set geometry_type_name = 'GEOMETRY', z = 2")
        file.commit()
    read = read_borders(path)
    assert [f.name for f in read.features] == ["直"]
    assert [(p.feature, p.code, "曲线" in p.message, "折线" in p.message) for p in read.problems] == [
        (0, "990101001001001", True, True)
    ]


def test_fifty_million_vertices_cost_bounded_memory(tmp_path) -> None:
    """A GeoJSON of 50 million vertices is refused by size; a cheaper lie by count, inside the child."""
    huge = tmp_path / "huge.geojson"
    with open(huge, "wb") as out:
        out.truncate(50_000_000 * 12)
    with pytest.raises(BadFile, match="上限"):
        read_borders(huge)
    many = tmp_path / "many.geojson"
    pair = b"[1,1],"
    with open(many, "wb") as out:
        out.write(
            b'{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[['
        )
        for _ in range(200):
            out.write(pair * 10_000)
        out.write(b"[1,1]]]}}]}")
    with pytest.raises(BadFile, match=r"顶点过多|内存"):
        read_borders(many)
    with pytest.raises(BadFile, match="内存"):
        read_borders(many, limits=Limits(child_memory_bytes=250 * 1024 * 1024))


def test_a_geopackage_that_lies_about_its_vertices(tmp_path) -> None:
    """A blob that claims fifty million vertices and holds none costs nothing and imports nothing."""
    path = gdal_write(
        tmp_path / "lies.gpkg", [SQUARE], driver="GPKG", layer="grids", layer_options={"SPATIAL_INDEX": "NO"}
    )
    with contextlib.closing(sqlite3.connect(path)) as file:
        wkb = struct.pack("<BIII", 1, 3, 1, 50_000_000) + b"\0" * 64
        file.execute("update grids set geom = ?", (b"GP\0\x01" + struct.pack("<i", 4490) + wkb,))
        file.commit()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        features = read_borders(path).features
    except BadFile:
        features = ()
    assert features == ()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB


def test_a_file_across_the_antimeridian_is_named(tmp_path) -> None:
    east, west = shapely.box(179.9, 35, 180, 35.1), shapely.box(-180, 35, -179.9, 35.1)
    path = tmp_path / "dateline.geojson"
    content = {"type": "Feature", "properties": {"code": "990101001001001"}}
    content["geometry"] = json.loads(shapely.to_geojson(shapely.MultiPolygon([east, west])))
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [content]}))
    read = read_borders(path)
    assert read.features == ()
    assert "180°" in read.problems[0].message


def test_deep_json_and_strange_numbers_in_the_child(tmp_path) -> None:
    deep = tmp_path / "deep.geojson"
    deep.write_bytes(b"[" * 5_000_000)
    with pytest.raises(BadFile):
        read_borders(deep)


def test_missing_and_unknown_files(tmp_path) -> None:
    with pytest.raises(BadFile, match="不存在"):
        read_borders(tmp_path / "none.geojson")
    (tmp_path / "a.exe").write_bytes(b"MZ")
    with pytest.raises(BadFile, match="GeoPackage"):
        read_borders(tmp_path / "a.exe")
    with pytest.raises(BadFile, match="普通文件"):
        read_borders(tmp_path)


def test_sentences_survive_a_process_border() -> None:
    import pickle

    error = BadFile("坏了", file="a.gpkg", layer="b", feature=3)
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) == "文件“a.gpkg”、图层“b”、要素“3”:坏了"
    assert json.dumps(str(again))
