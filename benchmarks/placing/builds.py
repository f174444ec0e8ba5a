"""Builds of the index, each in a process of its own: seconds, peak memory, size, opening."""

import json
import os
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks.placing.timing import seconds
from geo.borders import build_index
from geo.inventing import METROPOLIS, CityPlan, invent_city
from geo.locating import Locator

LARGE = replace(METROPOLIS, grids=65_000, communities=6_500, streets=390, radius_m=52_000.0)
PLANS = {"metropolis": METROPOLIS, "large": LARGE}


def built_apart(plan: str, path: Path) -> dict[str, float]:
    """Build in a process of its own, so that its peak is its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.geo", "--build", plan, str(path)],
        check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2],
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
