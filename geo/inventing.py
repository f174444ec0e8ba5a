"""A made-up city for the demo, the tests and the benchmarks: deterministic, unmistakably synthetic."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from geo.borders import AreaShape, Level, OverlayShape
from geo.invention import naming
from geo.invention.mesh import draw_mesh
from geo.invention.surfaces import draw_overlays
from geo.invention.tree import grow, region_graph, with_enclaves


@dataclass(frozen=True)
class CityPlan:
    """How big the made-up city is, and where: by default a neutral spot far from any province's centre."""

    districts: int
    streets: int
    communities: int
    grids: int
    radius_m: float
    core: float = 1.0
    bends: int = 11
    enclaves: int = 0
    overlays: dict[str, int] = field(default_factory=dict)
    lon: float = 104.2
    lat: float = 35.6


DEMO = CityPlan(
    2, 6, 24, 160, radius_m=2_600.0, core=0.6, bends=7, enclaves=2,
    overlays={"river": 5, "park": 4, "expressway": 6},
)  # fmt: skip
METROPOLIS = CityPlan(
    8, 150, 2_500, 25_000, radius_m=32_000.0, core=0.12, enclaves=60,
    overlays={"enforcement": 44, "river": 154, "expressway": 484},
)  # fmt: skip


@dataclass(frozen=True)
class City:
    """Areas from the city down to duty grids, and overlays."""

    areas: list[AreaShape]
    overlays: list[OverlayShape]

    def level(self, level: Level) -> list[AreaShape]:
        return [area for area in self.areas if area.level == level]


def invent_city(plan: CityPlan = DEMO, *, seed: int = 12345) -> City:
    """The city of this plan; the same seed gives the same city bit for bit."""
    rng = np.random.default_rng(seed)
    mesh = draw_mesh(
        rng,
        count=plan.grids,
        lon=plan.lon,
        lat=plan.lat,
        radius_m=plan.radius_m,
        core=plan.core,
        bends=plan.bends,
    )
    community_of = grow(mesh.neighbours, np.ones(plan.grids, dtype=np.int64), plan.communities, mesh.centres)
    graph, centres, street_of = _upwards(
        mesh.neighbours, community_of, mesh.centres, plan.communities, plan.streets
    )
    _, _, district_of = _upwards(graph, street_of, centres, plan.streets, plan.districts)
    community_of = with_enclaves(rng, mesh.neighbours, community_of, plan.enclaves)
    cells = np.array([shapely.Polygon(mesh.ring(c)) for c in range(plan.grids)])
    areas = list(_areas(rng, plan, cells, community_of, street_of, district_of))
    overlays = draw_overlays(rng, lon=plan.lon, lat=plan.lat, radius_m=plan.radius_m, counts=plan.overlays)
    return City(areas, overlays)


def _upwards(
    neighbours: list[list[int]], region: Any, centres: Any, parts: int, above: int
) -> tuple[list[list[int]], Any, Any]:
    """Graph and centres of the regions, and the next level grown over them."""
    graph = region_graph(neighbours, region, parts)
    sizes = np.bincount(region, minlength=parts)
    middle = np.column_stack(
        [np.bincount(region, weights=centres[:, k], minlength=parts) / sizes for k in (0, 1)]
    )
    return graph, middle, grow(graph, sizes, above, middle)


def _areas(
    rng: np.random.Generator, plan: CityPlan, cells: Any, community_of: Any, street_of: Any, district_of: Any
) -> Iterator[AreaShape]:
    order = np.argsort(community_of, kind="stable")
    split = np.split(order, np.searchsorted(community_of[order], np.arange(1, plan.communities)))
    communities = np.array([shapely.coverage_union_all(cells[members]) for members in split])
    streets = _dissolved(communities, street_of, plan.streets)
    districts = _dissolved(streets, district_of, plan.districts)
    city = shapely.coverage_union_all(districts)
    yield AreaShape(naming.CITY_CODE, naming.CITY_NAME, Level.CITY, None, city)
    district_codes = [f"{naming.PREFIX}{d + 1:02d}000000" for d in range(plan.districts)]
    for d, code in enumerate(district_codes):
        yield AreaShape(code, naming.district_name(d), Level.DISTRICT, naming.CITY_CODE, districts[d])
    middle = np.array([plan.lon, plan.lat])
    far = np.array([np.hypot(*(np.array(shapely.centroid(s).coords[0]) - middle)) for s in streets])
    rural = far > np.quantile(far, 0.8)
    street_codes = _serials(
        district_of, lambda s, n: naming.street_code(district_codes[district_of[s]], n, rural=rural[s])
    )
    for s, code in enumerate(street_codes):
        name = naming.street_name(s, rural=rural[s])
        yield AreaShape(code, name, Level.STREET, district_codes[district_of[s]], streets[s])
    codes = _serials(
        street_of,
        lambda c, n: naming.community_code(street_codes[street_of[c]], n, rural=rural[street_of[c]]),
    )
    for c, code in enumerate(codes):
        name = naming.community_name(rng, c, rural=rural[street_of[c]])
        yield AreaShape(code, name, Level.COMMUNITY, street_codes[street_of[c]], communities[c])
        for n, cell in enumerate(split[c]):
            grid = naming.grid_code(code, n)
            yield AreaShape(grid, f"{name}第{n + 1}网格", Level.GRID, code, cells[cell])


def _dissolved(parts: Any, above: Any, count: int) -> Any:
    return np.array([shapely.coverage_union_all(parts[above == k]) for k in range(count)])


def _serials(above: Any, code: Any) -> list[str]:
    """Number the members of each upper area from zero and ask for their codes."""
    seen: dict[int, int] = {}
    codes = []
    for member, parent in enumerate(above.tolist()):
        codes.append(code(member, seen.get(parent, 0)))
        seen[parent] = seen.get(parent, 0) + 1
    return codes


def write_geojson(city: City, folder: Path | str) -> list[Path]:
    """One file per level and one of overlays; the columns are those `read_borders` guesses."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for level in Level:
        rows = [
            ({"code": a.code, "name": a.name, "parent": a.parent, "level": str(a.level)}, a.geometry)
            for a in city.level(level)
        ]
        if rows:
            written.append(_write(folder / f"{level}.geojson", rows))
    overlays = [
        ({"code": o.code, "name": o.name, "kind": o.kind, "priority": o.priority}, o.geometry)
        for o in city.overlays
    ]
    if overlays:
        written.append(_write(folder / "overlays.geojson", overlays))
    return written


def _write(path: Path, rows: list[tuple[dict[str, Any], Any]]) -> Path:
    features = ",\n".join(
        json.dumps({"type": "Feature", "properties": p}, ensure_ascii=False)[:-1]
        + f', "geometry": {shapely.to_geojson(g)}}}'
        for p, g in rows
    )
    path.write_text(f'{{"type": "FeatureCollection", "features": [\n{features}\n]}}\n', encoding="utf-8")
    return path
