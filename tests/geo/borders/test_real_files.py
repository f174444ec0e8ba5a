"""Real streets as offices hand them over: other columns, other frames, levels left out."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import shapely
from shapely.geometry import mapping, shape

from geo.frames import Frame, encode_geometry
from geo.reading import BorderFile, read_borders
from geo.review.checking import check_borders
from geo.zones import to_zone

Properties = dict[str, Any]
Handed = Callable[..., Path]


@pytest.fixture
def handed(real_data: Path, tmp_path: Path) -> Handed:
    """A file of the streets of one district, with shapes and columns changed."""
    streets = json.loads((real_data / "beijing_core6" / "dongcheng-all.geojson").read_text(encoding="utf-8"))

    def write(*, drawn=lambda shape: shape, columns=lambda its: its) -> Path:
        features = [
            {
                "type": "Feature",
                "properties": columns(f["properties"]),
                "geometry": mapping(drawn(shape(f["geometry"]))),
            }
            for f in streets["features"]
        ]
        path = tmp_path / "streets.geojson"
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
        return path

    return write


def messages(*files: BorderFile) -> dict[str, str]:
    return {f.kind: f.message for f in check_borders(files).findings}


@pytest.mark.parametrize(
    "columns",
    [
        lambda its: dict(reversed(its.items())),
        lambda its: {"行政区划代码": its["code"], "街道名": its["Name"], "所属区": its["parentCode"]},
        lambda its: {"F1": its["Name"], "F2": float(its["code"]), "F3": its["parentCode"], "F4": 1},
        lambda its: {"xzqdm": str(its["code"])[:9], "xzqmc": its["Name"], "sjbm": str(its["parentCode"])[:6]},
    ],
    ids=["other order", "Chinese names", "names that say nothing", "short codes"],
)
def test_columns_are_found(handed: Handed, columns: Callable[[Properties], Properties]) -> None:
    read = read_borders(handed(columns=columns))
    assert len(read.features) == 17
    assert {"code", "name", "parent"} <= set(read.columns.guessed)
    assert read.features[0].name == "东华门街道"
    assert str(read.features[0].code).startswith("110101001")
    assert str(read.features[0].parent).startswith("110101")
    assert {f.level for f in read.features} == {"street"}


def test_without_a_code_the_columns_are_named(handed: Handed) -> None:
    said = messages(read_borders(handed(columns=lambda its: {"Name": its["Name"], "面积": 3.5})))
    assert "Name、面积" in str(
        check_borders([read_borders(handed(columns=lambda its: {"Name": its["Name"], "面积": 3.5}))]).findings
    )
    assert "请指出哪一列是编码" in said["no_code"]


@pytest.mark.parametrize(("frame", "named"), [(Frame.GCJ02, "GCJ-02"), (Frame.BD09, "BD-09")])
def test_shifted_streets_are_suspected_against_the_outline(
    handed: Handed, real_data: Path, frame: Frame, named: str
) -> None:
    path = handed(drawn=lambda shape: encode_geometry(shape, frame=frame))
    outline = read_borders(real_data / "beijing_core6" / "dongcheng-outline.geojson")
    assert named in messages(read_borders(path), outline)["frame_suspected"]
    assert "frame_suspected" not in messages(read_borders(path, frame=frame), outline)


def test_latitude_first_is_one_sentence_and_one_cure(handed: Handed) -> None:
    path = handed(drawn=lambda some: shapely.transform(some, lambda xy: xy[:, ::-1]))
    found = [f for f in check_borders([read_borders(path)]).findings if f.kind == "swapped"]
    assert len(found) == 1
    assert "17 个要素" in found[0].message
    assert "请选“文件里纬度在前”" in found[0].message
    assert len(read_borders(path, swapped=True).features) == 17


@pytest.mark.parametrize(("epsg", "said"), [(4527, "EPSG:4527"), (4548, "请给出 EPSG")])
def test_projected_without_a_word_about_it(handed: Handed, epsg: int, said: str) -> None:
    path = handed(drawn=lambda some: to_zone(some, epsg=epsg))
    assert said in " ".join(p.message for p in read_borders(path).problems)
    assert len(read_borders(path, frame=epsg).features) == 17


def test_levels_that_a_city_does_not_have(handed: Handed) -> None:
    """Dongguan: towns right below the city. Sanya: communities right below the district, by their own codes."""
    dongguan = iter(range(3, 99))
    path = handed(columns=lambda its: {"code": f"4419000{next(dongguan):02d}000", "name": its["Name"]})
    city = messages(read_borders(path))
    assert {"parent_missing", "code_format", "no_level"}.isdisjoint(city)
    sanya = iter(range(1, 99))
    path = handed(
        columns=lambda its: {
            "code": f"460202198{next(sanya):03d}", "name": its["Name"], "parent": "460202198000",
        }
    )  # fmt: skip
    district = messages(read_borders(path))
    assert {"parent_missing", "code_format", "no_level"}.isdisjoint(district)


def test_a_single_feature_is_a_file_too(handed: Handed, tmp_path: Path) -> None:
    first = json.loads(handed().read_text(encoding="utf-8"))["features"][0]
    (tmp_path / "one.geojson").write_text(json.dumps(first), encoding="utf-8")
    assert [f.name for f in read_borders(tmp_path / "one.geojson").features] == ["东华门街道"]
