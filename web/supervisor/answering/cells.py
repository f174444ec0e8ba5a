"""A number as pages show it: the count, the rate with its interval from thirty on, and the address of its tickets."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from dispatch.insight.metrics import counting
from dispatch.insight.metrics.intervals import Value
from dispatch.insight.metrics.registry import Metric
from web.supervisor.answering.asking import Asked


@dataclass(frozen=True)
class Cell:
    """A metric's value with the addresses of what it is made of."""

    metric: Metric
    value: Value
    number_href: str
    of_href: str | None

    @property
    def percent(self) -> str | None:
        return None if self.value.rate is None else f"{self.value.rate * 100:.1f}%"

    @property
    def interval(self) -> str | None:
        low_high = self.value.interval
        return None if low_high is None else f"{low_high[0] * 100:.1f}—{low_high[1] * 100:.1f}%"

    @property
    def charted(self) -> str:
        """What a chart draws: the rate, or the count where there is none."""
        if self.metric.denominator is None:
            return self.value.count
        return "" if self.value.rate is None else f"{self.value.rate * 100:.1f}"


def cell(asked: Asked, metric: Metric, counts: Counter[str], **at: Any) -> Cell:
    """The metric over these sums, in the row that `at` says."""
    keys = "+".join(key for key, _ in metric.numerator)
    return Cell(
        metric,
        counting.value(metric, counts),
        asked.address("supervisor.tickets", measure=keys, **at),
        asked.address("supervisor.tickets", measure=metric.denominator, **at) if metric.denominator else None,
    )
