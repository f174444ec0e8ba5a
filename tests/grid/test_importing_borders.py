"""Boundary files through `flask grid import`: all is right and in force, or each wrong thing is named and nothing is."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlmodel import select

from app import create_app
from grid.areas.generations import active_generation, areas_of, overlays_of
from grid.database import Database
from grid.models import Generation
from grid.settings import Settings

Feature = dict[str, Any]


@pytest.fixture
def app(settings: Settings) -> Flask:
    return create_app(settings)


def square(code: str | None, name: str, x: float, *, level: str = "community", **more: Any) -> Feature:
    ring = [[x, 39.9], [x + 0.01, 39.9], [x + 0.01, 39.91], [x, 39.91], [x, 39.9]]
    return feature([ring], code=code, name=name, level=level, **more)


def feature(rings: list[Any], **properties: Any) -> Feature:
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": "Polygon", "coordinates": rings},
    }


WEST = square("990101001001", "西社区", 116.40, parent="990101001000")
EAST = square("990101001002", "东社区", 116.41, parent="990101001000")
BOTH = [[[116.40, 39.9], [116.42, 39.9], [116.42, 39.91], [116.40, 39.91], [116.40, 39.9]]]
STREET = feature(BOTH, code="990101001000", name="春和街道", level="street")
PARK = feature([BOTH[0]], code="p1", name="湖畔公园", kind="park", priority=7)
BOW_TIE = feature(
    [[[116.40, 39.9], [116.41, 39.91], [116.41, 39.9], [116.40, 39.91], [116.40, 39.9]]],
    code="990101001001",
    name="西社区",
    level="community",
    parent="990101001000",
)
OPEN_RING = feature(
    [[[116.40, 39.9], [116.41, 39.9], [116.41, 39.91], [116.40, 39.91]]],
    code="990101001001",
    name="西社区",
    level="community",
    parent="990101001000",
)


def written(folder: Path, *features: Feature, name: str = "town.geojson") -> str:
    path = folder / name
    collection = {"type": "FeatureCollection", "features": list(features)}
    path.write_text(json.dumps(collection, ensure_ascii=False), encoding="utf-8")
    return str(path)


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["grid", "import", *arguments])


def test_files_become_one_set_in_force(app: Flask, database: Database, tmp_path: Path) -> None:
    areas = written(tmp_path, STREET, WEST, EAST)
    overlays = written(tmp_path, PARK, name="parks.geojson")

    result = run(app, areas, overlays, "--frame", "wgs84", "--label", "首版")

    assert result.exit_code == 0, result.output
    assert "边界:已导入,文件 2、街道乡镇 1、社区村 2、叠加面 1" in result.output
    with database.reading() as session:
        generation = active_generation(session)
        assert generation is not None
        assert (generation.label, generation.synthetic) == ("首版", False)
        parents = {area.code: area.parent for area in areas_of(session, generation.id or 0)}
        assert parents == {
            "990101001000": None,
            "990101001001": "990101001000",
            "990101001002": "990101001000",
        }
        assert [o.priority for o in overlays_of(session, generation.id or 0)] == [7]


def test_a_draft_waits_until_it_is_activated(app: Flask, database: Database, tmp_path: Path) -> None:
    run(app, written(tmp_path, STREET, WEST, EAST), "--frame", "wgs84", "--label", "草稿", "--draft")
    with database.reading() as session:
        assert active_generation(session) is None

    result = app.test_cli_runner().invoke(args=["grid", "activate", "1"])

    assert "“草稿”已启用" in result.output
    with database.reading() as session:
        found = active_generation(session)
    assert found is not None
    assert found.label == "草稿"


def test_positions_in_an_offset_frame_are_brought_home(
    app: Flask, database: Database, tmp_path: Path
) -> None:
    run(app, written(tmp_path, STREET, WEST, EAST), "--frame", "gcj02")

    with database.reading() as session:
        generation = active_generation(session)
        assert generation is not None
        west = next(a for a in areas_of(session, generation.id or 0) if a.code == "990101001001")
    # GCJ-02 lies about 540 m to the north-east of WGS-84 in this place.
    assert west.geometry is not None
    assert west.geometry.bounds[0] == pytest.approx(116.40 - 0.0062, abs=4e-4)
    assert west.geometry.bounds[1] == pytest.approx(39.90 - 0.0014, abs=4e-4)


def test_missing_uppers_are_put_together_when_a_list_names_them(
    app: Flask, database: Database, tmp_path: Path
) -> None:
    names = tmp_path / "areas.csv"
    names.write_text("code,name\n990101001,春和街道\n", encoding="utf-8")
    file = written(tmp_path, WEST, EAST)

    assert run(app, file, "--frame", "wgs84").exit_code == 1
    result = run(app, file, "--frame", "wgs84", "--names", str(names))

    assert "“春和街道”(990101001000)没有边界,由下级区域合成" in result.output
    with database.reading() as session:
        generation = active_generation(session)
        assert generation is not None
        street = next(a for a in areas_of(session, generation.id or 0) if a.code == "990101001000")
    assert street.level == "street"
    assert street.geometry is not None
    assert street.geometry.area == pytest.approx(0.0002)


@pytest.mark.parametrize(
    ("features", "arguments", "complaint"),
    [
        ([STREET, WEST, EAST], [], "没有给出坐标系"),
        ([STREET, WEST, EAST], ["--frame", "gcj99"], "不认识坐标系“gcj99”"),
        ([STREET, BOW_TIE, EAST], ["--frame", "wgs84"], "990101001001.*自相交"),
        ([STREET, OPEN_RING, EAST], ["--frame", "wgs84"], "990101001001.*没有闭合"),
        ([STREET, WEST, {**EAST, "properties": WEST["properties"]}], ["--frame", "wgs84"], "990101001001"),
        ([WEST, EAST], ["--frame", "wgs84"], "990101001000 不在这些文件里"),
        ([STREET, square(None, "无码", 116.40), EAST], ["--frame", "wgs84"], "无码.*没有编码|没有编码"),
        ([], ["--frame", "wgs84"], "没有一个"),
        ([STREET, square("x", "奇", 116.40, level="planet"), EAST], ["--frame", "wgs84"], "层级"),
    ],
    ids=[
        "no frame",
        "unknown frame",
        "crossing ring",
        "open ring",
        "doubled code",
        "unknown parent",
        "no code",
        "empty",
        "unknown level",
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_imported(
    app: Flask,
    database: Database,
    tmp_path: Path,
    features: list[Feature],
    arguments: list[str],
    complaint: str,
) -> None:
    import re

    result = run(app, written(tmp_path, *features), *arguments)

    assert result.exit_code == 1
    assert re.search(complaint, result.output), result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    with database.reading() as session:
        assert session.exec(select(Generation)).all() == []


def test_a_file_that_is_missing_or_no_geojson_is_named(app: Flask, tmp_path: Path) -> None:
    (tmp_path / "broken.geojson").write_text("{", encoding="utf-8")

    result = run(app, str(tmp_path / "nowhere.geojson"), str(tmp_path / "broken.geojson"), "--frame", "wgs84")

    assert result.exit_code == 1
    assert "nowhere.geojson" in result.output
    assert "broken.geojson" in result.output
