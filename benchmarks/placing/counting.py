"""How many of ten million points are answered wrongly: the metropolis, and real borders where there are any."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.placing.exactness import Truth, count_mismatches
from benchmarks.placing.layers import Layers
from geo.borders import Level, build_index
from geo.inventing import DEMO, invent_city
from geo.locating import Locator
from geo.reading import read_borders


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
