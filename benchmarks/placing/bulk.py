"""A million points at once: all layers against GeoPandas and Shapely, one layer against PostGIS and DuckDB."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from benchmarks.placing.layers import Layers
from benchmarks.placing.timing import steady_seconds
from geo.borders import AreaShape, build_index
from geo.locating import Locator


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

    from benchmarks.placing.postgis import load_points

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
