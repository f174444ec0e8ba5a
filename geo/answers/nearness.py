"""How near is a border: plain Python over the few cells around a point, since most answers are "far"."""

import math
from collections.abc import Callable

from geo.index.file import IndexFile
from geo.index.shapes import PER_DEGREE
from geo.metres import metres_per_degree


def border_finder(file: IndexFile) -> Callable[[int, int, float, float], float | None]:
    """A function of `x, y, lat, within_m` to the metres to the nearest border of an area.

    None when it is farther than `within_m`. An edge that passes a cell between two rows of the lattice is
    recorded in the next cell only, hence the two spare units around the box searched.
    """
    header = file.header
    shift, columns, width, height = (header[n] for n in ("shift", "columns", "width", "height"))
    area_edges, last = header["area_edges"], (1 << header["shift"]) - 1
    coarse, cells, record_at = file.view("coarse"), file.view("cells"), file.view("record_at")
    numbers, line = file.view("records").cast("B").cast("i"), file.view("edge_line")

    def edges_within(west: int, south: int, east: int, north: int) -> set[int]:
        found: set[int] = set()
        add = found.update
        for j in range(south >> shift, (north >> shift) + 1):
            bottom = j << shift
            low, high = max(south - bottom, 0), min(north - bottom, last)
            for i in range(west >> shift, (east >> shift) + 1):
                packed = coarse[j * columns + i]
                bits = packed & 31
                split = shift - bits
                left = i << shift
                first = (packed >> 5) + (max(west - left, 0) >> bits)
                until = (packed >> 5) + (min(east - left, last) >> bits) + 1
                for row in range(low >> bits, (high >> bits) + 1):
                    for value in cells[first + (row << split) : until + (row << split)]:
                        if value < 0:
                            add(numbers[record_at[~value] * 2 + 1 : record_at[-value] * 2 : 2])
        return found

    def near(x: int, y: int, lat: float, within_m: float) -> float | None:
        east_m, north_m = metres_per_degree(lat=lat)
        east_m /= PER_DEGREE
        north_m /= PER_DEGREE
        reach_x, reach_y = int(within_m / east_m) + 2, int(within_m / north_m) + 2
        west, south = x - reach_x, y - reach_y
        east, north = x + reach_x, y + reach_y
        found = edges_within(
            west if west > 0 else 0,
            south if south > 0 else 0,
            east if east < width else width,
            north if north < height else height,
        )
        nearest, any_near = within_m * within_m, False
        for number in found:
            edge = number if number >= 0 else ~number
            if edge >= area_edges:
                continue
            ax, ay, dx, dy = line[edge * 4 : edge * 4 + 4]
            px, py, vx, vy = (x - ax) * east_m, (y - ay) * north_m, dx * east_m, dy * north_m
            length = vx * vx + vy * vy
            if length:
                along = (px * vx + py * vy) / length
                if along > 0.0:
                    along = 1.0 if along > 1.0 else along
                    px -= along * vx
                    py -= along * vy
            squared = px * px + py * py
            if squared <= nearest:
                nearest, any_near = squared, True
        return math.sqrt(nearest) if any_near else None

    return near
