"""Dirt put into a clean city is found, measured, repaired on request, and told apart from what is right."""

import json
from dataclasses import replace

import numpy as np
import pytest
import shapely
from shapely.affinity import translate
from shapely.geometry import box

from geo.borders import AreaShape, Level, OverlayShape
from geo.frames import Frame, encode_geometry
from geo.inventing import City
from geo.mending.proposing import apply, levels_are_clean, propose
from geo.mending.showing import proposals_fragment
from geo.reading import BorderFeature, Problem, read_borders
from geo.review.checking import check_borders
from geo.review.differing import diff_borders, diff_overlays
from geo.review.findings import KINDS, CheckReport
from geo.review.page import report_fragment, whole_page
from geo.simplifying import simplify_for_zooms
from geo.zones import square_metres
from tests.geo.borders.making import as_file, changed


def check(features: list[BorderFeature], **given) -> CheckReport:
    return check_borders([as_file(features)], **given)


def kinds(report: CheckReport) -> set[str]:
    return {f.kind for f in report.findings if f.severity != "note"}


def test_a_clean_city_is_clean(features) -> None:
    report = check(features)
    assert report.clean
    assert set(report.counts()) <= {"exclave", "name_repeats"}
    assert report.levels["grid"]["count"] == 160


def test_moved_grid_overlaps_and_gapes_by_what_it_moved(features, grid) -> None:
    shifted = translate(features[grid].geometry, xoff=2e-4)
    report = check(changed(features, grid, geometry=shifted))
    assert {"overlap", "gap"} <= kinds(report)
    code = features[grid].code
    ours = [f for f in report.findings if code in f.codes and f.level == "grid"]
    lost = float(square_metres(shapely.difference(features[grid].geometry, shifted)))
    assert sum(f.area_m2 for f in ours if f.kind.startswith("overlap")) == pytest.approx(lost, rel=0.01)
    assert sum(f.area_m2 for f in ours if f.kind.startswith("gap")) == pytest.approx(lost, rel=0.01)
    for finding in ours:
        assert shapely.covers(shapely.buffer(finding.geometry, 1e-6), shapely.Point(finding.lon, finding.lat))


def test_bow_tie(features, grid) -> None:
    x, y = features[grid].geometry.representative_point().coords[0]
    bow = shapely.Polygon([(x, y), (x + 1e-3, y + 1e-3), (x + 1e-3, y), (x, y + 1e-3), (x, y)])
    report = check(changed(features, grid, geometry=bow))
    broken = [f for f in report.findings if f.kind == "broken_ring"]
    assert [f.codes for f in broken] == [(features[grid].code,)]
    assert (broken[0].lon, broken[0].lat) == pytest.approx((x + 5e-4, y + 5e-4), abs=1e-6)
    assert not report.usable


def test_codes_and_kin(features, grid) -> None:
    parent = features[grid].parent
    cases = {
        "duplicate_code": changed(features, grid, code=features[grid + 1].code),
        "no_code": changed(features, grid, code=None),
        "no_level": changed(features, grid, level=None),
        "code_format": changed(features, grid, code="99010100100100X"),
        "parent_missing": changed(features, grid, parent="990101777777"),
        "parent_not_covered": [f for i, f in enumerate(features) if i != grid],
        "outside_parent": changed(
            features, next(i for i, f in enumerate(features) if f.code == parent),
            geometry=shapely.difference(
                next(f.geometry for f in features if f.code == parent), features[grid].geometry
            ),
        ),
    }  # fmt: skip
    for kind, dirty in cases.items():
        assert kind in kinds(check(dirty)), kind


def test_missing_level_is_a_note_not_an_error(features) -> None:
    """As in Sanya: grids hang on communities, communities on districts, no streets."""
    streets = {f.code: f.parent for f in features if f.level == Level.STREET}
    flat = [replace(f, parent=streets.get(f.parent, f.parent)) for f in features if f.level != Level.STREET]
    report = check(flat)
    assert report.clean
    missing = [f for f in report.findings if f.kind == "level_missing"]
    assert [(f.level, "24 个社区村" in f.message) for f in missing] == [("street", True)]


@pytest.mark.parametrize(("frame", "named"), [(Frame.GCJ02, "GCJ-02"), (Frame.BD09, "BD-09")])
def test_wrong_frame_is_suspected(features, city, frame, named) -> None:
    shifted = [replace(f, geometry=encode_geometry(f.geometry, frame=frame)) for f in features]
    against_former = check(shifted, former=city.areas)
    found = [f for f in against_former.findings if f.kind == "frame_suspected"]
    assert named in found[0].message
    upper = {Level.CITY, Level.DISTRICT}
    mixed = [f if f.level in upper else s for f, s in zip(features, shifted, strict=True)]
    found = [f for f in check(mixed).findings if f.kind == "frame_suspected"]
    assert named in found[0].message
    assert not [f for f in check(features, former=city.areas).findings if f.kind == "frame_suspected"]


def test_division_table(features) -> None:
    table = {"990101000000": "云溪区", "990100000000": "云岭市(虚构)", "990102000000": "别的区"}
    counts = check(features, divisions=table).counts()
    assert counts["name_differs"] == 1
    assert counts["code_unknown"] >= 6  # streets that the table lacks


def test_labels(features, grid) -> None:
    place = features[grid].geometry.representative_point()
    turned = check(changed(features, grid, label=(place.y, place.x))).counts()
    assert turned["label_swapped"] == 1
    assert "label_outside" not in turned
    assert check(changed(features, grid, label=(104.5, 35.6))).counts()["label_outside"] == 1


def test_report_as_json_and_as_a_page_without_style_or_script(features, grid) -> None:
    dirty = changed(
        features, grid, geometry=translate(features[grid].geometry, xoff=2e-4), name="<script>x</script>"
    )
    report = check_borders([as_file(dirty, Problem("没有几何,请补画边界", 7))])
    plain = report.to_json()
    assert json.loads(json.dumps(plain, ensure_ascii=False)) == plain
    assert plain["counts"]["unusable"] == 1
    fragment = report_fragment(report) + proposals_fragment(dirty, propose(dirty))
    for banned in ("<script", "<style", "style=", "onload", "javascript:", "http://www.w3.org/1999"):
        assert banned not in fragment
    assert fragment.count("<svg") >= 3
    assert "<style>" in whole_page("检查报告", fragment)


def test_every_kind_has_a_row() -> None:
    assert all(severity in ("error", "warning", "note") and label for label, severity in KINDS.values())


def test_differences(city: City) -> None:
    before = [a for a in city.areas if a.level == Level.GRID]
    first, second, third, fourth, fifth = before[:5]
    half = shapely.box(*first.geometry.bounds)
    west, south, east, north = half.bounds
    left = shapely.intersection(first.geometry, shapely.box(west, south, (west + east) / 2, north))
    touching = next(a for a in before[5:] if shapely.intersection(a.geometry, second.geometry).length > 0)
    strip = shapely.intersection(touching.geometry, shapely.buffer(second.geometry, 2e-4))
    after = [
        replace(first, code="N1", name="新一", geometry=left),
        replace(first, code="N2", name="新二", geometry=shapely.difference(first.geometry, left)),
        replace(second, geometry=shapely.union(second.geometry, strip)),
        replace(third, name="改了名"),
        replace(fourth, code="N4"),
        *[
            replace(a, geometry=shapely.difference(a.geometry, strip)) if a is touching else a
            for a in before[5:] if a is not fifth
        ],
    ]  # fmt: skip
    diff = diff_borders(before, after, weights={touching.code: 1000.0})
    found = {c.kind: c for c in diff.changes if c.kind not in ("unchanged", "moved")}
    assert (found["split"].before, found["split"].after) == ((first.code,), ("N1", "N2"))
    assert found["renamed"].after == (third.code,)
    assert (found["recoded"].before, found["recoded"].after) == ((fourth.code,), ("N4",))
    assert found["removed"].before == (fifth.code,)
    moved_m2 = float(square_metres(strip))
    transfer = next(t for t in diff.transfers if (t.source, t.target) == (touching.code, second.code))
    assert transfer.area_m2 == pytest.approx(moved_m2, rel=0.01)
    assert transfer.weight == pytest.approx(1000 * moved_m2 / square_metres(touching.geometry), rel=0.01)
    assert {c.before[0] for c in diff.changes if c.kind == "moved"} == {second.code, touching.code}
    back = diff_borders(after, before)
    assert {c.kind for c in back.changes} >= {"merged", "created"}
    assert diff_borders(before, before).counts() == {"unchanged": len(before)}
    assert json.dumps(diff.to_json())


def test_simplified_copies_stay_a_partition(city: City) -> None:
    drawn = np.array([a.geometry for a in city.level(Level.GRID)])
    copies = simplify_for_zooms(drawn, (12, 14, 16))
    sizes = [int(shapely.get_num_coordinates(copies[z]).sum()) for z in (12, 14, 16)]
    assert sizes == sorted(sizes)
    assert sizes[0] < 0.5 * shapely.get_num_coordinates(drawn).sum()
    for copy in copies.values():
        assert len(copy) == len(drawn)
        assert shapely.coverage_is_valid(copy)
        assert not shapely.is_empty(copy).any()


def test_real_beijing_streets_are_checked_and_mended(real_data) -> None:
    files = [read_borders(p) for p in sorted((real_data / "beijing_core6").glob("*.geojson"))]
    report = check_borders(files)
    counts = report.counts()
    assert counts["overlap"] + counts["overlap_sliver"] >= 20
    assert counts["gap_sliver"] >= 50
    assert counts["label_swapped"] == counts["outline_missing"] == counts["name_repeats"] == 1
    airport = "110105"
    assert any(f.kind == "exclave" and f.codes[0].startswith(airport) for f in report.findings)
    assert any("八里庄街道" in f.message for f in report.findings if f.kind == "name_repeats")
    assert any("110106000000" in f.message for f in report.findings if f.kind == "outline_missing")
    features = [f for file in files for f in file.features]
    proposals = propose(features)
    mended = apply(features, proposals, {p.id for p in proposals})
    assert levels_are_clean(mended) == {"district": True, "street": True}
    again = check_borders([as_file(mended)]).counts()
    assert "overlap" not in again
    assert "overlap_sliver" not in again
    before = [AreaShape(f.code, f.name, f.level, f.parent, f.geometry) for f in features]
    after = [AreaShape(f.code, f.name, f.level, f.parent, f.geometry) for f in mended]
    assert set(diff_borders(before, after).counts()) == {"unchanged", "moved"}


def test_surfaces_are_compared_by_code() -> None:
    def surface(code: str, name: str = "公园", priority: int = 5, east: float = 116.41) -> OverlayShape:
        return OverlayShape(code, name, "park", priority, box(116.40, 39.90, east, 39.91))

    before = [surface("same"), surface("gone"), surface("named"), surface("ranked"), surface("moved")]
    after = [
        surface("same"),
        surface("named", name="新名"),
        surface("ranked", priority=9),
        surface("moved", east=116.42),
        surface("new"),
    ]
    changes = {(c.before or c.after)[0]: c for c in diff_overlays(before, after)}
    assert {code: c.kind for code, c in changes.items()} == {
        "same": "unchanged",
        "gone": "removed",
        "named": "renamed",
        "ranked": "reranked",
        "moved": "moved",
        "new": "created",
    }
    assert changes["moved"].area_m2 == pytest.approx(changes["gone"].area_m2, rel=0.01)
    assert "由 park 5 改为 park 9" in changes["ranked"].message
