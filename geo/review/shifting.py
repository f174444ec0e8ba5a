"""Is the file in another frame than it says? Compared with the former generation or the parents' outlines."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import shapely

from geo.frames import Frame, decode_geometry, encode_geometry
from geo.metres import on_plane
from geo.review.findings import Finding

_BETTER = 0.5
_LEAST_SHARE = 0.02
_ENOUGH = 12


def frame_findings(
    mine: Mapping[str, Any], reference: Mapping[str, Any], *, against: str
) -> Iterator[Finding]:
    """Compare shapes of equal code as they are, and as they would be if the frame were another."""
    common = sorted(set(mine) & set(reference))[:: max(1, len(set(mine) & set(reference)) // _ENOUGH)][
        :_ENOUGH
    ]
    if not common:
        return
    shapes = _valid([mine[c] for c in common])
    truth = _valid([reference[c] for c in common])
    plain = _difference(shapes, truth)
    if plain < _LEAST_SHARE:
        return
    guesses = {
        "GCJ-02": decode_geometry(shapes, frame=Frame.GCJ02),
        "BD-09": decode_geometry(shapes, frame=Frame.BD09),
        "被多转换了一次的 WGS-84": encode_geometry(shapes, frame=Frame.GCJ02),
    }
    scores = {name: _difference(_valid(list(moved)), truth) for name, moved in guesses.items()}
    best = min(scores, key=lambda name: scores[name])
    if scores[best] < _BETTER * plain:
        shift_m = _shift_m(shapes, truth)
        yield Finding(
            "frame_suspected",
            f"与{against}相差约 {shift_m:.0f} 米(不重合 {plain:.1%});若按{best}解读只差 {scores[best]:.1%},"
            "坐标系很可能标错,请核实后重新指定。",
            None,
            tuple(common),
        )


def _valid(shapes: list[Any]) -> Any:
    array = np.array(shapes, dtype=object)
    return np.where(shapely.is_valid(array), array, shapely.make_valid(array))


def _difference(shapes: Any, truth: Any) -> float:
    """Area that only one of the two covers, as a part of the area of both."""
    apart = shapely.area(shapely.symmetric_difference(shapes, truth)).sum()
    return float(apart / (shapely.area(shapes).sum() + shapely.area(truth).sum()))


def _shift_m(shapes: Any, truth: Any) -> float:
    moves = []
    for one, other in zip(shapes, truth, strict=True):
        middle = shapely.centroid(one)
        moved = on_plane(shapely.centroid(other), lon=middle.x, lat=middle.y)
        moves.append(float(np.hypot(moved.x, moved.y)))
    return float(np.median(moves))
