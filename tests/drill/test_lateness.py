"""Lateness counts from when what fires timers was there again, and in running from when they were due."""

from datetime import UTC, datetime, timedelta

from tests.drill.lateness import Outage, measured

BEGAN = datetime(2026, 3, 2, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def test_what_waited_for_a_part_counts_from_its_return() -> None:
    outages = [
        Outage("sweeper", at(10), at(14)),
        Outage("postgres", at(13), at(20)),
        Outage("web", at(0), at(99)),
    ]
    fired = [(at(1), at(4)), (at(12), at(21)), (at(9), at(20.5)), (at(30), at(31))]
    late = measured(fired, outages)
    assert (late.running_p99_s, late.running_max_s) == (3.0, 3.0)
    assert (late.after_back, late.after_back_max_s) == (2, 1.0)
    assert late.in_all_max_s == 11.5
