"""`flask grid check | repair | diff` on files, as a person at a terminal uses them."""

import json
from pathlib import Path

import pytest
import shapely
from click.testing import CliRunner, Result
from shapely.affinity import translate

from geo.borders import Level
from geo.inventing import City, write_geojson
from geo.mending.proposing import levels_are_clean
from geo.reading import read_borders
from web.cli.borders import check, diff
from web.cli.mending import repair, simplify


def run(command, *arguments: object) -> Result:
    return CliRunner().invoke(command, [str(a) for a in arguments])


@pytest.fixture
def clean(city: City, tmp_path) -> Path:
    write_geojson(city, tmp_path / "clean")
    return tmp_path / "clean"


@pytest.fixture
def dirty(clean, tmp_path) -> Path:
    """The same city with one grid pushed twenty metres aside."""
    folder = tmp_path / "dirty"
    folder.mkdir()
    for path in clean.iterdir():
        content = json.loads(path.read_text(encoding="utf-8"))
        if path.stem == "grid":
            feature = content["features"][80]
            moved = translate(shapely.from_geojson(json.dumps(feature["geometry"])), xoff=2e-4)
            feature["geometry"] = json.loads(shapely.to_geojson(moved))
        (folder / path.name).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return folder


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.geojson"))


def test_check_says_clean_or_what_is_wrong(clean, dirty, tmp_path) -> None:
    good = run(check, *files(clean))
    assert good.exit_code == 0
    assert "没有发现需要处理的问题" in good.output
    bad = run(check, *files(dirty), "--json", "--html", tmp_path / "report.html")
    report = json.loads(bad.stdout)
    assert report["counts"]["overlap"] >= 1
    assert report["usable"] is True
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "重叠" in page
    assert "消除重叠" in page
    assert "修复前" in page
    assert "核对" in bad.stderr


def test_check_fails_on_what_must_be_solved(dirty) -> None:
    path = dirty / "grid.geojson"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["features"][1]["properties"]["code"] = content["features"][0]["properties"]["code"]
    path.write_text(json.dumps(content), encoding="utf-8")
    assert run(check, path, "--json").exit_code == 1


def test_refused_file_is_one_sentence(tmp_path) -> None:
    (tmp_path / "x.geojson").write_text("{")
    done = run(check, tmp_path / "x.geojson")
    assert done.exit_code == 1
    assert "x.geojson" in done.output
    assert "Traceback" not in done.output


def test_repair_lists_first_and_acts_only_when_told(dirty, clean, tmp_path) -> None:
    before = {p.name: p.read_bytes() for p in files(dirty)}
    listed = run(repair, *files(dirty), "--json")
    ids = [p["id"] for p in json.loads(listed.stdout)["proposals"]]
    assert "align:grid" in ids
    assert run(repair, *files(dirty), "--all").exit_code == 1  # nowhere to put it
    out = tmp_path / "mended"
    done = run(repair, *files(dirty), "--all", "--out", out)
    assert done.exit_code == 0, done.output
    assert {p.name: p.read_bytes() for p in files(dirty)} == before
    mended = [f for p in files(out) for f in read_borders(p).features]
    assert all(levels_are_clean(mended).values())
    record = json.loads((out / "repairs.json").read_text(encoding="utf-8"))
    assert [r["id"] for r in record["repairs"]] == ids
    kept = {p.name: p.read_bytes() for p in (out / "originals").iterdir()}
    assert sorted(kept.values()) == sorted(before.values())
    assert run(repair, *files(dirty), "--all", "--out", out).exit_code == 1  # never over something
    assert run(check, *files(out)).exit_code == 0
    changes = json.loads(run(diff, dirty, out, "--json").stdout)
    assert changes["counts"]["moved"] >= 1
    assert run(repair, *files(dirty), "--choose", "no:such", "--out", tmp_path / "n").exit_code == 1


def test_repair_by_kind_and_one_left_out(dirty, tmp_path) -> None:
    listed = json.loads(run(repair, *files(dirty), "--json").stdout)
    overlaps = [p["id"] for p in listed["proposals"] if p["kind"] == "overlap"]
    assert listed["clean"]["grid"] is False
    done = run(
        repair, *files(dirty), "--kind", "overlap", "--skip", overlaps[0],
        "--out", tmp_path / "some", "--html", tmp_path / "p.html", "--json",
    )  # fmt: skip
    assert json.loads(done.stdout)["chosen"] == sorted(overlaps[1:])
    assert "修复后" in (tmp_path / "p.html").read_text(encoding="utf-8")
    assert run(repair, *files(dirty), "--skip", "no:such").exit_code == 1
    told = run(repair, *files(dirty))
    assert "消除重叠" in told.output
    assert "责任网格:仍有重叠" in told.output


def test_simplified_copies_per_zoom_still_tile(clean, tmp_path) -> None:
    out = tmp_path / "light"
    done = run(simplify, *files(clean), "--zoom", 11, "--zoom", 14, "--out", out, "--json")
    assert done.exit_code == 0, done.output
    made = {(m["zoom"], m["level"]): m for m in json.loads(done.stdout)}
    assert made[11, "grid"]["vertices"] < made[14, "grid"]["vertices"] < made[14, "grid"]["vertices_before"]
    for zoom in ("z11", "z14"):
        light = [f for p in files(out / zoom) for f in read_borders(p).features]
        assert all(levels_are_clean([f for f in light if not f.kind]).values())
        whole = [f for p in files(clean) for f in read_borders(p).features]
        assert [(f.code, f.name, f.parent) for f in light if not f.kind] == [
            (f.code, f.name, f.parent) for f in whole if not f.kind
        ]
    assert run(simplify, *files(clean), "--out", out).exit_code == 1  # never over something


def test_diff_with_weights(clean, dirty, city, tmp_path) -> None:
    weights = tmp_path / "w.csv"
    weights.write_text("code,weight\n" + "".join(f"{g.code},100\n" for g in city.level(Level.GRID)))
    told = run(diff, clean, dirty, "--weights", weights)
    assert told.exit_code == 0
    assert "边界调整" in told.output
    assert "权重" in told.output
    assert "未变" not in run(diff, clean, clean, "--json").stdout
