"""The border check as a page: a report with a map, under the strict content policy, and nothing imported."""

import json
import re
import zipfile
from collections.abc import Callable
from io import BytesIO

import shapely
from shapely.geometry import mapping, shape
from werkzeug.test import TestResponse

from tests.town import Town
from tests.web.conftest import Visitor

Enter = Callable[[str], Visitor]


def grids(*squares: shapely.Polygon) -> bytes:
    features = [
        {
            "type": "Feature",
            "properties": {"code": f"99010100100100{i + 1}", "name": f"第{i + 1}<b>网格"},
            "geometry": mapping(square),
        }
        for i, square in enumerate(squares)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def check(who: Visitor, name: str, content: bytes) -> TestResponse:
    return who.posts("/borders/", files=(BytesIO(content), name))


def test_overlap_is_shown_with_a_map_and_a_proposal(visitor: Enter, town: Town) -> None:
    content = grids(shapely.box(104.0, 35.0, 104.01, 35.01), shapely.box(104.009, 35.0, 104.02, 35.01))
    page = check(visitor("administrator"), "grids.geojson", content)
    assert page.status_code == 200
    assert "重叠" in page.text
    assert "<svg" in page.text
    assert "overlap:99010100100100" in page.text
    assert "<b>网格" not in page.text
    report = page.text[page.text.index('aria-label="检查报告"') :]
    assert "<style" not in report
    assert " style=" not in report


def test_chosen_repairs_are_downloaded_and_the_rest_left(visitor: Enter, town: Town) -> None:
    content = grids(shapely.box(104.0, 35.0, 104.01, 35.01), shapely.box(104.009, 35.0, 104.02, 35.01))
    who = visitor("administrator")
    page = check(who, "grids.geojson", content).text
    action = re.search(r'action="(/borders/[0-9a-f-]{36}/repair)"', page)
    boxes = re.findall(r'name="choose" value="([^"]+)"', page)
    assert action
    overlap = next(box for box in boxes if box.startswith("overlap:"))
    nothing = who.posts(action[1])
    assert nothing.status_code == 422
    assert "至少勾选一条" in nothing.text
    wrong = who.posts(action[1], choose=[overlap, "gap:none"])
    assert wrong.status_code == 422
    assert f'value="{overlap}" checked' in wrong.text
    done = who.posts(action[1], choose=[overlap])
    assert done.mimetype == "application/zip"
    with zipfile.ZipFile(BytesIO(done.data)) as archive:
        mended = json.loads(archive.read("grid.geojson"))
        record = json.loads(archive.read("repairs.json"))
        original = next(name for name in archive.namelist() if name.startswith("originals/"))
        assert archive.read(original) == content
    shapes = [shape(f["geometry"]) for f in mended["features"]]
    assert shapely.intersection(*shapes).area == 0
    assert [r["id"] for r in record["repairs"]] == [overlap]
    assert (
        who.posts("/borders/00000000-0000-4000-8000-000000000000/repair", choose=[overlap]).status_code == 404
    )
    assert visitor("worker").posts(action[1], choose=[overlap]).status_code in (403, 404)


def test_refused_files_give_their_sentence(visitor: Enter) -> None:
    for name, content, sentence in (
        ("a.geojson", b"{", "JSON"),
        ("a.gpkg", b"MZ", "GeoPackage"),
        ("a.exe", b"x", "不认识"),
    ):
        page = check(visitor("administrator"), name, content)
        assert page.status_code == 422
        assert sentence in page.text
    assert visitor("administrator").posts("/borders/").status_code == 422


def test_only_those_who_change_the_standing_world(visitor: Enter) -> None:
    assert visitor("administrator").sees("/borders/").status_code == 200
    assert visitor("worker").sees("/borders/").status_code in (403, 404)
