"""What a repair proposal is: a sentence, its effect in square metres, and the ground that would change hands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import shapely

from geo.review.surfaces import polygonal

KINDS = {
    "make_valid": "修复破损的环",
    "sliver": "碎片并入相邻区域",
    "overlap": "消除重叠",
    "gap": "填补缝隙",
    "align": "对齐边线",
    "outline": "重画上级轮廓",
}


@dataclass(frozen=True)
class Effect:
    """What a repair does to one area."""

    code: str
    gained_m2: float
    lost_m2: float


@dataclass(frozen=True)
class Move:
    """Ground that one feature (`at` is its place in the set) gains or loses."""

    at: int
    gained: bool
    ground: Any


@dataclass(frozen=True)
class Proposal:
    """One repair that can be chosen.

    A repair of a piece has `moves`; one that draws whole areas anew (`make_valid`, `align`, `outline`) has their
    new shapes as `target`, by place in the set. Pieces and the `align` of one partition share `partition`.
    `needs` are proposals without which this one cannot be carried out. `near` are features to draw beside it.
    """

    id: str
    kind: str
    level: str
    message: str
    effects: tuple[Effect, ...]
    needs: tuple[str, ...] = ()
    partition: int = -1
    moves: tuple[Move, ...] = field(default=(), repr=False, compare=False)
    target: Mapping[int, Any] = field(default_factory=dict, repr=False, compare=False)
    near: tuple[int, ...] = field(default=(), repr=False, compare=False)
    place: Any = field(default=None, repr=False, compare=False)

    @property
    def moved_m2(self) -> float:
        """Square metres gained and lost, each counted where it happens."""
        return sum(e.gained_m2 + e.lost_m2 for e in self.effects)

    def to_json(self) -> dict[str, Any]:
        """Plain values, with a point on the ground concerned."""
        return {
            "id": self.id,
            "kind": self.kind,
            "label": KINDS[self.kind],
            "level": self.level,
            "message": self.message,
            "needs": list(self.needs),
            "lon": None if self.place is None else round(self.place.x, 6),
            "lat": None if self.place is None else round(self.place.y, 6),
            "moved_m2": round(self.moved_m2, 2),
            "effects": [
                {"code": e.code, "gained_m2": round(e.gained_m2, 2), "lost_m2": round(e.lost_m2, 2)}
                for e in self.effects
            ],
        }


def moved(geometry: Any, moves: list[Move], *, back: bool = False) -> Any:
    """A shape after some moves of its ground, or before them."""
    lost = [m.ground for m in moves if m.gained == back]
    gained = [m.ground for m in moves if m.gained != back]
    if lost:
        geometry = shapely.difference(geometry, shapely.union_all(lost))
    if gained:
        geometry = shapely.union_all([geometry, *gained])
    return polygonal(geometry)[0]
