"""What `locate` answers, and how sure it says it is."""

import json

import numpy as np
import pytest
import shapely

from geo.borders import AreaShape, Level, OverlayShape, build_index
from geo.errors import BadBorders, BadIndex, BadPoint
from geo.frames import from_wgs84
from geo.inventing import City
from geo.locating import Locator


def square(x: float, y: float, size: float = 0.001) -> shapely.Polygon:
    return shapely.box(x, y, x + size, y + size)


def area(code: str, geometry: object, level: Level = Level.GRID, parent: str | None = None) -> AreaShape:
    return AreaShape(code, f"区{code}", level, parent, geometry)


def opened(path, areas, overlays=()) -> Locator:
    build_index(areas, overlays, path / "i.idx", generation="t")
    return Locator.open(path / "i.idx")


def test_all_levels_and_overlays_at_once(city: City, locator: Locator) -> None:
    parents = {a.code: a.parent for a in city.areas}
    drawn = {o.code: (o.priority, o.geometry) for o in city.overlays}
    rng = np.random.default_rng(3)
    grids = city.level(Level.GRID)
    for grid in (grids[i] for i in rng.integers(len(grids), size=60)):
        point = shapely.point_on_surface(grid.geometry)
        placed = locator.locate(lon=point.x, lat=point.y, accuracy_m=None, frame="wgs84")
        assert placed.codes["grid"] == grid.code
        for finer, wider in (("grid", "community"), ("community", "street"), ("street", "district")):
            assert placed.codes[wider] == parents[placed.codes[finer]]
        held = [(-p, c) for c, (p, g) in drawn.items() if g.covers(point)]
        assert placed.overlays == tuple(c for _, c in sorted(held))
        assert (placed.how, placed.on_border, placed.generation) == ("inside", False, "demo-1")


def test_frames_reach_the_same_grid(city: City, locator: Locator) -> None:
    point = shapely.point_on_surface(city.level(Level.GRID)[50].geometry)
    answers = set()
    for frame in ("wgs84", "gcj02", "bd09", "cgcs2000"):
        lon, lat = from_wgs84(lon=point.x, lat=point.y, frame=frame)
        placed = locator.locate(lon=lon, lat=lat, accuracy_m=None, frame=frame)
        answers.add(placed.codes["grid"])
        assert (placed.lon, placed.lat) == pytest.approx((point.x, point.y), abs=1e-9)
    assert answers == {city.level(Level.GRID)[50].code}


def test_border_points_have_exactly_one_owner(tmp_path) -> None:
    west, east, above = square(104.0, 35.0), square(104.001, 35.0), square(104.0, 35.001)
    locator = opened(tmp_path, [area("1", west), area("2", east), area("3", above)])
    on_edge = locator.locate(lon=104.001, lat=35.0005, accuracy_m=None, frame="wgs84")
    assert (on_edge.codes, on_edge.how, on_edge.on_border) == ({"grid": "2"}, "on_border", True)
    level_edge = locator.locate(lon=104.0005, lat=35.001, accuracy_m=None, frame="wgs84")
    assert level_edge.codes == {"grid": "3"}
    assert "边界线" in level_edge.reason
    inner = locator.locate(lon=104.0005, lat=35.0005, accuracy_m=None, frame="wgs84")
    assert (inner.codes, inner.on_border) == ({"grid": "1"}, False)


def test_shares_of_the_accuracy_circle(tmp_path) -> None:
    locator = opened(tmp_path, [area("1", square(104.0, 35.0)), area("2", square(104.001, 35.0))])
    middle = locator.locate(lon=104.001, lat=35.0005, accuracy_m=20, frame="wgs84")
    assert [c.code for c in middle.candidates] == ["1", "2"]
    assert [c.share for c in middle.candidates] == pytest.approx([0.5, 0.5], abs=0.01)
    off = locator.locate(lon=104.0011, lat=35.0005, accuracy_m=20, frame="wgs84")
    # 9.124 m east of the border: part of a circle beyond a chord
    d = 9.124 / 20
    beyond = (np.arccos(d) - d * np.sqrt(1 - d * d)) / np.pi
    assert {c.code: c.share for c in off.candidates} == pytest.approx(
        {"2": 1 - beyond, "1": beyond}, abs=0.005
    )
    assert off.border_distance_m == pytest.approx(9.124, abs=0.02)
    far = locator.locate(lon=104.0005, lat=35.0005, accuracy_m=10, frame="wgs84")
    assert far.candidates == (("1", 1.0),)


def test_small_gap_snaps_and_says_so(tmp_path) -> None:
    ring = [
        area(str(i), square(104 + 0.001 * x, 35 + 0.001 * y))
        for i, (x, y) in enumerate([(0, 0), (1, 0), (2, 0), (0, 1), (2, 1), (0, 2), (1, 2), (2, 2)])
    ]
    locator = opened(tmp_path, ring)
    near = locator.locate(lon=104.0011, lat=35.0015, accuracy_m=None, frame="wgs84")
    assert (near.how, near.codes, near.nearest) == ("snapped", {"grid": "3"}, "3")
    assert near.distance_m == pytest.approx(9.1, abs=0.1)
    deep = locator.locate(lon=104.0015, lat=35.0015, accuracy_m=None, frame="wgs84")
    assert (deep.how, deep.codes) == ("gap", {})
    assert deep.distance_m == pytest.approx(45.6, abs=0.2)
    assert deep.nearest in {"3", "4"}
    outside = locator.locate(lon=104.02, lat=35.0005, accuracy_m=None, frame="wgs84")
    assert (outside.how, outside.nearest) == ("outside", "2")
    assert outside.distance_m == pytest.approx(1551, abs=3)
    assert "1.6 公里" in outside.reason


def test_upper_outline_that_reaches_farther_than_its_children(tmp_path) -> None:
    street = AreaShape("S", "某街道", Level.STREET, None, shapely.box(104.0, 35.0, 104.01, 35.01))
    grid = AreaShape("G", "第1网格", Level.GRID, "S", square(104.0, 35.0))
    locator = opened(tmp_path, [street, grid])
    placed = locator.locate(lon=104.008, lat=35.008, accuracy_m=None, frame="wgs84")
    assert (placed.how, placed.codes, placed.nearest) == ("gap", {"street": "S"}, "G")
    assert locator.locate(lon=104.0005, lat=35.0005, accuracy_m=None, frame="wgs84").codes == {
        "street": "S",
        "grid": "G",
    }


def test_overlapping_areas_are_answered_as_overlapping(tmp_path) -> None:
    locator = opened(tmp_path, [area("2", square(104.0, 35.0)), area("1", square(104.0005, 35.0))])
    both = locator.locate(lon=104.0007, lat=35.0005, accuracy_m=None, frame="wgs84")
    assert both.codes == {"grid": "1"}
    assert "2 个重叠" in both.reason
    assert locator.locate(lon=104.0002, lat=35.0005, accuracy_m=None, frame="wgs84").codes == {"grid": "2"}


def test_overlays_by_priority_then_code(tmp_path) -> None:
    surfaces = [
        OverlayShape(code, code, "park", priority, square(104.0, 35.0))
        for code, priority in (("b", 5), ("a", 5), ("c", 9))
    ]
    locator = opened(tmp_path, [area("1", square(104.0, 35.0))], surfaces)
    assert locator.locate(lon=104.0005, lat=35.0005, accuracy_m=None, frame="wgs84").overlays == (
        "c",
        "a",
        "b",
    )


def test_answer_can_be_stored(locator: Locator) -> None:
    plain = locator.locate(lon=104.2, lat=35.6, accuracy_m=60, frame="gcj02").to_json()
    assert json.loads(json.dumps(plain, ensure_ascii=False)) == plain
    assert plain["frame"] == "gcj02"


def test_no_place_on_earth(locator: Locator) -> None:
    with pytest.raises(BadPoint):
        locator.locate(lon=float("nan"), lat=35, accuracy_m=None, frame="wgs84")
    with pytest.raises(BadPoint):
        locator.locate(lon=104.2, lat=35.6, accuracy_m=-1, frame="wgs84")


def test_broken_area_sets_are_refused(tmp_path) -> None:
    for areas, sentence in (
        ([], "没有任何区域"),
        ([area("1", square(0, 0)), area("1", square(1, 0))], "唯一"),
        ([area("1", square(0, 0), parent="9")], "上级编码"),
        ([area("1", None)], "补上多边形"),
        ([area("1", shapely.Point(1, 1))], "面状边界"),
        ([area("1", square(0, 0)), area("2", square(0, 0), parent="1")], "不高于"),
    ):
        with pytest.raises(BadBorders, match=sentence):
            build_index(areas, [], tmp_path / "bad.idx", generation="t")
    assert list(tmp_path.iterdir()) == []


def test_damaged_index_files_are_refused(tmp_path) -> None:
    with pytest.raises(BadIndex, match="不存在"):
        Locator.open(tmp_path / "none.idx")
    opened(tmp_path, [area("1", square(104.0, 35.0))])
    whole = (tmp_path / "i.idx").read_bytes()
    for content in (b"", b"GRIDIDX1", b"something else entirely", whole[: len(whole) // 2]):
        (tmp_path / "i.idx").write_bytes(content)
        with pytest.raises(BadIndex):
            Locator.open(tmp_path / "i.idx")


def test_replacing_the_file_leaves_readers_alone(tmp_path) -> None:
    before = opened(tmp_path, [area("1", square(104.0, 35.0))])
    after = opened(tmp_path, [area("2", square(104.0, 35.0))])
    ask = {"lon": 104.0005, "lat": 35.0005, "accuracy_m": None, "frame": "wgs84"}
    assert (before.locate(**ask).codes, after.locate(**ask).codes) == ({"grid": "1"}, {"grid": "2"})
