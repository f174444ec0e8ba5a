"""Overlays of the made-up city: river sections, parks, expressways and railways, enforcement beats."""

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.borders import OverlayShape
from geo.index.shapes import PER_DEGREE

Floats = NDArray[np.float64]

# kind, label, priority
RIVER, PARK, EXPRESSWAY, BEAT = (
    ("river", "河段", 60),
    ("park", "公园", 70),
    ("expressway", "快速路", 80),
    ("enforcement", "执法片区", 10),
)


def draw_overlays(
    rng: np.random.Generator, *, lon: float, lat: float, radius_m: float, counts: dict[str, int]
) -> list[OverlayShape]:
    """Overlapping named surfaces; `counts` says how many of each kind."""
    scale = np.array([1 / (111_320.0 * np.cos(np.radians(lat))), 1 / 110_900.0])

    def degrees(geometry: Any) -> Any:
        place = np.array([lon, lat])
        moved = shapely.transform(geometry, lambda m: np.rint((m * scale + place) * PER_DEGREE) / PER_DEGREE)
        return moved if shapely.is_valid(moved) else shapely.buffer(moved, 0)

    made: list[OverlayShape] = []
    makers = (
        (RIVER, _rivers, "灵溪"),
        (PARK, _parks, "湖畔"),
        (EXPRESSWAY, _expressways, "环线"),
        (BEAT, _beats, "机动"),
    )
    for (kind, label, priority), maker, stem in makers:
        for i, geometry in enumerate(maker(rng, counts.get(kind, 0), radius_m)):
            code = f"99{('river', 'park', 'expressway', 'enforcement').index(kind) + 1:02d}{i + 1:05d}"
            made.append(OverlayShape(code, f"{stem}{label}{i + 1}", kind, priority, degrees(geometry)))
    return made


def _rivers(rng: np.random.Generator, count: int, radius_m: float) -> list[Any]:
    rivers = max(1, count // 14)
    return [g for r in range(rivers) for g in _sections(rng, count, rivers, r, radius_m, (40, 160), 0.25)]


def _expressways(rng: np.random.Generator, count: int, radius_m: float) -> list[Any]:
    roads = max(1, count // 12)
    return [g for r in range(roads) for g in _sections(rng, count, roads, r, radius_m, (15, 40), 0.06)]


def _sections(
    rng: np.random.Generator,
    count: int,
    lines: int,
    line: int,
    radius_m: float,
    half_m: tuple[int, int],
    bend: float,
) -> list[Any]:
    """One winding line across town, cut into sections whose buffers overlap a little at the joints."""
    share = count // lines + (1 if line < count % lines else 0)
    if not share:
        return []
    heading = rng.uniform(0, np.pi)
    along = np.linspace(-0.95, 0.95, share * 4 + 1)
    aside = np.cumsum(rng.normal(0, bend / 3, len(along))) * 0.3 + rng.uniform(-0.5, 0.5)
    turn = np.array([[np.cos(heading), np.sin(heading)], [-np.sin(heading), np.cos(heading)]])
    points = np.column_stack([along, aside]) @ turn * radius_m * 0.8
    half = rng.uniform(*half_m)
    return [
        shapely.buffer(shapely.linestrings(points[i * 4 : i * 4 + 5]), half, quad_segs=8)
        for i in range(share)
    ]


def _parks(rng: np.random.Generator, count: int, radius_m: float) -> list[Any]:
    return [
        _blob(
            rng,
            rng.uniform(0.01, 0.05) * radius_m * (0.2 + 0.8 * (d := rng.uniform(0, 0.75) ** 0.7)),
            d,
            radius_m,
            60,
        )
        for _ in range(count)
    ]


def _beats(rng: np.random.Generator, count: int, radius_m: float) -> list[Any]:
    return [
        _blob(rng, rng.uniform(0.04, 0.12) * radius_m, rng.uniform(0, 0.85) ** 0.5, radius_m, 300)
        for _ in range(count)
    ]


def _blob(rng: np.random.Generator, size_m: float, distance: float, radius_m: float, vertices: int) -> Any:
    heading = rng.uniform(0, 2 * np.pi)
    angle = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    r = np.ones(vertices) + sum(
        rng.uniform(-0.12, 0.12) * np.sin(k * angle + rng.uniform(0, 6)) for k in range(2, 8)
    )
    centre = np.array([np.cos(heading), np.sin(heading)]) * distance * radius_m
    return shapely.polygons(centre + np.column_stack([np.cos(angle), np.sin(angle)]) * (r * size_m)[:, None])
