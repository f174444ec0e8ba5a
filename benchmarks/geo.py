"""Where is this point: ours against what people would use instead, one run, one made-up metropolis.

    python -m benchmarks.geo [--quick] [--points N]

Writes results/geo.json with the ratios (theirs ÷ ours) and results/geo_details.json with what they come from.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from benchmarks.placing.builds import LARGE, PLANS, build_here, built_apart
from benchmarks.placing.bulk import bulk_arms, one_layer_arms
from benchmarks.placing.counting import exactness
from benchmarks.placing.layers import Layers
from benchmarks.placing.postgis import load_polygons, postgis
from benchmarks.placing.singles import postgis_single, single_arms
from benchmarks.placing.timing import interleaved, ratio
from geo.inventing import METROPOLIS, invent_city
from geo.locating import Locator

RESULTS = Path(__file__).parent / "results"
ROUNDS = 3
GATES = {
    "single_vs_strtree": 8, "single_vs_postgis": 80, "placed_vs_strtree": 4, "p99_vs_strtree": 4,
    "bulk_vs_sjoin": 15, "bulk_vs_shapely": 8, "bulk_vs_postgis": 100, "bulk_vs_duckdb": 25,
}  # fmt: skip
CEILINGS = {
    "placed_far_us": 30,
    "vs_gather": 15,
    "index_mb": 160,
    "open_ms": 10,
    "build_s": 12,
    "build_peak_mb": 600,
    "build_growth": 1,
    "mismatches": 0,
}


def measure(points: int, bulk: int, singles: int, rounds: int) -> tuple[dict[str, Any], dict[str, Any]]:
    city = invent_city(METROPOLIS)
    city.overlays.sort(key=lambda o: (-o.priority, o.code))
    layers = Layers(city)
    with tempfile.TemporaryDirectory(prefix="bench-geo-") as name:
        folder = Path(name)
        builds = interleaved(
            {plan: lambda plan=plan: built_apart(plan, folder / f"{plan}.idx") for plan in PLANS}, rounds
        )
        built, large = (
            {key: statistics.median(b[key] for b in builds[plan]) for key in builds[plan][0]}
            for plan in PLANS
        )
        say("built", builds)
        locator = Locator.open(folder / "metropolis.idx")
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
        "placed_far_us": statistics.median(p50["placed, 10 m, border far"]),
        **{key: built[key] for key in ("index_mb", "open_ms", "build_s", "build_peak_mb")},
        "build_growth": _growth(builds),
        "mismatches": exact["mismatches"],
        "points_checked": exact["points_checked"],
    }
    details = {
        "single_p50_us": {n: round(statistics.median(v), 3) for n, v in p50.items()},
        "single_p99_us": {n: round(statistics.median(v), 3) for n, v in p99.items()},
        "bulk_s": {n: round(statistics.median(v), 4) for n, v in bulks.items()},
        "bulk_points": bulk, "rounds": rounds, "exactness": exact,
        "build": {k: round(v, 2) for k, v in built.items()},
        "large_65000": {k: round(v, 2) for k, v in large.items()},
        "machine": f"{os.cpu_count()} CPUs, Python {platform.python_version()}, "
        f"numpy {np.__version__}, shapely {shapely.__version__} (GEOS {shapely.geos_version_string})",
        "load_average": [round(v, 2) for v in os.getloadavg()],
    }  # fmt: skip
    return {k: v if isinstance(v, int) else round(v, 3) for k, v in result.items()}, details


def _growth(builds: dict[str, list[dict[str, float]]]) -> float:
    """Seconds per grid of the large city ÷ those of the metropolis, round by round: 1 is exactly linear."""
    times = zip(builds["large"], builds["metropolis"], strict=True)
    per_grid = LARGE.grids / METROPOLIS.grids
    return statistics.median(big["build_s"] / small["build_s"] / per_grid for big, small in times)


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
        build_here(PLANS[given.build[0]], Path(given.build[1]))
        return
    if given.quick:
        result, details = measure(given.points // 20, 100_000, 3_000, 1)
    else:
        result, details = measure(given.points, 1_000_000, 20_000, ROUNDS)
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "geo.json").write_text(json.dumps(result, indent=2) + "\n")
        (RESULTS / "geo_details.json").write_text(json.dumps(details, indent=2, ensure_ascii=False) + "\n")
    print(json.dumps(details, indent=2, ensure_ascii=False))
    print(table(result))
    missed = "MISSED" in table(result)
    sys.exit(1 if missed and not given.quick else 0)


if __name__ == "__main__":
    main()
