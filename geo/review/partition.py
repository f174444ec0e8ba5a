"""Which areas have to tile: those without children, whatever their level; upper areas are the sum of theirs."""

from collections.abc import Sequence

import numpy as np
import shapely

from geo.borders import LEVELS
from geo.reading import BorderFeature
from geo.review.kinship import parent_of
from geo.review.surfaces import polygonal

_MOSTLY = 0.5


def children_at(features: Sequence[BorderFeature]) -> dict[int, list[int]]:
    """Places of the direct children of each area, by its place in the set."""
    known = {f.code: f for f in features if f.code and not f.kind}
    at = {f.code: i for i, f in enumerate(features) if f.code and not f.kind}
    children: dict[int, list[int]] = {}
    for i, feature in enumerate(features):
        if feature.kind or not feature.level:
            continue
        above = known.get(parent_of(feature, known) or "")
        if above is None or above.level is None or above is feature:
            continue
        if LEVELS.index(above.level) < LEVELS.index(feature.level):
            children.setdefault(at[str(above.code)], []).append(i)
    return children


def partitions(features: Sequence[BorderFeature]) -> list[list[int]]:
    """Sets of areas each of which must tile without gap or overlap.

    Areas of several levels belong together when some have children and some have not (a street without
    communities beside streets with them). Areas that finer ones cover without being their parents are a set
    of their own.
    """
    parents = children_at(features)
    ends: dict[str, list[int]] = {}
    for i, feature in enumerate(features):
        if feature.level and not feature.kind and i not in parents:
            ends.setdefault(str(feature.level), []).append(i)
    found: list[list[int]] = []
    for level in reversed(LEVELS):
        members = ends.get(str(level), [])
        if members and not found:
            found.append(members)
        elif members:
            apart = _mostly_covered(features, members, found[0])
            found[0] = sorted(
                [i for i, covered in zip(members, apart, strict=True) if not covered] + found[0]
            )
            rest = [i for i, covered in zip(members, apart, strict=True) if covered]
            found += [rest] if rest else []
    return found


def _mostly_covered(
    features: Sequence[BorderFeature], members: Sequence[int], finer: Sequence[int]
) -> list[bool]:
    drawn, below = (np.array([features[i].geometry for i in some], dtype=object) for some in (members, finer))
    drawn, below = (
        np.where(shapely.is_valid(some), some, polygonal(shapely.make_valid(some))) for some in (drawn, below)
    )
    left, right = shapely.STRtree(below).query(drawn)
    common = shapely.area(shapely.intersection(drawn[left], below[right]))
    covered = np.bincount(left, weights=common, minlength=len(drawn))
    return [bool(v) for v in covered > _MOSTLY * shapely.area(drawn)]
