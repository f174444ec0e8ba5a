"""The answer to "where is this point": a plain value that can be stored and explained."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from geo.frames import Frame


class Candidate(NamedTuple):
    """A finest area that the accuracy circle touches, and the part of the circle that lies in it."""

    code: str
    share: float


class Placed(NamedTuple):
    """Where a point lies. Immutable.

    `how` is `inside`, `on_border` (an edge or corner: the half-open rule gave it to exactly one area),
    `snapped` (in a gap of at most 30 m: the nearest area), `gap` or `outside` (no finest area).
    `border_distance_m` is worked out when an accuracy is given, and is None beyond the distance looked at.
    """

    lon: float
    lat: float
    frame: Frame
    accuracy_m: float | None
    codes: Mapping[str, str]
    overlays: tuple[str, ...]
    on_border: bool
    border_distance_m: float | None
    candidates: tuple[Candidate, ...]
    how: str
    nearest: str | None
    distance_m: float | None
    reason: str
    generation: str

    @property
    def finest(self) -> str | None:
        """Code of the finest area the point was given to."""
        return next(reversed(list(self.codes.values())), None)

    def to_json(self) -> dict[str, Any]:
        """Plain values for storage."""
        plain = self._asdict()
        plain["frame"] = str(self.frame)
        plain["codes"] = {str(level): code for level, code in self.codes.items()}
        plain["overlays"] = list(self.overlays)
        plain["candidates"] = [{"code": c.code, "share": round(c.share, 6)} for c in self.candidates]
        return plain
