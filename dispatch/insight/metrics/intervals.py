"""Rates that say how sure they are: Wilson's interval at 95 %, and no rate at all below thirty."""

import math
from dataclasses import dataclass

from dispatch.insight.metrics.registry import LEAST_FOR_RATE

Z_95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Value:
    """A number as it may be shown: how many of how many, and the rate where there is one."""

    number: float
    of: int | None = None

    @property
    def shows_rate(self) -> bool:
        return self.of is not None and self.of >= LEAST_FOR_RATE

    @property
    def rate(self) -> float | None:
        return self.number / self.of if self.shows_rate and self.of else None

    @property
    def interval(self) -> tuple[float, float] | None:
        return wilson(self.number, self.of) if self.shows_rate and self.of else None

    @property
    def count(self) -> str:
        """The number itself: a whole one unless a weight made it otherwise."""
        return f"{self.number:.0f}" if float(self.number).is_integer() else f"{self.number:.1f}"


def wilson(number: float, of: int) -> tuple[float, float]:
    """Wilson's score interval of a share, without continuity correction."""
    share, squared = number / of, Z_95 * Z_95
    middle = share + squared / (2 * of)
    half = Z_95 * math.sqrt(share * (1 - share) / of + squared / (4 * of * of))
    whole = 1 + squared / of
    return max(0.0, (middle - half) / whole), min(1.0, (middle + half) / whole)
