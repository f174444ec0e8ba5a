"""The made-up city is a clean partition at every level, the same every time, and plainly synthetic."""

import numpy as np
import pytest
import shapely

from geo.borders import LEVELS, Level
from geo.inventing import DEMO, City, invent_city, write_geojson
from geo.reading import read_borders


def test_every_level_is_a_clean_partition(city: City) -> None:
    counts = {level: len(city.level(level)) for level in LEVELS}
    assert counts == {"city": 1, "district": 2, "street": 6, "community": 24, "grid": 160, "unit": 0}
    for level in LEVELS[:5]:
        drawn = np.array([a.geometry for a in city.level(level)])
        assert shapely.is_valid(drawn).all()
        assert shapely.coverage_is_valid(drawn)


def test_parents_are_the_sum_of_their_children(city: City) -> None:
    by_code = {a.code: a for a in city.areas}
    children: dict[str, list[object]] = {}
    for area in city.areas:
        if area.parent:
            children.setdefault(area.parent, []).append(area.geometry)
    for code, drawn in children.items():
        assert shapely.equals(shapely.union_all(drawn), by_code[code].geometry)


def test_same_seed_same_city() -> None:
    first, second, other = invent_city(DEMO), invent_city(DEMO), invent_city(DEMO, seed=2)
    assert all(a == b for a, b in zip(first.areas, second.areas, strict=True))
    assert any(a.geometry != b.geometry for a, b in zip(first.areas, other.areas, strict=True))


def test_codes_look_right_and_belong_to_no_province(city: City) -> None:
    codes = [a.code for a in city.areas]
    assert len(set(codes)) == len(codes)
    assert all(c.startswith("99") for c in codes)
    assert all(len(a.code) == (15 if a.level == Level.GRID else 12) for a in city.areas)
    assert all(g.code.startswith(g.parent or "?") for g in city.level(Level.GRID))


def test_there_are_exclaves_and_holes(city: City) -> None:
    drawn = [a.geometry for a in city.level(Level.COMMUNITY)]
    assert any(shapely.get_num_geometries(g) > 1 for g in drawn)


def test_geojson_comes_back_as_it_went_out(city: City, tmp_path) -> None:
    areas = {}
    overlays = {}
    for path in write_geojson(city, tmp_path):
        file = read_borders(path)
        assert file.problems == ()
        areas |= {a.code: a for a in file.areas()}
        overlays |= {o.code: o for o in file.overlays()}
    assert areas == {a.code: a for a in city.areas}
    assert overlays == {o.code: o for o in city.overlays}


@pytest.mark.slow
def test_metropolis_is_clean() -> None:
    from geo.inventing import METROPOLIS

    city = invent_city(METROPOLIS)
    for level in LEVELS[:5]:
        drawn = np.array([a.geometry for a in city.level(level)])
        assert shapely.is_valid(drawn).all()
        assert shapely.coverage_is_valid(drawn)
