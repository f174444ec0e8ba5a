"""Repairs are proposed one by one, each with its effect; chosen alone they do just that, together all is clean."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import shapely
from shapely.affinity import translate

from geo.borders import LEVELS, Level
from geo.errors import GeoError
from geo.mending.covering import RULES
from geo.mending.proposals import Proposal
from geo.mending.proposing import apply, levels_are_clean, propose
from geo.mending.showing import LEAST_SEEN_M2, proposals_fragment
from geo.reading import BorderFeature
from geo.review.checking import check_borders
from geo.review.findings import CheckReport
from geo.review.partition import partitions
from geo.zones import square_metres
from tests.geo.borders.making import as_file, changed


def check(features: list[BorderFeature]) -> CheckReport:
    return check_borders([as_file(features)])


def every(proposals: list[Proposal]) -> set[str]:
    return {p.id for p in proposals}


def areas_m2(features: list[BorderFeature]) -> np.ndarray:
    return square_metres(shapely.make_valid(np.array([f.geometry for f in features], dtype=object)))


@pytest.fixture
def dirty(features, grid) -> list[BorderFeature]:
    """One grid pushed twenty metres east: overlaps on one side, gaps on the other."""
    return changed(features, grid, geometry=translate(features[grid].geometry, xoff=2e-4))


def test_slivers_are_named_and_given_to_the_neighbour(features, grid) -> None:
    piece = features[grid + 1].geometry.representative_point()
    sliver = shapely.box(piece.x, piece.y, piece.x + 2e-5, piece.y + 2e-5)
    dirty = changed(features, grid, geometry=shapely.union(features[grid].geometry, sliver))
    dirty = changed(dirty, grid + 1, geometry=shapely.difference(features[grid + 1].geometry, sliver))
    assert "sliver_part" in check(dirty).counts()
    proposals = propose(dirty)
    mended = apply(dirty, proposals, {p.id for p in proposals})
    assert check(mended).clean
    assert square_metres(mended[grid].geometry) == pytest.approx(
        square_metres(features[grid].geometry), rel=1e-6
    )


@pytest.mark.parametrize("rule", RULES)
def test_repairs_give_a_clean_coverage_at_every_level(features, rule) -> None:
    rng = np.random.default_rng(1)
    phase = {f.code: rng.uniform(0, 6) for f in features if f.level == Level.GRID and rng.random() < 0.3}
    dirty = [
        replace(
            f,
            geometry=shapely.transform(
                f.geometry, lambda xy, p=phase[f.code]: xy + 4e-6 * np.sin(xy * 1e5 + p)
            ),
        )
        if f.code in phase
        else f
        for f in features
    ]
    assert not levels_are_clean(dirty)["grid"]
    proposals = propose(dirty, rule=rule)
    assert apply(dirty, proposals, set()) == dirty
    mended = apply(dirty, proposals, {p.id for p in proposals})
    assert levels_are_clean(mended) == {str(level): True for level in LEVELS[:5]}
    assert check(mended).clean
    told = Counter()
    for effect in (e for p in proposals for e in p.effects):
        told[effect.code] += effect.gained_m2 - effect.lost_m2
    grown = areas_m2(mended) - areas_m2(dirty)
    for feature, much in zip(dirty, grown, strict=True):
        assert told[feature.code] == pytest.approx(much, abs=0.5)
    with pytest.raises(GeoError, match="nothing:else"):
        apply(dirty, proposals, {"nothing:else"})


def test_a_clean_city_needs_nothing(features) -> None:
    assert propose(features) == []


def test_each_overlap_and_gap_can_be_chosen_alone(dirty) -> None:
    proposals = propose(dirty)
    pieces = [p for p in proposals if p.moves]
    assert {p.kind for p in pieces} == {"overlap", "gap"}
    assert len(every(proposals)) == len(proposals)
    before = check(dirty)
    for piece in (next(p for p in pieces if p.kind == kind) for kind in ("overlap", "gap")):
        mended = apply(dirty, proposals, {piece.id})
        told = {e.code: e.gained_m2 - e.lost_m2 for e in piece.effects}
        for feature, much in zip(dirty, areas_m2(mended) - areas_m2(dirty), strict=True):
            assert much == pytest.approx(told.get(feature.code, 0.0), abs=0.05), feature.code
        after = check(mended)
        left, was = (
            sum(f.area_m2 for f in r.findings if f.kind.startswith(piece.kind) and f.level == "grid")
            for r in (after, before)
        )
        assert was - left == pytest.approx(sum(abs(v) for v in told.values()), abs=0.5)


def test_what_is_left_out_stays_as_it_was(dirty) -> None:
    """All but one overlap: only that one is still there, and it is as big as it was said to be."""
    proposals = propose(dirty)
    biggest = max((p for p in proposals if p.kind == "overlap"), key=lambda p: p.moved_m2)
    mended = apply(dirty, proposals, every(proposals) - {biggest.id})
    found = [f for f in check(mended).findings if f.level == "grid" and f.severity != "note"]
    assert [f.kind for f in found] == ["overlap"]
    assert found[0].area_m2 == pytest.approx(biggest.moved_m2, abs=0.5)
    assert not levels_are_clean(mended)["grid"]


def test_a_broken_ring_comes_first(features, grid) -> None:
    x, y = features[grid].geometry.representative_point().coords[0]
    bow = shapely.Polygon([(x, y), (x + 1e-3, y + 1e-3), (x + 1e-3, y), (x, y + 1e-3), (x, y)])
    dirty = changed(features, grid, geometry=bow)
    proposals = propose(dirty)
    ring = f"make_valid:{features[grid].code}"
    needing = next(p for p in proposals if p.needs)
    assert needing.needs == (ring,)
    with pytest.raises(GeoError, match="一并选择"):
        apply(dirty, proposals, {needing.id})
    alone = apply(dirty, proposals, {ring})
    assert alone[grid].geometry.is_valid
    assert [f for i, f in enumerate(alone) if i != grid] == [f for i, f in enumerate(dirty) if i != grid]
    assert all(levels_are_clean(apply(dirty, proposals, every(proposals))).values())


def test_two_areas_of_one_code_are_mended_each_for_itself(dirty, grid) -> None:
    other = next(i for i, f in enumerate(dirty) if f.level == Level.GRID and i != grid)
    doubled = changed(dirty, grid, code=dirty[other].code)
    mended = apply(doubled, proposals := propose(doubled), every(proposals))
    assert levels_are_clean(mended)["grid"]
    assert (
        not shapely.intersects(shapely.centroid(mended[grid].geometry), mended[other].geometry)
        or grid == other
    )


def test_areas_without_children_tile_with_the_finer_ones_beside_them(features, grid) -> None:
    """A community whose grids are not drawn yet takes its place among the grids of the others."""
    parent = features[grid].parent
    some = [f for f in features if f.parent != parent]
    at = next(i for i, f in enumerate(some) if f.code == parent)
    dirty = changed(some, at, geometry=translate(some[at].geometry, xoff=1e-4))
    assert at in partitions(dirty)[0]
    proposals = propose(dirty)
    mended = apply(dirty, proposals, every(proposals))
    assert all(levels_are_clean(mended).values())
    assert check(mended).clean


def test_upper_areas_that_nobody_hangs_on_tile_for_themselves(dirty) -> None:
    apart = [replace(f, parent="none", code=f"x{f.code}") if f.level == Level.DISTRICT else f for f in dirty]
    sets = partitions(apart)
    assert [{str(apart[i].level) for i in some} for some in sets] == [{"grid"}, {"district"}, {"city"}]


def test_every_proposal_is_shown_with_its_effect_and_what_moves_with_two_pictures(dirty) -> None:
    proposals = propose(dirty)
    plain = [p.to_json() for p in proposals]
    assert json.loads(json.dumps(plain)) == plain
    page = proposals_fragment(dirty, proposals, ticked={proposals[0].id})
    drawn = [p for p in proposals if p.kind != "outline" or p.moved_m2 >= LEAST_SEEN_M2]
    assert page.count("修复前</figcaption>") == page.count("修复后</figcaption>") == len(drawn)
    assert 0 < page.count("面积没有增减") == len(proposals) - len(drawn)
    assert page.count(" checked>") == 1
    for proposal in proposals:
        assert f'value="{proposal.id}"' in page
    assert "checkbox" not in proposals_fragment(dirty, proposals)
