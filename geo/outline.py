"""Where the Chinese map offset applies: a coarse outline, deliberately generous seawards and at land borders.

It decides one thing only, whether a coordinate is encoded as GCJ-02, and is no statement about any border.
Land part after Natural Earth 1:110m (public domain), moved outwards by about 30 km and simplified.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

OUTLINE: tuple[tuple[float, float], ...] = (
    (73.3, 38.3), (73.3, 40.2), (74.7, 40.9), (76.3, 41.0), (76.7, 41.6), (78.0, 41.7), (79.7, 42.5),
    (79.7, 43.1), (80.1, 44.9), (79.5, 45.3), (82.2, 46.0), (82.8, 47.9), (85.0, 47.6), (85.3, 48.9),
    (87.7, 49.7), (88.5, 49.0), (90.6, 48.2), (91.4, 47.2), (91.2, 45.7), (93.5, 45.4), (95.6, 44.7),
    (96.6, 43.2), (100.9, 43.1), (105.0, 42.2), (110.3, 43.3), (111.2, 43.9), (110.8, 44.6), (111.7, 45.6),
    (113.4, 45.3), (117.3, 47.1), (118.5, 47.2), (118.0, 47.5), (115.6, 47.2), (115.0, 48.2), (116.4, 50.3),
    (117.9, 50.1), (118.8, 50.5), (120.2, 52.2), (119.7, 53.0), (120.8, 53.8), (123.6, 54.0), (126.2, 53.3),
    (128.1, 50.2), (129.7, 49.9), (131.0, 49.1), (131.3, 48.3), (135.1, 49.0), (135.6, 48.5), (133.5, 44.8),
    (131.7, 44.7), (131.6, 42.8), (130.9, 42.2), (130.1, 42.6), (128.5, 41.6), (128.3, 41.1), (126.9, 41.3),
    (124.7, 39.7), (124.1, 39.0), (123.5, 38.0), (123.4, 36.0), (123.4, 33.0), (123.8, 30.0), (124.2, 26.6),
    (123.9, 25.4), (122.6, 24.3), (121.6, 21.4), (119.5, 19.5), (119.3, 15.0), (118.9, 11.0), (116.3, 8.0),
    (113.0, 4.0), (111.0, 4.0), (110.4, 7.5), (110.5, 14.0), (109.4, 16.8), (107.8, 18.2), (107.6, 20.2),
    (107.9, 21.3), (106.7, 21.6), (106.3, 22.3), (105.3, 22.7), (103.9, 22.3), (102.3, 22.2), (102.0, 20.9),
    (99.0, 21.6), (99.0, 22.6), (98.5, 22.8), (98.2, 23.6), (97.5, 23.4), (97.1, 23.9), (97.2, 25.3),
    (98.1, 26.2), (98.1, 27.2), (97.5, 27.5), (96.5, 27.0), (95.0, 26.4), (93.2, 26.6), (91.9, 26.6),
    (91.4, 27.2), (90.0, 27.7), (89.1, 27.0), (88.6, 27.1), (88.3, 27.7), (86.6, 27.7), (85.7, 27.7),
    (84.6, 28.3), (82.2, 29.7), (81.0, 29.7), (79.3, 30.5), (78.2, 31.3), (77.9, 32.7), (78.5, 32.9),
    (78.3, 34.1), (77.5, 35.1), (75.8, 35.6), (74.5, 37.1), (74.2, 38.1),
)  # fmt: skip

# Rectangles wholly inside, so that nearly every real point is decided by a few comparisons.
INSIDE: tuple[tuple[float, float, float, float], ...] = (
    (106.5, 23.0, 117.0, 41.5),
    (117.0, 25.0, 122.0, 41.5),
    (108.6, 18.0, 111.5, 23.0),
    (99.5, 26.0, 106.5, 41.5),
    (80.5, 36.0, 95.0, 43.0),
    (120.5, 41.8, 126.0, 47.0),
)

_EDGES = tuple(
    (ax, ay, bx, by) if ay < by else (bx, by, ax, ay)
    for (ax, ay), (bx, by) in zip(OUTLINE, OUTLINE[1:] + OUTLINE[:1], strict=True)
    if ay != by
)


def in_china(*, lon: float, lat: float) -> bool:
    """Whether the offset applies at a WGS-84 position."""
    for west, south, east, north in INSIDE:
        if west <= lon <= east and south <= lat <= north:
            return True
    odd = False
    for ax, ay, bx, by in _EDGES:
        if ay <= lat < by and (lon - ax) * (by - ay) >= (lat - ay) * (bx - ax):
            odd = not odd
    return odd


def in_china_array(*, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.bool_]:
    """`in_china` for arrays; the answers are the same bit for bit."""
    odd = np.zeros(np.shape(lon), dtype=bool)
    for ax, ay, bx, by in _EDGES:
        odd ^= (ay <= lat) & (lat < by) & ((lon - ax) * (by - ay) >= (lat - ay) * (bx - ax))
    return odd | _in_any(INSIDE, lon, lat)


def _in_any(
    boxes: Sequence[tuple[float, float, float, float]], lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> NDArray[np.bool_]:
    hit = np.zeros(np.shape(lon), dtype=bool)
    for west, south, east, north in boxes:
        hit |= (west <= lon) & (lon <= east) & (south <= lat) & (lat <= north)
    return hit
