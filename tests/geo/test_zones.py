"""Projected files: recognised, confirmed, never guessed."""

import pytest
import shapely

from geo.errors import BadFile
from geo.frames import Frame
from geo.inventing import City
from geo.locating import Locator
from geo.metres import on_plane
from geo.zones import checked_system, recognise, square_metres, to_degrees, to_zone, zone_at


def test_zone_numbers() -> None:
    assert [zone_at(lon=lon) for lon in (73.6, 108.9, 109.4, 109.6, 116.4, 134.9)] == [25, 36, 36, 37, 39, 45]


@pytest.mark.parametrize("epsg", [4527, 4548])
def test_there_and_back(epsg) -> None:
    place = shapely.box(116.9, 39.9, 117.1, 40.0)
    projected = to_zone(place, epsg=epsg)
    assert (projected.bounds[0] > 39_000_000) == (epsg == 4527)
    assert shapely.equals_exact(to_degrees(projected, epsg=epsg), place, tolerance=1e-10)


def test_numbered_zone_is_recognised_plain_one_is_asked_for() -> None:
    place = shapely.box(116.9, 39.9, 117.1, 40.0)
    numbered = recognise(to_zone(place, epsg=4527).bounds)
    assert numbered is not None
    assert (numbered.epsg, numbered.swapped) == (4527, False)
    assert "请确认" in numbered.sentence
    west, south, east, north = to_zone(place, epsg=4527).bounds
    turned = recognise((south, west, north, east))
    assert turned is not None
    assert (turned.epsg, turned.swapped) == (4527, True)
    plain = recognise(to_zone(place, epsg=4548).bounds)
    assert plain is not None
    assert plain.epsg is None
    assert "EPSG" in plain.sentence
    local = recognise((12_000.0, 8_000.0, 60_000.0, 50_000.0))
    assert local is not None
    assert local.epsg is None
    assert recognise(place.bounds) is None


def test_systems_by_name_or_number() -> None:
    assert checked_system("EPSG:4547") == 4547
    assert checked_system(4490) is Frame.CGCS2000
    assert checked_system("gcj02") is Frame.GCJ02
    with pytest.raises(BadFile, match="3857"):
        checked_system(3857)


def test_areas_and_neighbours(city: City, locator: Locator) -> None:
    drawn = {a.code: a.geometry for a in city.areas}
    grids = city.level("grid")
    for grid in grids[::40]:
        assert locator.area_m2(grid.code) == pytest.approx(square_metres(grid.geometry), rel=1e-9)
        truth = {
            g.code for g in grids
            if g.code != grid.code and shapely.intersection(g.geometry, grid.geometry).length > 0
        }  # fmt: skip
        assert set(locator.neighbours(grid.code)) == truth
    street = city.level("street")[0]
    assert set(locator.neighbours(street.code)) == {
        s.code for s in city.level("street")
        if s.code != street.code and shapely.intersection(s.geometry, street.geometry).length > 0
    }  # fmt: skip
    centre = shapely.centroid(drawn[grids[0].code])
    near = locator.nearest(lon=centre.x, lat=centre.y, within_m=150)
    assert near[0] == (grids[0].code, 0.0)
    for code, distance_m in near:
        truth_m = shapely.distance(on_plane(drawn[code], lon=centre.x, lat=centre.y), shapely.Point(0, 0))
        assert distance_m == pytest.approx(truth_m, abs=0.01)


def test_area_is_right_to_a_part_in_ten_thousand() -> None:
    # 0.01° square at 117°E 40°N, ellipsoidal area 947 940 m² by geodesic computation
    import pyproj

    square = shapely.box(117.0, 40.0, 117.01, 40.01)
    geodesic = abs(pyproj.Geod(ellps="GRS80").geometry_area_perimeter(square)[0])
    assert square_metres(square) == pytest.approx(geodesic, rel=1e-4)
