"""未诉先办: what came in these weeks of last year, where, so that it can be seen to before anybody calls."""

from collections import Counter
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import func, select
from sqlmodel import Session, col

from dispatch.insight.metrics.measures import BIT
from dispatch.insight.metrics.periods import Period
from dispatch.insight.metrics.slices import Slice
from dispatch.insight.rollups.models import Tally

AHEAD = timedelta(days=27)
LEAST = 3
MOST = 60


class Coming(NamedTuple):
    """A matter at a place: how many last year in these weeks, and how many in the weeks just before them."""

    category_code: str
    street_code: str
    last_year: int
    usual: int


def weeks(its: Slice) -> tuple[Period, Period]:
    """Last year's four weeks that now begin again, and the four before them."""
    then = Period(its.period.to_on, its.period.to_on + AHEAD).last_year
    return then, then.before


def coming(session: Session, its: Slice) -> list[Coming]:
    """What stood out last year in the four weeks that now begin, by category and street; the most first."""
    then, before = (_counts(session, its.during(period)) for period in weeks(its))
    found = [
        Coming(category, street, number, before[(category, street)])
        for (category, street), number in then.items()
        if number >= LEAST and number > before[(category, street)]
    ]
    return sorted(found, key=lambda one: (one.usual - one.last_year, one))[:MOST]


def _counts(session: Session, its: Slice) -> Counter[tuple[str, str]]:
    query = (
        select(col(Tally.category_code), col(Tally.street_code), func.count())
        .where(*its.of_tally(), col(Tally.marks).op("&")(BIT["received"]) != 0)
        .group_by(col(Tally.category_code), col(Tally.street_code))
    )
    return Counter({(category, street): number for category, street, number in session.execute(query)})
