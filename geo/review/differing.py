"""Two border sets compared: what was split, merged, moved, renamed, and how much ground and weight changed hands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from geo.borders import LEVELS, AreaShape, OverlayShape
from geo.review.findings import level_label
from geo.review.surfaces import polygonal
from geo.zones import square_metres, to_zone, zone_at

OVERLAY = "overlay"
_LEAST_M2 = 1.0
_MOST = 0.9  # of an area, for "the same" or "all of it went there"
_SHARE = 0.02  # of an area, below which a transfer is a trimmed edge

LABELS = {
    "unchanged": "未变", "renamed": "改名", "recoded": "换码", "moved": "边界调整", "split": "拆分",
    "merged": "合并", "created": "新设", "removed": "撤销", "reranked": "改优先级或类型",
}  # fmt: skip


@dataclass(frozen=True)
class Transfer:
    """Ground (and weight, in proportion to area) that went from one code to another."""

    level: str
    source: str | None
    target: str | None
    area_m2: float
    weight: float | None


@dataclass(frozen=True)
class Change:
    """What happened to an area, or to several together."""

    kind: str
    level: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    message: str
    area_m2: float

    @property
    def label(self) -> str:
        return LABELS[self.kind]


@dataclass(frozen=True)
class BorderDiff:
    """Changes of all levels, and who gave how much to whom."""

    changes: tuple[Change, ...]
    transfers: tuple[Transfer, ...]

    def counts(self) -> dict[str, int]:
        return {k: n for k in LABELS if (n := sum(c.kind == k for c in self.changes))}

    def to_json(self) -> dict[str, Any]:
        return {
            "counts": self.counts(),
            "changes": [
                {
                    "kind": c.kind, "label": c.label, "level": c.level, "before": list(c.before),
                    "after": list(c.after), "message": c.message, "area_m2": round(c.area_m2, 1),
                }
                for c in self.changes if c.kind != "unchanged"
            ],
            "transfers": [
                {
                    "level": t.level, "from": t.source, "to": t.target, "area_m2": round(t.area_m2, 1),
                    "weight": None if t.weight is None else round(t.weight, 3),
                }
                for t in self.transfers
            ],
        }  # fmt: skip


def diff_borders(
    before: Sequence[AreaShape], after: Sequence[AreaShape], *, weights: Mapping[str, float] | None = None
) -> BorderDiff:
    """Compare level by level; `weights` (population, tickets a day) are by code of the old areas."""
    changes: list[Change] = []
    transfers: list[Transfer] = []
    for level in LEVELS:
        old = [a for a in before if a.level == level and a.geometry is not None]
        new = [a for a in after if a.level == level and a.geometry is not None]
        if old or new:
            one, other = _Level(str(level), old, new, weights or {}).compared()
            changes += one
            transfers += other
    return BorderDiff(tuple(changes), tuple(transfers))


def diff_overlays(before: Sequence[OverlayShape], after: Sequence[OverlayShape]) -> tuple[Change, ...]:
    """Management surfaces compared by their codes; they lie across each other, so nothing is split or merged."""
    old, new = {one.code: one for one in before}, {one.code: one for one in after}
    found = []
    for code in sorted({*old, *new}):
        was, now = old.get(code), new.get(code)
        if was is not None and now is not None:
            found.append(_same_overlay(was, now))
        elif now is not None:
            message = f"新设叠加面{now.name}({code})。"
            found.append(Change("created", OVERLAY, (), (code,), message, _size(now.geometry)))
        elif was is not None:
            message = f"撤销叠加面{was.name}({code})。"
            found.append(Change("removed", OVERLAY, (code,), (), message, _size(was.geometry)))
    order = list(LABELS)
    return tuple(sorted(found, key=lambda change: order.index(change.kind)))


def _same_overlay(was: OverlayShape, now: OverlayShape) -> Change:
    both, moved = (was.code,), _size(shapely.symmetric_difference(was.geometry, now.geometry))
    if moved >= _LEAST_M2:
        message = f"叠加面{now.name}({now.code})边界调整,进出共 {moved:,.0f} 平方米。"
        return Change("moved", OVERLAY, both, both, message, moved)
    if (was.priority, was.kind) != (now.priority, now.kind):
        message = f"叠加面{now.name}({now.code})由 {was.kind} {was.priority} 改为 {now.kind} {now.priority}。"
        return Change("reranked", OVERLAY, both, both, message, 0.0)
    if was.name != now.name:
        message = f"叠加面 {now.code} 由“{was.name}”改名为“{now.name}”。"
        return Change("renamed", OVERLAY, both, both, message, 0.0)
    return Change("unchanged", OVERLAY, both, both, f"叠加面{now.name}未变。", 0.0)


def _size(geometry: Any) -> float:
    return 0.0 if geometry.is_empty else float(square_metres(geometry))


class _Level:
    def __init__(
        self, level: str, old: Sequence[AreaShape], new: Sequence[AreaShape], weights: Mapping[str, float]
    ) -> None:
        self.level, self.old, self.new, self.weights = level, old, new, weights
        middle = shapely.total_bounds([a.geometry for a in (*old, *new)])
        epsg = 4534 + zone_at(lon=float(middle[0] + middle[2]) / 2) - 25
        self.old_plane, self.new_plane = (self._plane(some, epsg) for some in (old, new))
        self.old_area, self.new_area = shapely.area(self.old_plane), shapely.area(self.new_plane)
        self.of_old: dict[int, list[int]] = {}
        self.of_new: dict[int, list[int]] = {}

    @staticmethod
    def _plane(areas: Sequence[AreaShape], epsg: int) -> Any:
        if not areas:
            return np.zeros(0, dtype=object)
        drawn = to_zone(np.array([a.geometry for a in areas], dtype=object), epsg=epsg)
        return np.where(shapely.is_valid(drawn), drawn, polygonal(shapely.make_valid(drawn)))

    def compared(self) -> tuple[list[Change], list[Transfer]]:
        pairs = self._pairs()
        for i, j in pairs:
            self.of_old.setdefault(i, []).append(j)
            self.of_new.setdefault(j, []).append(i)
        transfers = self._transfers(pairs)
        changes = self._merges_and_splits(pairs)
        told_old = {c for change in changes for c in change.before}
        told_new = {c for change in changes for c in change.after}
        by_code = {a.code: j for j, a in enumerate(self.new)}
        for i, area in enumerate(self.old):
            if area.code in told_old:
                continue
            heir_at = by_code.get(area.code)
            successor = self._successor(i, pairs) if heir_at is None else None
            if heir_at is not None:
                changes.append(self._same_code(i, heir_at, pairs))
                told_new.add(area.code)
            elif successor is not None and self.new[successor].code not in told_new:
                heir = self.new[successor]
                told_new.add(heir.code)
                message = f"{area.name} {area.code} 换码为 {heir.code}({heir.name})。"
                changes.append(self._change("recoded", (area.code,), (heir.code,), message, 0.0))
            else:
                message = f"{level_label(self.level)}{area.name}({area.code})撤销。"
                changes.append(self._change("removed", (area.code,), (), message, float(self.old_area[i])))
        for j, area in enumerate(self.new):
            if area.code not in told_new:
                message = f"新设{level_label(self.level)}{area.name}({area.code})。"
                changes.append(self._change("created", (), (area.code,), message, float(self.new_area[j])))
        order = list(LABELS)
        return sorted(changes, key=lambda c: (order.index(c.kind), c.before, c.after)), transfers

    def _change(
        self, kind: str, before: tuple[str, ...], after: tuple[str, ...], message: str, area_m2: float
    ) -> Change:
        return Change(kind, self.level, before, after, message, area_m2)

    def _pairs(self) -> dict[tuple[int, int], float]:
        """Common area of every old and new polygon that overlap; what did not change is not cut with itself."""
        if not len(self.old_plane) or not len(self.new_plane):
            return {}
        left, right = shapely.STRtree(self.new_plane).query(self.old_plane)
        same = self._untouched(left, right)
        old_same, new_same = (np.zeros(n, dtype=bool) for n in (len(self.old), len(self.new)))
        old_same[left[same]], new_same[right[same]] = True, True
        cut = ~(old_same[left] & new_same[right])
        kept = {
            (int(i), int(j)): float(self.old_area[i]) for i, j in zip(left[same], right[same], strict=True)
        }
        return kept | self._cut(left[cut], right[cut])

    def _untouched(self, left: Any, right: Any) -> Any:
        """Pairs of one code and one shape."""
        codes = [self.old[i].code == self.new[j].code for i, j in zip(left, right, strict=True)]
        return np.array(codes, dtype=bool) & shapely.equals_exact(
            self.old_plane[left], self.new_plane[right], 0.0
        )

    def _cut(self, left: Any, right: Any) -> dict[tuple[int, int], float]:
        common = shapely.area(shapely.intersection(self.old_plane[left], self.new_plane[right]))
        return {
            (int(i), int(j)): float(a) for i, j, a in zip(left, right, common, strict=True) if a >= _LEAST_M2
        }

    def _transfers(self, pairs: dict[tuple[int, int], float]) -> list[Transfer]:
        found = []
        kept = dict.fromkeys(range(len(self.old)), 0.0)
        filled = dict.fromkeys(range(len(self.new)), 0.0)
        for (i, j), area_m2 in pairs.items():
            kept[i] += area_m2
            filled[j] += area_m2
            if self.old[i].code != self.new[j].code:
                found.append(self._transfer(i, self.old[i].code, self.new[j].code, area_m2))
        for i, area_m2 in kept.items():
            if self.old_area[i] - area_m2 >= _LEAST_M2:
                found.append(self._transfer(i, self.old[i].code, None, float(self.old_area[i]) - area_m2))
        for j, area_m2 in filled.items():
            if self.new_area[j] - area_m2 >= _LEAST_M2:
                gain = float(self.new_area[j]) - area_m2
                found.append(Transfer(self.level, None, self.new[j].code, gain, None))
        return sorted(found, key=lambda t: (-t.area_m2, t.source or "", t.target or ""))

    def _transfer(self, i: int, source: str, target: str | None, area_m2: float) -> Transfer:
        weight = self.weights.get(source)
        share = area_m2 / float(self.old_area[i])
        return Transfer(self.level, source, target, area_m2, None if weight is None else weight * share)

    def _merges_and_splits(self, pairs: dict[tuple[int, int], float]) -> list[Change]:
        changes = []
        for i, area in enumerate(self.old):
            parts = [j for j in self.of_old.get(i, ()) if pairs[i, j] > _MOST * self.new_area[j]]
            covered = sum(pairs[i, j] for j in parts)
            if len(parts) >= 2 and covered > _MOST * self.old_area[i]:
                codes = tuple(sorted(self.new[j].code for j in parts))
                message = f"{area.name}({area.code})拆分为 {'、'.join(codes)}。"
                changes.append(self._change("split", (area.code,), codes, message, float(self.old_area[i])))
        for j, area in enumerate(self.new):
            parts = [i for i in self.of_new.get(j, ()) if pairs[i, j] > _MOST * self.old_area[i]]
            covered = sum(pairs[i, j] for i in parts)
            if len(parts) >= 2 and covered > _MOST * self.new_area[j]:
                codes = tuple(sorted(self.old[i].code for i in parts))
                message = f"{'、'.join(codes)} 合并为{area.name}({area.code})。"
                changes.append(self._change("merged", codes, (area.code,), message, float(self.new_area[j])))
        return changes

    def _successor(self, i: int, pairs: dict[tuple[int, int], float]) -> int | None:
        """The new area under another code that is the same ground."""
        for j in self.of_old.get(i, ()):
            if pairs[i, j] > _MOST * max(self.old_area[i], self.new_area[j]):
                return j
        return None

    def _same_code(self, i: int, j: int, pairs: dict[tuple[int, int], float]) -> Change:
        old, new = self.old[i], self.new[j]
        common = pairs.get((i, j), 0.0)
        moved = float(self.old_area[i]) + float(self.new_area[j]) - 2 * common
        if moved >= _LEAST_M2:
            much = "" if moved > _SHARE * self.old_area[i] else "(微调)"
            message = f"{new.name}({new.code})边界调整{much},进出共 {moved:,.0f} 平方米。"
            return self._change("moved", (old.code,), (new.code,), message, moved)
        if old.name != new.name:
            message = f"{old.code} 由“{old.name}”改名为“{new.name}”。"
            return self._change("renamed", (old.code,), (new.code,), message, 0.0)
        return self._change("unchanged", (old.code,), (new.code,), f"{new.name}未变。", 0.0)
