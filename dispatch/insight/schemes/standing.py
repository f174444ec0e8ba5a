"""Units of one group side by side for a quarter; in the order of their codes unless somebody turned an order on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session

from dispatch.insight.metrics import counting
from dispatch.insight.metrics.formulas import BY_KEY
from dispatch.insight.metrics.intervals import Value
from dispatch.insight.metrics.periods import Period
from dispatch.insight.metrics.slices import Slice
from dispatch.insight.schemes import keeping
from dispatch.insight.schemes.limits import Group
from grid.errors import InputError


@dataclass(frozen=True)
class Compared:
    """One unit of a group: its value, and its place where an order was turned on and the sample is large enough."""

    organisation_code: str
    value: Value
    place: int | None = None


def quarter_of(day: date) -> Period:
    """The whole quarter that a day lies in."""
    first = date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    return Period(first, Period.month(day.year, first.month + 2).to_on)


def compare(
    session: Session, group: Group, metric_key: str, period: Period
) -> tuple[list[Compared], tuple[str, datetime] | None]:
    """The units of one group in one quarter, and who turned the order on if somebody did."""
    if period != quarter_of(period.from_on):
        raise InputError("单位之间只按季度比较", {"period": "请选一个整季度"})
    metric = BY_KEY[metric_key]
    its = Slice(period, {"organisation_code": frozenset(group.units)})
    table = counting.table(session, its, counting.needed([metric]), "organisation")
    found = [
        Compared(u, counting.value(metric, table[u]) if u in table else Value(0, 0))
        for u in sorted(group.units)
    ]
    turned = keeping.who_turned_on(session, keeping.RANKING)
    return (_placed(found), turned) if turned else (found, None)


def _placed(found: Sequence[Compared]) -> list[Compared]:
    """Places by rate among those whose rate may be shown; overlapping intervals share a place."""
    able = sorted((c for c in found if c.value.interval), key=lambda c: -(c.value.rate or 0))
    places: dict[str, int] = {}
    for number, one in enumerate(able, start=1):
        before = able[number - 2] if number > 1 else None
        same = (
            before is not None and (one.value.interval or (0, 0))[1] >= (before.value.interval or (1, 1))[0]
        )
        places[one.organisation_code] = places[before.organisation_code] if same and before else number
    return [Compared(c.organisation_code, c.value, places.get(c.organisation_code)) for c in found]
