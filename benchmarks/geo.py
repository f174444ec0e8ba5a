"""Where is this point: ours against what people would use instead, one run, one made-up metropolis.

    python -m benchmarks.geo [--quick] [--points N]

Writes results/geo.json with the ratios (theirs ÷ ours) and results/geo_details.json with what they come from.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from benchmarks.exactness import Truth, count_mismatches
from geo.borders import AreaShape, Level, build_index
from geo.inventing import DEMO, METROPOLIS, City, CityPlan, invent_city
from geo.locating import Locator
from geo.reading import read_borders

RESULTS = Path(__file__).parent / "results"
ROUNDS = 3
GATES = {
    "single_vs_strtree": 8, "single_vs_postgis": 80, "placed_vs_strtree": 4, "p99_vs_strtree": 4,
    "bulk_vs_sjoin": 15, "bulk_vs_shapely": 8, "bulk_vs_postgis": 100, "bulk_vs_duckdb": 25,
}  # fmt: skip
CEILINGS = {
    "vs_gather": 15,
    "index_mb": 160,
    "open_ms": 10,
    "build_s": 12,
    "build_peak_mb": 600,
    "mismatches": 0,
}
LARGE = replace(METROPOLIS, grids=65_000, communities=6_500, streets=390, radius_m=52_000.0)


class Layers:
    """The metropolis as every arm gets it: grids and overlays as polygons, codes of parents as arrays."""

    def __init__(self, city: City) -> None:
        self.grids = city.level(Level.GRID)
        self.shapes = np.array([g.geometry for g in self.grids] + [o.geometry for o in city.overlays])
        self.codes = [g.code for g in self.grids] + [o.code for o in city.overlays]
        parents = {a.code: a.parent for a in city.areas}
        self.lines = []
        for grid in self.grids:
            line = [grid.code]
            while (above := parents[line[-1]]) is not None:
                line.append(above)
            self.lines.append(tuple(line[::-1]))
        kinds = sorted({o.kind for o in city.overlays})
        self.layer = [0] * len(self.grids) + [1 + kinds.index(o.kind) for o in city.overlays]

    def points(self, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Four in five around a grid drawn evenly (so the dense core counts), one in five anywhere."""
        rng = np.random.default_rng(seed)
        near = int(count * 0.8)
        box = shapely.bounds(self.shapes[rng.integers(len(self.grids), size=near)])
        west, south, east, north = shapely.total_bounds(self.shapes[: len(self.grids)])
        lon = np.concatenate([rng.uniform(box[:, 0], box[:, 2]), rng.uniform(west, east, count - near)])
        lat = np.concatenate([rng.uniform(box[:, 1], box[:, 3]), rng.uniform(south, north, count - near)])
        order = rng.permutation(count)
        return lon[order], lat[order]


def percentiles(
    call: Callable[[float, float], Any], points: Sequence[tuple[float, float]]
) -> tuple[float, float]:
    """p50 and p99 in microseconds, one call at a time."""
    took = np.empty(len(points))
    clock = time.perf_counter_ns
    for i, (lon, lat) in enumerate(points):
        start = clock()
        call(lon, lat)
        took[i] = clock() - start
    return float(np.percentile(took, 50)) / 1e3, float(np.percentile(took, 99)) / 1e3


def seconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def steady_seconds(call: Callable[[], Any]) -> float:
    """Median of as many calls as fit into a second (at most seven), so that a hiccup is not the answer."""
    took = [seconds(call)]
    while sum(took) < 1.0 and len(took) < 7:
        took.append(seconds(call))
    return statistics.median(took)


def interleaved(arms: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[Any]]:
    """Every arm once per round, so that a noisy minute hits them all."""
    results: dict[str, list[Any]] = {name: [] for name in arms}
    for _ in range(rounds):
        for name, arm in arms.items():
            results[name].append(arm())
    return results


def ratio(theirs: Sequence[float], ours: Sequence[float]) -> float:
    return statistics.median(t / o for t, o in zip(theirs, ours, strict=True))


def single_arms(layers: Layers, locator: Locator, count: int) -> dict[str, Callable[[], tuple[float, float]]]:
    lon, lat = layers.points(count, seed=1)
    points = list(zip(lon.tolist(), lat.tolist(), strict=True))
    tree, grids = shapely.STRtree(layers.shapes), len(layers.grids)
    lines, codes, query, point = layers.lines, layers.codes, tree.query, shapely.Point

    def by_tree(lon: float, lat: float) -> tuple[Any, list[str]]:
        line, overlays = None, []
        for hit in query(point(lon, lat), predicate="intersects"):
            if hit < grids:
                line = lines[hit]
            else:
                overlays.append(codes[hit])
        return line, overlays

    find, locate = locator.find, locator.locate
    for a, b in points:  # every face once: a server is warm after its first minute
        find(lon=a, lat=b)
    inside = [p for p in points if find(lon=p[0], lat=p[1]).leaf >= 0]
    far = [
        p
        for p in inside
        if locate(lon=p[0], lat=p[1], accuracy_m=10, frame="wgs84").border_distance_m is None
    ]
    return {
        "empty call": lambda: percentiles(lambda lon, lat: None, points),
        "ours": lambda: percentiles(lambda lon, lat: find(lon=lon, lat=lat), points),
        "placed": lambda: percentiles(
            lambda lon, lat: locate(lon=lon, lat=lat, accuracy_m=None, frame="wgs84"), points
        ),
        "placed, 10 m, border far": lambda: percentiles(
            lambda lon, lat: locate(lon=lon, lat=lat, accuracy_m=10, frame="wgs84"), far
        ),
        "strtree": lambda: percentiles(by_tree, points),
    }


def bulk_arms(
    layers: Layers, locator: Locator, lon: np.ndarray, lat: np.ndarray
) -> dict[str, Callable[[], float]]:
    import geopandas

    polygons = geopandas.GeoDataFrame({"code": layers.codes}, geometry=layers.shapes, crs=4490)
    frame = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy(lon, lat), crs=4490)
    cells = locator._layout.file.array("cells")
    tree = shapely.STRtree(layers.shapes)
    points = shapely.points(lon, lat)

    def best_shapely() -> Any:
        """Boxes first, pairs sorted by polygon, then prepared polygons on coordinates: one thread only."""
        point, shape = tree.query(points)
        order = np.argsort(shape, kind="stable")
        point, shape = point[order], shape[order]
        shapely.prepare(layers.shapes)
        inside = shapely.contains_xy(layers.shapes[shape], lon[point], lat[point])
        shapely.destroy_prepared(layers.shapes)
        return point[inside], shape[inside]

    def gather() -> Any:
        """The least any index does: to whole numbers, and one random read per point."""
        x = np.rint(lon * 1e7).astype(np.int64) * 7919
        y = np.rint(lat * 1e7).astype(np.int64) * 104_729
        return cells.take((x + y) % len(cells))

    def ours() -> Any:
        return locator.locate_many(lon=lon, lat=lat, frame="wgs84")

    ours()
    return {
        "ours": lambda: steady_seconds(ours),
        "gather": lambda: steady_seconds(gather),
        "sjoin": lambda: steady_seconds(lambda: geopandas.sjoin(polygons, frame, predicate="contains")),
        "shapely": lambda: steady_seconds(best_shapely),
    }


def one_layer_arms(
    layers: Layers, lon: np.ndarray, lat: np.ndarray, folder: Path, connection: Any
) -> dict[str, Callable[[], float]]:
    """Grids only: ours, PostGIS and DuckDB, each with the points already in place."""
    import duckdb
    import duckdb_extension_spatial

    from benchmarks.postgis import load_points

    alone = [AreaShape(g.code, g.name, g.level, None, g.geometry) for g in layers.grids]
    build_index(alone, [], folder / "grids.idx", generation="bench")
    locator = Locator.open(folder / "grids.idx")
    load_points(connection, "points", shapely.points(lon, lat))
    connection.execute("set max_parallel_workers_per_gather = 0")
    duck = duckdb.connect(config={"allow_unsigned_extensions": "false"})
    extension = next(Path(duckdb_extension_spatial.__file__).parent.rglob("spatial.duckdb_extension"))
    duck.execute(f"load '{extension}'")
    import pandas as pd

    shapes = pd.DataFrame({"number": range(len(alone)), "wkb": [shapely.to_wkb(a.geometry) for a in alone]})
    places = pd.DataFrame({"number": np.arange(len(lon)), "lon": lon, "lat": lat})
    duck.register("shapes", shapes)
    duck.register("places", places)
    duck.execute("create table grids as select number, ST_GeomFromWKB(wkb) as shape from shapes")
    duck.execute("create table points as select number, ST_Point(lon, lat) as place from places")

    def by_postgis() -> None:
        connection.execute("drop table if exists answer")
        connection.execute(
            "create temporary table answer as select p.number, s.number as grid from points p "
            "join shapes s on s.layer = 0 and ST_Intersects(s.shape, p.place)"
        )

    def by_duckdb() -> None:
        duck.execute(
            "create or replace temp table answer as select p.number, g.number as grid "
            "from points p join grids g on ST_Intersects(g.shape, p.place)"
        )

    def ours() -> Any:
        return locator.locate_many(lon=lon, lat=lat, frame="wgs84")

    ours()  # every page of the fresh index once, as for the others their tables
    return {
        "one layer, ours": lambda: steady_seconds(ours),
        "one layer, duckdb": lambda: steady_seconds(by_duckdb),
        "one layer, postgis": lambda: steady_seconds(by_postgis),
    }


def postgis_single(connection: Any, layers: Layers, count: int) -> Callable[[], tuple[float, float]]:
    lon, lat = layers.points(count, seed=1)
    points = list(zip(lon.tolist(), lat.tolist(), strict=True))
    cursor = connection.cursor(binary=True)
    question = "select layer, number from shapes where ST_Intersects(shape, ST_Point(%s, %s))"

    def ask(lon: float, lat: float) -> Any:
        return cursor.execute(question, (lon, lat), prepare=True).fetchall()

    return lambda: percentiles(ask, points)


def built_apart(plan: str, path: Path) -> dict[str, float]:
    """Build in a process of its own, so that its peak is its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.geo", "--build", plan, str(path)],
        check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1],
    )  # fmt: skip
    return dict(json.loads(done.stdout.splitlines()[-1]))


def build_here(plan: CityPlan, path: Path) -> None:
    city = invent_city(plan)
    before = _resident_mb()
    _forget_peak()
    took = seconds(lambda: build_index(city.areas, city.overlays, path, generation="bench"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    peak = _peak_mb() or peak
    opened = sorted(seconds(lambda: Locator.open(path)) * 1e3 for _ in range(7))
    print(json.dumps({
        "build_s": took, "build_peak_mb": peak - before, "index_mb": os.path.getsize(path) / 1e6,
        "open_ms": opened[3], "open_worst_ms": opened[-1],
    }))  # fmt: skip


def _status(field: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    return 0.0


def _resident_mb() -> float:
    return _status("VmRSS:")


def _peak_mb() -> float:
    return _status("VmHWM:")


def _forget_peak() -> None:
    """Making the city peaks too; only the build's peak counts."""
    Path("/proc/self/clear_refs").write_text("5")


def beijing(folder: Path) -> Locator | None:
    data = os.environ.get("GRID_TEST_DATA")
    if not data:
        return None
    files = [read_borders(p) for p in sorted((Path(data) / "beijing_core6").glob("*.geojson"))]
    areas = [a for file in files for a in file.areas()]
    known = {a.code for a in areas}
    areas = [a if a.parent in known else replace(a, parent=None) for a in areas]
    build_index(areas, [], folder / "beijing.idx", generation="bench")
    return Locator.open(folder / "beijing.idx")


def exactness(layers: Layers, locator: Locator, folder: Path, points: int) -> dict[str, int]:
    counted = {"metropolis": count_mismatches(Truth(locator, layers.shapes), points * 8 // 10, seed=11)}
    real = beijing(folder)
    rest = points - counted["metropolis"][0]
    if real is None:
        counted["demo"] = count_mismatches(*_demo(folder), rest, seed=12)
    else:
        shapes = np.array([real._layout.shape(s) for s in range(len(real._layout.shape_area))])
        counted["beijing"] = count_mismatches(Truth(real, shapes), rest, seed=12)
    return {
        "points_checked": sum(c for c, _ in counted.values()),
        "mismatches": sum(w for _, w in counted.values()),
        **{f"points_{name}": c for name, (c, _) in counted.items()},
    }


def _demo(folder: Path) -> tuple[Truth]:
    city = invent_city(DEMO)
    build_index(city.areas, city.overlays, folder / "demo.idx", generation="bench")
    locator = Locator.open(folder / "demo.idx")
    overlays = sorted(city.overlays, key=lambda o: (-o.priority, o.code))
    return (
        Truth(
            locator, np.array([a.geometry for a in city.level(Level.GRID)] + [o.geometry for o in overlays])
        ),
    )


def measure(
    points: int, bulk: int, singles: int, rounds: int, *, large: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    from benchmarks.postgis import load_polygons, postgis

    city = invent_city(METROPOLIS)
    city.overlays.sort(key=lambda o: (-o.priority, o.code))
    layers = Layers(city)
    with tempfile.TemporaryDirectory(prefix="bench-geo-") as name:
        folder = Path(name)
        builds = [built_apart("metropolis", folder / "city.idx") for _ in range(rounds)]
        built = {key: statistics.median(b[key] for b in builds) for key in builds[0]}
        say("built", built)
        locator = Locator.open(folder / "city.idx")
        with postgis() as connection:
            load_polygons(
                connection,
                "shapes",
                list(zip(layers.layer, range(len(layers.codes)), layers.shapes, strict=True)),
            )
            arms = single_arms(layers, locator, singles)
            arms["postgis"] = postgis_single(connection, layers, max(500, singles // 10))
            single = interleaved(arms, rounds)
            say("single, p50 and p99 µs", single)
            lon, lat = layers.points(bulk, seed=2)
            bulks = interleaved(bulk_arms(layers, locator, lon, lat), rounds)
            bulks |= interleaved(one_layer_arms(layers, lon, lat, folder, connection), rounds)
            say("bulk, s", bulks)
        exact = exactness(layers, locator, folder, points)
        say("exactness", exact)
        more = built_apart("large", folder / "large.idx") if large else {}
        say("65,000 grids", more)
    p50 = {name: [a for a, _ in runs] for name, runs in single.items()}
    p99 = {name: [b for _, b in runs] for name, runs in single.items()}
    result = {
        "single_vs_strtree": ratio(p50["strtree"], p50["ours"]),
        "single_vs_postgis": ratio(p50["postgis"], p50["ours"]),
        "placed_vs_strtree": ratio(p50["strtree"], p50["placed"]),
        "p99_vs_strtree": ratio(p99["strtree"], p99["ours"]),
        "bulk_vs_sjoin": ratio(bulks["sjoin"], bulks["ours"]),
        "bulk_vs_shapely": ratio(bulks["shapely"], bulks["ours"]),
        "bulk_vs_postgis": ratio(bulks["one layer, postgis"], bulks["one layer, ours"]),
        "bulk_vs_duckdb": ratio(bulks["one layer, duckdb"], bulks["one layer, ours"]),
        "bulk_points_per_s": round(bulk / statistics.median(bulks["ours"])),
        "vs_gather": statistics.median(o / g for o, g in zip(bulks["ours"], bulks["gather"], strict=True)),
        **{key: built[key] for key in ("index_mb", "open_ms", "build_s", "build_peak_mb")},
        "mismatches": exact["mismatches"],
        "points_checked": exact["points_checked"],
    }
    details = {
        "single_p50_us": {n: round(statistics.median(v), 3) for n, v in p50.items()},
        "single_p99_us": {n: round(statistics.median(v), 3) for n, v in p99.items()},
        "bulk_s": {n: round(statistics.median(v), 4) for n, v in bulks.items()},
        "bulk_points": bulk, "rounds": rounds, "exactness": exact,
        "build": {k: round(v, 2) for k, v in built.items()},
        "large_65000": {k: round(v, 2) for k, v in more.items()},
        "machine": f"{os.cpu_count()} CPUs, Python {platform.python_version()}, "
        f"numpy {np.__version__}, shapely {shapely.__version__} (GEOS {shapely.geos_version_string})",
        "load_average": [round(v, 2) for v in os.getloadavg()],
    }  # fmt: skip
    return {k: v if isinstance(v, int) else round(v, 3) for k, v in result.items()}, details


def say(what: str, value: Any) -> None:
    print(f"{what}: {value}", file=sys.stderr, flush=True)


def table(result: dict[str, Any]) -> str:
    lines = ["| figure | measured | gate | |", "|---|--:|--:|---|"]
    for key, value in result.items():
        gate = f"≥ {GATES[key]}" if key in GATES else f"≤ {CEILINGS[key]}" if key in CEILINGS else ""
        held = value >= GATES[key] if key in GATES else value <= CEILINGS.get(key, value)
        lines.append(f"| {key} | {value} | {gate} | {'' if not gate else 'ok' if held else 'MISSED'} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything; nothing is written")
    parser.add_argument("--points", type=int, default=10_000_000, help="points of the exactness count")
    parser.add_argument("--build", nargs=2, metavar=("PLAN", "PATH"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.build:
        build_here({"metropolis": METROPOLIS, "large": LARGE}[given.build[0]], Path(given.build[1]))
        return
    if given.quick:
        result, details = measure(given.points // 20, 100_000, 3_000, 1, large=False)
    else:
        result, details = measure(given.points, 1_000_000, 20_000, ROUNDS, large=True)
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "geo.json").write_text(json.dumps(result, indent=2) + "\n")
        (RESULTS / "geo_details.json").write_text(json.dumps(details, indent=2, ensure_ascii=False) + "\n")
    print(json.dumps(details, indent=2, ensure_ascii=False))
    print(table(result))
    missed = "MISSED" in table(result)
    sys.exit(1 if missed and not given.quick else 0)


if __name__ == "__main__":
    main()
