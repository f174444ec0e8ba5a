"""Whatever happens to tickets, the sums are what a slow count of the histories gives: now, and as of any past instant."""

from collections import Counter
from datetime import date, datetime
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dispatch.insight.metrics import counting
from dispatch.insight.metrics.measures import KEYS
from dispatch.insight.metrics.periods import Period, pieces
from dispatch.insight.metrics.slices import Slice
from dispatch.insight.rollups import keeping, recomputing
from tests.insight.twenty import fire_until
from tests.record.test_histories import History

ALWAYS = Period(date(2020, 1, 1), date(2030, 12, 31))
STEPS = 14


def test_sums_equal_a_slow_recomputation_as_of_any_instant(town_factory: Any) -> None:
    @settings(
        max_examples=6 if town_factory.kind == "sqlite" else 3,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def run(data: st.DataObject) -> None:
        with town_factory() as town:
            zone = town.world.settings.zone
            histories = [History(town, data.draw) for _ in range(3)]
            seen: list[tuple[datetime, Counter[str]]] = []
            for _ in range(STEPS):
                data.draw(st.sampled_from(histories)).step()
                fire_until(town, town.now)
                keeping.catch_up(town.database, zone, town.now)
                with town.database.reading() as session:
                    assert recomputing.mismatches(session, town.now, zone) == []
                    totals = counting.totals(session, Slice(ALWAYS), KEYS)
                seen.append((town.now, totals))
                town.later(minutes=7)
            with town.database.reading() as session:
                for at, totals in seen:
                    again = recomputing.count(session, at, zone, ALWAYS)
                    assert +again == +totals, at

    run()


@given(st.dates(date(2024, 1, 1), date(2026, 12, 31)), st.integers(1, 800))
def test_months_and_what_is_left_cover_a_period_once(first: date, days: int) -> None:
    period = Period(first, date.fromordinal(first.toordinal() + days - 1))
    parts = pieces(period)
    covered = Counter(day for part in (*parts.months, *parts.added) for day in _days(part))
    covered.subtract(day for part in parts.taken for day in _days(part))
    assert +covered == Counter(_days(period))
    assert min(covered.values()) >= 0
    ends = [day for part in (*parts.added, *parts.taken) for day in _days(part)]
    assert len(ends) <= 31
    assert period.before.days == period.days or period == Period.month(first.year, first.month)


def _days(period: Period) -> list[date]:
    return [date.fromordinal(n) for n in range(period.from_on.toordinal(), period.to_on.toordinal() + 1)]
