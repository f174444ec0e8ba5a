"""The cells against the definition: every point, every rule, no difference allowed."""

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.answers.nearness import border_finder
from geo.borders import AreaShape, Level, OverlayShape, build_index
from geo.index import cells as cells_module
from geo.index.cells import build_cells
from geo.index.edges import collect_edges
from geo.index.exact import ring_edges, within, within_many
from geo.index.file import IndexFile, write_file
from geo.index.keys import set_keys
from geo.index.lookup import ManyFinder, point_finder
from geo.index.shapes import PER_DEGREE, Rings
from geo.inventing import City
from geo.locating import Locator
from geo.reading import read_borders


def indexed(tmp_path, rings: Rings, keys: np.ndarray, areas: int, edges_per_cell: float) -> IndexFile:
    """Cells only, no names: enough to ask for keys."""
    width, height = (int(v) for v in rings.xy.max(axis=0))
    edges = collect_edges(*rings.edges(), keys, areas)
    cells = build_cells(edges, width=width, height=height, edges_per_cell=edges_per_cell)
    header = {
        "shift": cells.shift,
        "columns": cells.columns,
        "width": width,
        "height": height,
        "origin": [0, 0],
    }
    header |= {"area_edges": edges.area_edges, "leaf_bits": 0}
    arrays = {
        "coarse": cells.coarse, "cells": cells.cells, "face_key": cells.face_key, "base_key": cells.base_key,
        "record_at": cells.record_at, "records": cells.records, "edge_line": edges.line.astype(np.int32),
        "edge_key": edges.key,
    }  # fmt: skip
    write_file(tmp_path / "cells.idx", header, arrays)
    return IndexFile(tmp_path / "cells.idx")


def random_polygons(rng: np.random.Generator, count: int, size: int) -> np.ndarray:
    """Small polygons on whole numbers, overlapping, touching, with bow ties cut apart."""
    drawn: list[shapely.Geometry] = []
    while len(drawn) < count:
        ring = rng.integers(0, size, (int(rng.integers(3, 9)), 2))
        polygon = shapely.transform(shapely.buffer(shapely.Polygon(ring), 0), np.rint)
        if polygon.area > 0 and polygon.geom_type in ("Polygon", "MultiPolygon"):
            drawn.append(polygon)
    return np.array(drawn)


@pytest.mark.parametrize("seed", range(24))
def test_cells_equal_the_definition(seed, tmp_path, monkeypatch) -> None:
    rng = np.random.default_rng(seed)
    size = int(rng.choice([6, 20, 60, 300, 5000, 400_000]))
    monkeypatch.setattr(cells_module, "COARSE_CELLS", int(rng.choice([1, 4, 512])))
    count = int(rng.integers(1, 12))
    rings = Rings.of(random_polygons(rng, count, size), [""] * count)
    rings.xy -= rings.xy.min(axis=0) - 1
    keys, _ = set_keys(count, bits=60)
    areas = int(rng.integers(0, count + 1))
    file = indexed(tmp_path, rings, keys, areas, float(rng.choice([0.02, 0.25, 3, 100])))
    edges = [ring_edges(rings, i) for i in range(count)]
    x, y = query_points(rng, rings, size)
    truth = np.zeros(len(x), dtype=np.int64)
    for i in range(count):
        truth ^= np.where(within_many(edges[i], x=x, y=y), keys[i], 0)

    find = point_finder(file, lambda key, on_border, _x, _y: (key, on_border))
    one_by_one = [find(lon=a / 1e7, lat=b / 1e7) for a, b in zip(x.tolist(), y.tolist(), strict=True)]
    assert [key for key, _ in one_by_one] == truth.tolist()

    known = np.unique(np.append(truth, 0))
    many = ManyFinder(file, known, resolve=lambda *_: pytest.fail("every set is known")).find(x, y)
    assert known[many.sets].tolist() == truth.tolist()
    assert many.on_border.tolist() == [on for _, on in one_by_one]

    borders = collect_edges(*rings.edges(), keys, areas)
    lines = borders.line[: borders.area_edges]
    lines = lines[(lines[:, 2] != 0) | (lines[:, 3] != 0)]
    expected = [bool(touches(lines, a, b)) for a, b in zip(x.tolist(), y.tolist(), strict=True)]
    assert many.on_border.tolist() == expected


def touches(lines: np.ndarray, x: int, y: int) -> bool:
    ax, ay, dx, dy = lines.T
    on = ((x - ax) * dy == (y - ay) * dx) & (np.minimum(0, dx) <= x - ax) & (x - ax <= np.maximum(0, dx))
    return bool((on & (ay <= y) & (y <= ay + dy)).any())


def query_points(rng: np.random.Generator, rings: Rings, size: int) -> tuple[np.ndarray, np.ndarray]:
    width, height = rings.xy.max(axis=0) + 2
    if size <= 20:
        grid = np.array([(x, y) for x in range(-1, width) for y in range(-1, height)])
        return grid[:, 0], grid[:, 1]
    corners = rings.xy
    near = np.concatenate([corners + rng.integers(-1, 2, corners.shape) for _ in range(6)])
    middles = (corners[:-1] + corners[1:]) // 2
    points = np.concatenate([corners, near, middles, rng.integers(-1, [width, height], (800, 2))])
    return points[:, 0], points[:, 1]


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), min_size=3, max_size=9))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_definition_agrees_with_shapely_off_the_border(corners) -> None:
    polygon = shapely.Polygon(corners)
    if not polygon.is_valid or polygon.area == 0:
        return
    edges = ring_edges(Rings.of(np.array([polygon]), [""]), 0)
    for x in range(-1, 9):
        for y in range(-1, 9):
            inside, touching = within(edges, x=x, y=y)
            point = shapely.Point(x, y)
            assert touching == polygon.boundary.intersects(point)
            if not touching:
                assert inside == polygon.covers(point)


@pytest.mark.parametrize("count", [3, 60, 61, 700, 5000])
def test_set_keys_tell_small_sets_apart(count) -> None:
    keys, strength = set_keys(count, bits=44)
    assert strength >= 3
    assert keys.max() < 1 << 44
    rng = np.random.default_rng(count)
    sets = {
        tuple(sorted(rng.choice(count, int(rng.integers(0, min(strength, count) + 1)), replace=False)))
        for _ in range(4000)
    }
    sums = {s: int(np.bitwise_xor.reduce(keys[list(s)])) if s else 0 for s in sets}
    assert len(set(sums.values())) == len(sets)


def compare_with_shapely(locator: Locator, lon: np.ndarray, lat: np.ndarray, areas, overlays) -> int:
    """Points farther than 1.1 cm from every edge that Shapely places elsewhere."""
    drawn = np.array([a.geometry for a in areas] + [o.geometry for o in overlays])
    codes = [a.code for a in areas] + [o.code for o in overlays]
    points = shapely.points(lon, lat)
    found: list[set[str]] = [set() for _ in lon]
    for p, g in zip(*shapely.STRtree(drawn).query(points, predicate="covered_by"), strict=True):
        found[p].add(codes[g])
    close = shapely.STRtree(shapely.boundary(drawn)).query(points, predicate="dwithin", distance=1.6e-7)[0]
    sure = np.ones(len(lon), dtype=bool)
    sure[close] = False
    level = areas[0].level
    many = locator.locate_many(lon=lon, lat=lat, frame="wgs84")
    ours = [
        {c for c in (code, *over) if c} for code, over in zip(many.codes(level), many.overlays(), strict=True)
    ]
    return sum(1 for a, b, s in zip(found, ours, sure, strict=True) if s and a != b)


def points_around(rng: np.random.Generator, drawn: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    xy = shapely.get_coordinates(drawn)
    west, south, east, north = shapely.total_bounds(drawn)
    lon = np.concatenate([rng.uniform(west - 0.001, east + 0.001, count), rng.choice(xy[:, 0], count)])
    lat = np.concatenate([rng.uniform(south - 0.001, north + 0.001, count), rng.choice(xy[:, 1], count)])
    near = xy[rng.integers(len(xy), size=count)] + rng.normal(0, 3e-6, (count, 2))
    return np.concatenate([lon, near[:, 0]]), np.concatenate([lat, near[:, 1]])


def test_made_up_city_agrees_with_shapely(city: City, locator: Locator) -> None:
    rng = np.random.default_rng(1)
    grids = city.level(Level.GRID)
    lon, lat = points_around(rng, np.array([g.geometry for g in grids]), 20_000)
    assert compare_with_shapely(locator, lon, lat, grids, city.overlays) == 0


def test_every_corner_and_edge_has_exactly_one_owner_of_those_that_touch(
    city: City, locator: Locator
) -> None:
    grids = city.level(Level.GRID)
    drawn = np.array([g.geometry for g in grids])
    corners = np.unique(shapely.get_coordinates(drawn), axis=0)
    many = locator.locate_many(lon=corners[:, 0], lat=corners[:, 1], frame="wgs84")
    assert many.on_border.all()
    owners = many.codes("grid")
    by_corner: dict[tuple[float, float], set[str]] = {}
    for grid in grids:
        for x, y in shapely.get_coordinates(grid.geometry).tolist():
            by_corner.setdefault((x, y), set()).add(grid.code)
    rim = shapely.get_coordinates(city.level(Level.CITY)[0].geometry)
    on_rim = {tuple(p) for p in rim.tolist()}
    for (x, y), owner in zip(corners.tolist(), owners, strict=True):
        assert owner in by_corner[x, y] or (not owner and (x, y) in on_rim)
    again = [locator.locate(lon=x, lat=y, accuracy_m=None, frame="wgs84") for x, y in corners[:300].tolist()]
    assert [a.codes.get("grid", "") if a.how == "on_border" else "" for a in again] == list(owners[:300])


def test_many_equals_one_by_one(city: City, locator: Locator) -> None:
    rng = np.random.default_rng(2)
    lon, lat = points_around(rng, np.array([g.geometry for g in city.level(Level.GRID)]), 700)
    for frame in ("wgs84", "gcj02"):
        many = locator.locate_many(lon=lon, lat=lat, frame=frame)
        single = [
            locator.locate(lon=a, lat=b, accuracy_m=None, frame=frame) for a, b in zip(lon, lat, strict=True)
        ]
        for level in Level:
            codes = [s.codes.get(level, "") if s.how in ("inside", "on_border") else "" for s in single]
            assert list(many.codes(level)) == codes
        assert many.overlays() == [s.overlays for s in single]
        assert many.on_border.tolist() == [s.on_border for s in single]


def test_nowhere_in_bulk(locator: Locator) -> None:
    many = locator.locate_many(lon=[np.nan, 0.0, 104.2, 500.0], lat=[35.6, 0.0, 35.6, 35.6], frame="wgs84")
    assert [bool(c) for c in many.codes("grid")] == [False, False, True, False]


def test_border_distance_equals_shapely(city: City, locator: Locator) -> None:
    from geo.metres import on_plane

    rng = np.random.default_rng(4)
    lines = shapely.boundary(np.array([g.geometry for g in city.level(Level.GRID)]))
    find = border_finder(locator._layout.file)
    east, north = locator._layout.origin
    for _ in range(300):
        x, y = (
            int(v)
            for v in rng.integers(
                0, [locator._layout.file.header["width"], locator._layout.file.header["height"]]
            )
        )
        lon, lat = (x + east) / PER_DEGREE, (y + north) / PER_DEGREE
        truth = float(shapely.distance(on_plane(lines, lon=lon, lat=lat), shapely.Point(0, 0)).min())
        within_m = float(rng.choice([5, 30, 100]))
        answer = find(x, y, lat, within_m)
        if truth <= within_m - 0.001:
            assert answer == pytest.approx(truth, abs=1e-3)
        elif truth > within_m + 0.001:
            assert answer is None


def test_unseen_set_of_overlays_is_worked_out_exactly(tmp_path) -> None:
    """A sliver of overlap so thin that no cell's corner lies in it."""
    base = shapely.box(104.0, 35.0, 104.2, 35.2)
    one = shapely.box(104.05, 35.05, 104.1000003, 35.15)
    two = shapely.box(104.1, 35.05, 104.15, 35.15)
    overlays = [OverlayShape("a", "甲", "park", 1, one), OverlayShape("b", "乙", "park", 1, two)]
    areas = [AreaShape("1", "区", Level.GRID, None, base)]
    for bulk in (False, True):
        build_index(areas, overlays, tmp_path / "i.idx", generation="t")
        locator = Locator.open(tmp_path / "i.idx")
        assert ("a", "b") not in {locator._profiles.overlay_codes(s) for s in locator._profiles.sets}
        if bulk:
            assert locator.locate_many(lon=[104.1000001], lat=[35.1], frame="wgs84").overlays() == [
                ("a", "b")
            ]
        else:
            placed = locator.locate(lon=104.1000001, lat=35.1, accuracy_m=None, frame="wgs84")
            assert placed.overlays == ("a", "b")


def test_real_beijing_streets(real_data, tmp_path) -> None:
    features = [
        f
        for path in sorted((real_data / "beijing_core6").glob("*-all.geojson"))
        for f in read_borders(path).features
    ]
    areas = [AreaShape(f.code, f.name, Level.STREET, None, f.geometry) for f in features]
    build_index(areas, [], tmp_path / "bj.idx", generation="t")
    locator = Locator.open(tmp_path / "bj.idx")
    assert not locator._layout.file.header["clean"]  # neighbours overlap: handled as overlapping, not guessed
    lon, lat = points_around(np.random.default_rng(6), np.array([a.geometry for a in areas]), 20_000)
    drawn = [OverlayShape(a.code, a.name, "x", 0, a.geometry) for a in areas]
    tree = shapely.STRtree(np.array([d.geometry for d in drawn]))
    pairs = tree.query(shapely.points(lon, lat), predicate="covered_by")
    truth: list[set[str]] = [set() for _ in lon]
    for p, g in zip(*pairs, strict=True):
        truth[p].add(areas[g].code)
    close = shapely.STRtree(shapely.boundary(tree.geometries)).query(
        shapely.points(lon, lat), predicate="dwithin", distance=1.6e-7
    )[0]
    sure = np.ones(len(lon), dtype=bool)
    sure[close] = False
    many = locator.locate_many(lon=lon, lat=lat, frame="wgs84")
    profiles, layout = locator._profiles, locator._layout
    ours = [{profiles.code(s) for s in profiles.sets[n]} for n in many.sets]
    assert layout.leaf_bits == 0
    assert sum(1 for a, b, s in zip(truth, ours, sure, strict=True) if s and a != b) == 0
    chosen = many.codes("street")
    assert all(c == min(t, default="") for c, t, s in zip(chosen, truth, sure, strict=True) if s)
