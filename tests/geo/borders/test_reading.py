"""The bounded GeoJSON reader: what it takes, what it refuses, and the sentence it gives."""

import json

import pytest
import shapely

from geo.borders import Level
from geo.errors import BadFile
from geo.files.limits import Limits
from geo.frames import encode_geometry
from geo.reading import read_borders
from geo.zones import to_zone

RING = [[104.0, 35.0], [104.001, 35.0], [104.001, 35.001], [104.0, 35.0]]


def write(path, *geometries, properties=None, **extra):
    features = [
        {"type": "Feature", "properties": properties or {"code": f"{i:015d}"}, "geometry": g}
        for i, g in enumerate(geometries)
    ]
    file = path / "borders.geojson"
    file.write_text(
        json.dumps({"type": "FeatureCollection", "features": features, **extra}), encoding="utf-8"
    )
    return file


def polygon(*rings):
    return {"type": "Polygon", "coordinates": list(rings)}


def test_columns_are_guessed_and_shown(tmp_path) -> None:
    cells = {
        "区划代码": 110105001000,
        "Name": " 建外街道 ",
        "parentCode": 110105000000.0,
        "labelPoint": [39.9, 116.4],
    }
    file = read_borders(write(tmp_path, polygon(RING), properties=cells))
    feature = file.features[0]
    assert (feature.code, feature.name, feature.parent) == ("110105001000", "建外街道", "110105000000")
    assert feature.level is Level.STREET
    assert feature.label == (39.9, 116.4)
    assert set(file.columns.guessed) == {"code", "name", "parent", "label"}
    assert file.columns.code == "区划代码"
    assert len(file.sha256) == 64


def test_given_columns_win(tmp_path) -> None:
    path = write(tmp_path, polygon(RING), properties={"code": "1", "my": "2"})
    file = read_borders(path, columns={"code": "my"}, level="grid")
    assert (file.features[0].code, file.features[0].level) == ("2", Level.GRID)


@pytest.mark.parametrize(
    ("geometry", "sentence"),
    [
        (None, "没有几何"),
        ({"type": "Point", "coordinates": [1, 2]}, "Point"),
        ({"type": "GeometryCollection", "geometries": []}, "GeometryCollection"),
        (polygon(RING[:3]), "少于 4"),
        (polygon([*RING[:3], [104.0, 35.0001]]), "没有闭合"),
        (polygon([[True, 35.0], *RING[1:]]), "有限的数"),
        (polygon([["104", 35.0], *RING[1:]]), "有限的数"),
        (polygon([[None, 35.0], *RING[1:]]), "有限的数"),
        (polygon([[10**400, 35.0], *RING[1:]]), "有限的数"),
        (polygon([[104.0], *RING[1:]]), "数对"),
        (polygon(), "没有环"),
        ({"type": "MultiPolygon", "coordinates": []}, "空的"),
        (polygon([[x * 4000, y * 1e5] for x, y in RING]), "超出经纬度"),
    ],
)  # fmt: skip
def test_unusable_features_are_named_not_dropped(tmp_path, geometry, sentence) -> None:
    file = read_borders(write(tmp_path, polygon(RING), geometry))
    assert len(file.features) == 1
    assert [p.feature for p in file.problems] == [1]
    assert sentence in file.problems[0].message


def test_three_dimensions_are_flattened_and_said(tmp_path) -> None:
    file = read_borders(write(tmp_path, polygon([[*p, 12.5] for p in RING])))
    assert not file.features[0].geometry.has_z
    assert "三维" in file.problems[0].message


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "0 字节"),
        (b"{", "JSON"),
        (b"[" * 100_000, "过深"),
        (b'{"type": "FeatureCollection", "features": [NaN]}', "NaN"),
        (b'{"type": "FeatureCollection"}', "features"),
        (b'{"type": "Topology"}', "FeatureCollection"),
        (b"[]", "FeatureCollection"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b'<OGRVRTDataSource><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTDataSource>', "JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "无法解析"),
    ],
    ids=range(10),
)  # fmt: skip
def test_files_that_are_refused(tmp_path, content, sentence) -> None:
    file = tmp_path / "x.geojson"
    file.write_bytes(content)
    with pytest.raises(BadFile, match=sentence) as caught:
        read_borders(file)
    assert caught.value.file == "x.geojson"


@pytest.mark.parametrize(
    "limits", [Limits(features=1), Limits(vertices=7), Limits(feature_vertices=3), Limits(file_bytes=100)]
)
def test_limits_hold(tmp_path, limits) -> None:
    path = write(tmp_path, polygon(RING), polygon(RING))
    with pytest.raises(BadFile, match="上限"):
        read_borders(path, limits=limits)


def named(epsg: int) -> dict:
    return {"crs": {"type": "name", "properties": {"name": f"urn:ogc:def:crs:EPSG::{epsg}"}}}


def test_projected_zones_are_taken_as_declared_or_as_given(tmp_path) -> None:
    place = shapely.box(114.1, 30.5, 114.2, 30.6)
    ring = [list(p) for p in to_zone(place, epsg=4547).exterior.coords]
    declared = read_borders(write(tmp_path, polygon(ring), **named(4547)))
    assert "4547" in declared.notices[0]
    for file in (declared, read_borders(write(tmp_path, polygon(ring)), frame=4547)):
        assert shapely.equals_exact(file.features[0].geometry, place, tolerance=1e-9)
    undeclared = read_borders(write(tmp_path, polygon(ring)))
    assert undeclared.features == ()
    assert "EPSG" in undeclared.problems[0].message
    with pytest.raises(BadFile, match="3857"):
        read_borders(write(tmp_path, polygon(RING), **named(3857)))
    with pytest.raises(BadFile, match="不符"):
        read_borders(write(tmp_path, polygon(ring), **named(4547)), frame=4548)


def test_latitude_first_is_named_and_read_when_said(tmp_path) -> None:
    turned = write(tmp_path, polygon([[y, x] for x, y in RING]))
    assert "写反" in read_borders(turned).problems[0].message
    file = read_borders(turned, swapped=True)
    assert file.features[0].geometry.bounds[:2] == (104.0, 35.0)
    assert "对调" in file.notices[0]


def test_frames_are_undone(tmp_path) -> None:
    moved = encode_geometry(shapely.Polygon(RING), frame="gcj02")
    file = read_borders(write(tmp_path, polygon([list(p) for p in moved.exterior.coords])), frame="gcj02")
    assert shapely.equals_exact(file.features[0].geometry, shapely.Polygon(RING), tolerance=1e-11)


def test_real_beijing_files(real_data) -> None:
    features = [
        f
        for path in sorted((real_data / "beijing_core6").glob("*-all.geojson"))
        for f in read_borders(path).features
    ]
    assert len(features) == 139
    assert len({f.code for f in features}) == 139
    assert len({f.name for f in features}) == 138
    assert {f.level for f in features} == {Level.STREET}
