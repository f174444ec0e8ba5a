"""Percentiles of single calls, steady medians of long ones, arms interleaved in rounds."""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def percentiles(
    call: Callable[[float, float], Any], points: Sequence[tuple[float, float]]
) -> tuple[float, float]:
    """p50 and p99 in microseconds, one call at a time."""
    took = np.empty(len(points))
    clock = time.perf_counter_ns
    for i, (lon, lat) in enumerate(points):
        start = clock()
        call(lon, lat)
        took[i] = clock() - start
    return float(np.percentile(took, 50)) / 1e3, float(np.percentile(took, 99)) / 1e3


def seconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def steady_seconds(call: Callable[[], Any]) -> float:
    """Median of as many calls as fit into a second (at most seven), so that a hiccup is not the answer."""
    took = [seconds(call)]
    while sum(took) < 1.0 and len(took) < 7:
        took.append(seconds(call))
    return statistics.median(took)


def interleaved(arms: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[Any]]:
    """Every arm once per round, so that a noisy minute hits them all."""
    results: dict[str, list[Any]] = {name: [] for name in arms}
    for _ in range(rounds):
        for name, arm in arms.items():
            results[name].append(arm())
    return results


def ratio(theirs: Sequence[float], ours: Sequence[float]) -> float:
    return statistics.median(t / o for t, o in zip(theirs, ours, strict=True))
