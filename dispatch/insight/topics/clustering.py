"""Density clusters of points in space and time (DBSCAN): whoever has enough others near in both belongs together.

Near points are found by Shapely's tree, what hangs together by NetworkX; a point is a core point when at least
`least` points (itself included) lie within the distance and the time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import cos, radians
from typing import Generic, TypeVar

import networkx
import numpy as np
import shapely

METRES_PER_DEGREE = 111_320.0
Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Placed(Generic[Thing]):
    """Something with a place (WGS-84) and an instant."""

    thing: Thing
    lon: float
    lat: float
    at: datetime


def clusters(
    points: Sequence[Placed[Thing]], *, distance_m: float, within: timedelta, least: int
) -> list[list[Placed[Thing]]]:
    """The clusters, each in order of time; what is near nothing is in none. The same points give the same clusters."""
    if len(points) < least:
        return []
    middle = radians(sum(point.lat for point in points) / len(points))
    scale = np.array([METRES_PER_DEGREE * cos(middle), METRES_PER_DEGREE])
    metres = np.array([[point.lon, point.lat] for point in points]) * scale
    shapes = shapely.points(metres)
    left, right = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=distance_m)
    near: list[list[int]] = [[] for _ in points]
    for one, other in zip(left.tolist(), right.tolist(), strict=True):
        if abs(points[one].at - points[other].at) <= within:
            near[one].append(other)
    core = {number for number, others in enumerate(near) if len(others) >= least}
    graph: networkx.Graph[int] = networkx.Graph()
    graph.add_nodes_from(core)
    graph.add_edges_from((one, other) for one in core for other in near[one] if other in core)
    found = []
    taken: set[int] = set()
    for part in sorted(networkx.connected_components(graph), key=min):
        members = set(part) | {other for one in part for other in near[one] if other not in core}
        members -= taken
        taken |= members
        found.append(sorted((points[number] for number in members), key=lambda point: point.at))
    return found
