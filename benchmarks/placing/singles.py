"""One point at a time: codes of all layers, the whole `Placed`, one STRtree over the layers, PostGIS."""

from collections.abc import Callable
from typing import Any

import shapely

from benchmarks.placing.layers import Layers
from benchmarks.placing.timing import percentiles
from geo.locating import Locator


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


def postgis_single(connection: Any, layers: Layers, count: int) -> Callable[[], tuple[float, float]]:
    lon, lat = layers.points(count, seed=1)
    points = list(zip(lon.tolist(), lat.tolist(), strict=True))
    cursor = connection.cursor(binary=True)
    question = "select layer, number from shapes where ST_Intersects(shape, ST_Point(%s, %s))"

    def ask(lon: float, lat: float) -> Any:
        return cursor.execute(question, (lon, lat), prepare=True).fetchall()

    return lambda: percentiles(ask, points)
