"""Upper areas drawn anew as the sum of their children, from below upwards."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import shapely

from geo.borders import LEVELS
from geo.mending.covering import made_valid, on_lattice, rounded
from geo.mending.proposals import Effect, Proposal
from geo.reading import BorderFeature
from geo.review.findings import level_label
from geo.review.partition import children_at
from geo.review.surfaces import polygonal, united
from geo.zones import square_metres


def outline_proposals(features: Sequence[BorderFeature]) -> list[Proposal]:
    """One for every upper area whose own outline is not the sum of its children."""
    children = children_at(features)
    drawn = draw_outlines(features, children)
    differing = [
        at
        for at in _upwards(features, children)
        if not shapely.equals_exact(features[at].geometry, drawn[at].geometry, 0.0, normalize=True)
    ]
    if not differing:
        return []
    old = shapely.make_valid(np.array([features[at].geometry for at in differing], dtype=object))
    new = np.array([drawn[at].geometry for at in differing], dtype=object)
    gained = polygonal(shapely.difference(new, old))
    lost = polygonal(shapely.difference(old, new))
    proposals = []
    sizes = zip(square_metres(gained), square_metres(lost), strict=True)
    for k, (at, (more, less)) in enumerate(zip(differing, sizes, strict=True)):
        feature = features[at]
        code = feature.code or f"#{feature.number}"
        message = f"{level_label(str(feature.level))}{feature.name or '无名'}({code})的轮廓按下级之和重画。"
        pieces = [p for p in (*shapely.get_parts(gained[k]), *shapely.get_parts(lost[k])) if p.area > 1e-14]
        biggest = max(pieces, key=lambda p: float(p.area), default=new[k])
        proposals.append(
            Proposal(
                f"outline:{code}", "outline", str(feature.level), message, (Effect(code, more, less),),
                target={at: new[k]}, near=(at, *children[at][:12]), place=shapely.point_on_surface(biggest),
            )
        )  # fmt: skip
    return proposals


def draw_outlines(
    features: Sequence[BorderFeature],
    wanted: Collection[int],
    *,
    declined: Collection[int] = (),
) -> list[BorderFeature]:
    """The features with the wanted ones drawn as the sum of their children.

    `declined` are those that differ from their sum and stay as they are.
    """
    working = list(features)
    if not wanted:
        return working
    children = children_at(features)
    dirty = _untidy(features, children)
    for at in _upwards(features, children):
        untidy = not dirty.isdisjoint(children[at])
        if at in wanted:
            below = np.array([working[i].geometry for i in children[at]], dtype=object)
            working[at] = replace(working[at], geometry=_sum(below, clean=not untidy))
        if untidy or at in declined:
            dirty.add(at)
    return working


def _untidy(features: Sequence[BorderFeature], children: dict[int, list[int]]) -> set[int]:
    """Areas at the bottom that do not meet their neighbours edge to edge, so that summing them takes longer."""
    ends = sorted({i for below in children.values() for i in below if i not in children})
    drawn = on_lattice(np.array([features[i].geometry for i in ends], dtype=object))
    untidy = ~shapely.is_valid(drawn) | ~shapely.is_empty(shapely.coverage_invalid_edges(drawn))
    return {ends[k] for k in np.flatnonzero(untidy).tolist()}


def _upwards(features: Sequence[BorderFeature], places: Iterable[int]) -> list[int]:
    return sorted(places, key=lambda at: (-LEVELS.index(features[at].level or LEVELS[0]), at))


def _sum(drawn: Any, *, clean: bool) -> Any:
    if not clean:
        drawn = made_valid(drawn)
    return rounded(polygonal(united(drawn, clean=clean))[0])
