"""Which areas touch, and how far a border is: asked rarely, answered through Shapely."""

import numpy as np
import shapely

from geo.errors import GeoError
from geo.index.layout import Layout
from geo.metres import on_plane


def area_of(layout: Layout, code: str) -> int:
    """Position of an area by code; raises `GeoError` for a stranger."""
    try:
        return layout.position[code]
    except KeyError:
        raise GeoError(f"这一版边界里没有编码“{code}”,请核对。") from None


def neighbours(layout: Layout, code: str) -> tuple[str, ...]:
    """Areas of the same level that share a stretch of border; a mere corner does not count."""
    area = area_of(layout, code)
    level = layout.area_level[area]
    drawn = layout.geometry(area)
    own = set(layout.leaves_under(area))
    touching = [s for s in layout.leaf_tree.query(drawn, predicate="intersects").tolist() if s not in own]
    if not touching:
        return ()
    shared = shapely.intersection(layout.leaf_tree.geometries[touching], drawn)
    found = set()
    for shape, common in zip(touching, shared, strict=True):
        if common.length > 0:
            for above in layout.ancestry(layout.shape_area[shape]):
                if layout.area_level[above] == level and above != area:
                    found.add(layout.areas[above][0])
    return tuple(sorted(found))


def border_distance(layout: Layout, code: str, *, lon: float, lat: float) -> float:
    """Metres from a position to the border of an area."""
    border = shapely.boundary(on_plane(layout.geometry(area_of(layout, code)), lon=lon, lat=lat))
    return float(np.round(shapely.distance(border, shapely.Point(0.0, 0.0)), 4))
