"""Pictures of borders as inline SVG: presentation attributes only, so that a strict content policy lets them be."""

import math
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

import numpy as np
import shapely

COLOURS = {"error": "#c0262d", "warning": "#d97706", "note": "#2563eb"}
_LINE = {"city": 2.4, "district": 2.0, "street": 1.0, "community": 0.7, "grid": 0.5, "unit": 0.3}


class Frame2D:
    """From degrees to picture units, north up, the same scale both ways."""

    def __init__(
        self, bounds: tuple[float, float, float, float], width: int, *, margin: float = 0.04
    ) -> None:
        west, south, east, north = bounds
        squeeze = math.cos(math.radians((south + north) / 2))
        span_x, span_y = max((east - west) * squeeze, 1e-9), max(north - south, 1e-9)
        pad = margin * max(span_x, span_y)
        self.scale = width / (span_x + 2 * pad)
        self.width, self.height = width, max(40, min(2 * width, round((span_y + 2 * pad) * self.scale)))
        self.west, self.north = west - pad / squeeze, north + pad
        self.squeeze = squeeze

    def path(self, geometry: Any) -> str:
        """Path data of polygons or lines, thinned to what the picture can show."""
        moved = shapely.transform(geometry, self._place)
        thin = shapely.simplify(moved, 0.3, preserve_topology=False)
        pieces = []
        for part in shapely.get_parts(thin if not thin.is_empty else moved):
            rings = [part.exterior, *part.interiors] if part.geom_type == "Polygon" else [part]
            for ring in rings:
                xy = np.round(shapely.get_coordinates(ring), 1)
                if len(xy) > 1:
                    pieces.append(
                        "M" + "L".join(f"{x:g} {y:g}" for x, y in xy.tolist()) + "Z" * (len(rings) > 0)
                    )
        return "".join(pieces)

    def point(self, lon: float, lat: float) -> tuple[float, float]:
        x, y = self._place(np.array([[lon, lat]]))[0]
        return round(float(x), 1), round(float(y), 1)

    def _place(self, xy: Any) -> Any:
        return np.column_stack(
            [(xy[:, 0] - self.west) * self.squeeze * self.scale, (self.north - xy[:, 1]) * self.scale]
        )


def _svg(frame: Frame2D, title: str, body: Iterable[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {frame.width} {frame.height}" '
        f'width="{frame.width}" height="{frame.height}" role="img"><title>{escape(title)}</title>'
        f'<rect width="{frame.width}" height="{frame.height}" fill="#fbfaf7"/>{"".join(body)}</svg>'
    )


def map_picture(shapes: Mapping[str, Mapping[str, Any]], findings: Iterable[Any], *, width: int = 860) -> str:
    """The whole set with a mark on every finding that has a place."""
    drawn = [g for level in shapes.values() for g in level.values()]
    if not drawn:
        return ""
    frame = Frame2D(tuple(shapely.total_bounds(drawn)), width)
    body = []
    for level in reversed(list(shapes)):
        data = "".join(frame.path(g) for g in shapes[level].values())
        body.append(
            f'<path d="{data}" fill="none" stroke="#57534e" stroke-width="{_LINE[level]}" stroke-linejoin="round"/>'
        )
    for finding in sorted(findings, key=lambda f: f.severity != "note"):
        if finding.lon is not None and finding.lat is not None:
            x, y = frame.point(finding.lon, finding.lat)
            body.append(
                f'<circle cx="{x:g}" cy="{y:g}" r="4" fill="{COLOURS[finding.severity]}" fill-opacity="0.75">'
                f"<title>{escape(finding.message)}</title></circle>"
            )
    return _svg(frame, "边界全图与问题位置", body)


def closeup(finding: Any, shapes: Mapping[str, Any], *, width: int = 240) -> str:
    """One finding and the areas around it."""
    west, south, east, north = finding.geometry.bounds
    reach = max(east - west, north - south, 2e-4) * 0.6
    bounds = (west - reach, south - reach, east + reach, north + reach)
    frame = Frame2D(bounds, width, margin=0.0)
    body = []
    for code, geometry in shapes.items():
        if code in finding.codes:
            cut = shapely.clip_by_rect(geometry, *bounds) if shapely.is_valid(geometry) else geometry
            body.append(
                f'<path d="{frame.path(cut)}" fill="#e7e5e4" fill-opacity="0.5" stroke="#57534e" stroke-width="1"/>'
            )
    body.append(
        f'<path d="{frame.path(finding.geometry)}" fill="{COLOURS[finding.severity]}" fill-opacity="0.6" '
        f'stroke="{COLOURS[finding.severity]}" stroke-width="1.5"/>'
    )
    return _svg(frame, finding.message, body)


def before_after(
    before: Mapping[str, Any], after: Mapping[str, Any], ground: Any, *, width: int = 340
) -> tuple[str, str]:
    """Two pictures at one scale of the ground that a repair changes and of what lies beside it."""
    west, south, east, north = ground.bounds
    reach = max(east - west, north - south, 1e-4) * 0.6
    bounds = (west - reach, south - reach, east + reach, north + reach)
    frame = Frame2D(bounds, width, margin=0.0)
    box = shapely.box(*bounds)
    colours = dict(zip(before, _palette(len(before)), strict=True))
    pictures = []
    for title, shapes in (("修复前", before), ("修复后", after)):
        body = []
        for code, shape in shapes.items():
            valid = shape if shapely.is_valid(shape) else shapely.make_valid(shape)
            if box.intersects(valid):
                body.append(
                    f'<path d="{frame.path(shapely.clip_by_rect(valid, *bounds))}" fill="{colours[code]}" '
                    f'fill-opacity="0.45" stroke="#57534e" stroke-width="1"><title>{escape(code)}</title></path>'
                )
        pictures.append(_svg(frame, title, body))
    return pictures[0], pictures[1]


def _palette(count: int) -> list[str]:
    colours = ("#99c1b9", "#d88c9a", "#f2d0a9", "#8e7dbe", "#b8c0ff", "#a3b18a")
    return [colours[i % len(colours)] for i in range(count)]
