"""Repairs as proposals: each with its effect in square metres, carried out only when chosen by its id.

The file is never touched. `apply` gives new features; what they replaced can be read from the effects.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import shapely

from geo.borders import LEVELS, Level
from geo.errors import GeoError
from geo.index.shapes import is_clean
from geo.reading import BorderFeature
from geo.review.covering import clean_coverage, longest_neighbour, on_lattice
from geo.review.findings import level_label
from geo.review.kinship import parent_of
from geo.review.surfaces import Sheet, is_sliver, polygonal, united
from geo.zones import square_metres, to_degrees

RULES = {
    "longest_border": "归公共边界最长的一方",
    "max_area": "归面积大的一方",
    "min_area": "归面积小的一方",
    "min_index": "归先列出的一方",
}


@dataclass(frozen=True)
class Effect:
    """What a repair does to one area."""

    code: str
    gained_m2: float
    lost_m2: float


@dataclass(frozen=True)
class Proposal:
    """One repair that can be chosen; `before` and `after` are the shapes it changes, by code."""

    id: str
    kind: str
    level: str
    message: str
    effects: tuple[Effect, ...]
    before: dict[str, Any] = field(repr=False, compare=False, default_factory=dict)
    after: dict[str, Any] = field(repr=False, compare=False, default_factory=dict)

    @property
    def moved_m2(self) -> float:
        return sum(e.gained_m2 + e.lost_m2 for e in self.effects)

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "kind": self.kind,
            "level": self.level,
            "message": self.message,
            "moved_m2": round(self.moved_m2, 2),
            "effects": [
                {"code": e.code, "gained_m2": round(e.gained_m2, 2), "lost_m2": round(e.lost_m2, 2)}
                for e in self.effects
            ],
        }


def propose(
    features: Sequence[BorderFeature],
    *,
    rule: str = "longest_border",
    gap_width_m: float = 30.0,
    snap_m: float = 0.1,
) -> list[Proposal]:
    """Repairs in the order they build on one another: rings, slivers, coverage, upper outlines.

    Each shows its effect on what the ones before it leave, so that choosing all of them adds up.
    """
    if rule not in RULES:
        raise GeoError(f"不认识规则“{rule}”,请用 {'、'.join(RULES)} 之一。")
    working, proposals = list(features), []
    for step in (
        _ring_proposals,
        _sliver_proposals,
        lambda some: _coverage_proposals(some, rule, gap_width_m, snap_m),
        _outline_proposals,
    ):
        for proposal in step(working):
            proposals.append(proposal)
            working = _with(working, proposal)
    return proposals


def apply(
    features: Sequence[BorderFeature], proposals: Sequence[Proposal], chosen: Collection[str]
) -> list[BorderFeature]:
    """The features after the chosen repairs; unknown ids are refused."""
    unknown = set(chosen) - {p.id for p in proposals}
    if unknown:
        raise GeoError(f"没有编号为 {'、'.join(sorted(unknown))} 的修复建议,请重新生成建议。")
    working = list(features)
    for proposal in proposals:
        if proposal.id in chosen:
            working = _with(working, proposal)
    return working


def _with(features: Sequence[BorderFeature], proposal: Proposal) -> list[BorderFeature]:
    return [
        replace(f, geometry=proposal.after[f.code])
        if f.code in proposal.after and str(f.level) == proposal.level
        else f
        for f in features
    ]


def _proposal(
    kind: str, name: str, level: str, message: str, before: dict[str, Any], after: dict[str, Any]
) -> Proposal | None:
    codes = [c for c in before if not shapely.equals_exact(before[c], after[c], 0.0)]
    if not codes:
        return None
    old = shapely.make_valid(np.array([before[c] for c in codes], dtype=object))
    new = np.array([after[c] for c in codes], dtype=object)
    gained = square_metres(polygonal(shapely.difference(new, old)))
    lost = square_metres(polygonal(shapely.difference(old, new)))
    effects = tuple(Effect(c, float(g), float(m)) for c, g, m in zip(codes, gained, lost, strict=True))
    changed = {c: before[c] for c in codes}, {c: after[c] for c in codes}
    return Proposal(f"{kind}:{name}", kind, level, message, effects, *changed)


def _levels(features: Sequence[BorderFeature]) -> dict[str, list[BorderFeature]]:
    """Features by level, those that are areas with a code."""
    found: dict[str, list[BorderFeature]] = {}
    for level in LEVELS:
        members = [f for f in features if f.level == level and f.code and not f.kind]
        if members:
            found[str(level)] = members
    return found


def _ring_proposals(features: Sequence[BorderFeature]) -> list[Proposal]:
    """One for every broken polygon: cut where it crosses itself."""
    found = []
    for level, members in _levels(features).items():
        for feature in members:
            if feature.code and not shapely.is_valid(feature.geometry):
                mended = polygonal(
                    shapely.make_valid(feature.geometry, method="structure", keep_collapsed=False)
                )[0]
                message = f"修复{feature.name}({feature.code})自相交的环。"
                one = _proposal("make_valid", feature.code, level, message, {feature.code: feature.geometry}, {feature.code: on_lattice(mended)})  # fmt: skip
                found += [one] if one else []
    return found


def _sliver_proposals(features: Sequence[BorderFeature]) -> list[Proposal]:
    """One for every feature with sliver parts: give each to the neighbour it shares most border with."""
    found = []
    for level, members in _levels(features).items():
        sheet = _sheet(level, members)
        tree = shapely.STRtree(sheet.plane)
        plane = dict(enumerate(sheet.plane))
        for i in np.flatnonzero(shapely.get_num_geometries(sheet.plane) > 1).tolist():
            parts = sorted(shapely.get_parts(sheet.plane[i]), key=lambda p: -p.area)
            kept, changed = [parts[0]], {i}
            for part in parts[1:]:
                heir = longest_neighbour(tree, sheet.plane, part, i) if is_sliver(part) else None
                if heir is None:
                    kept.append(part)
                    continue
                plane[heir] = shapely.union(plane[heir], part)
                changed.add(heir)
            if len(changed) > 1:
                plane[i] = kept[0] if len(kept) == 1 else shapely.MultiPolygon(kept)
                before = {sheet.codes[c]: members[c].geometry for c in sorted(changed)}
                after = {
                    sheet.codes[c]: on_lattice(to_degrees(polygonal(plane[c])[0], epsg=sheet.epsg))
                    for c in sorted(changed)
                }
                message = f"把{sheet.who(i)}的碎片并入相邻区域。"
                one = _proposal("sliver", sheet.codes[i], level, message, before, after)
                found += [one] if one else []
    return found


def _coverage_proposals(
    features: Sequence[BorderFeature], rule: str, gap_width_m: float, snap_m: float
) -> list[Proposal]:
    """One for every level that is no clean partition and is not simply the sum of a finer one."""
    found = []
    for level, members in _levels(features).items():
        if _children_of(features, level):
            continue
        drawn = np.array([f.geometry for f in members], dtype=object)
        if is_clean(drawn):
            continue
        cleaned = clean_coverage(
            drawn, _sheet(level, members).epsg, rule=rule, gap_width_m=gap_width_m, snap_m=snap_m
        )
        codes = [f.code or "" for f in members]
        message = f"{level_label(level)}:对齐 {snap_m} 米内的顶点,填补窄于 {gap_width_m:g} 米的缝隙,重叠{RULES[rule]}。"
        one = _proposal("coverage", level, level, message, dict(zip(codes, drawn, strict=True)), dict(zip(codes, cleaned, strict=True)))  # fmt: skip
        found += [one] if one else []
    return found


def _outline_proposals(features: Sequence[BorderFeature]) -> list[Proposal]:
    """One for every level with children: outlines drawn anew as the sum of their children."""
    found = []
    for level in reversed(LEVELS):
        members = _levels(features).get(str(level), [])
        children = _children_of(features, str(level))
        before, after = {}, {}
        for feature in members:
            below = children.get(feature.code or "")
            if below and feature.code:
                drawn = np.array([c.geometry for c in below], dtype=object)
                total = united(drawn, clean=is_clean(drawn))
                before[feature.code], after[feature.code] = feature.geometry, total
        one = _proposal(
            "outline", str(level), str(level), f"{level_label(level)}轮廓按下级之和重画。", before, after
        )
        if one:
            found.append(one)
            features = _with(features, one)
    return found


def _children_of(features: Sequence[BorderFeature], level: str) -> dict[str, list[BorderFeature]]:
    """Direct children by code of their parent, for parents of this level."""
    known = {f.code: f for f in features if f.code}
    children: dict[str, list[BorderFeature]] = {}
    for feature in features:
        above = parent_of(feature, known)
        if above in known and known[above].level == level and above != feature.code and not feature.kind:
            children.setdefault(above, []).append(feature)
    return children


def _sheet(level: str, members: Sequence[BorderFeature]) -> Sheet:
    return Sheet.of(
        level,
        [m.code or "" for m in members],
        [m.name or "无名" for m in members],
        np.array([m.geometry for m in members], dtype=object),
    )


def levels_are_clean(features: Sequence[BorderFeature]) -> dict[str, bool]:
    """For every level whether it is a clean partition."""
    return {
        level: is_clean(np.array([m.geometry for m in members], dtype=object))
        for level, members in _levels(features).items()
        if Level(level)
    }
