"""Opens a number: exactly the tally rows (or the stretches of time) that it is the sum of, with their tickets."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, func, select
from sqlmodel import Session, col

from dispatch.insight.metrics.measures import BIT
from dispatch.insight.metrics.slices import FIGURES, Slice
from dispatch.insight.rollups import stretches
from dispatch.insight.rollups.models import Tally
from dispatch.record import queries
from dispatch.record.models import Ticket
from grid.permissions import Actor


class Counted(NamedTuple):
    """A ticket and the day and unit it is counted for; a unit that got it twice in a day stands twice."""

    ticket: Ticket
    on: date
    organisation_code: str


_COUNTED = select(Ticket, col(Tally.on), col(Tally.organisation_code))
_OF_TICKET = and_(
    col(Ticket.intake_district) == col(Tally.intake_district), col(Ticket.id) == col(Tally.ticket_id)
)


def behind(
    session: Session, its: Slice, measures: Sequence[str], actor: Actor, *, size: int = 100, offset: int = 0
) -> list[Counted]:
    """What a sum of these measures is made of, oldest first."""
    query = _COUNTED.join(Tally, _OF_TICKET).where(*its.of_tally(), _has(measures))
    return _page(session, query, actor, size, offset)


def behind_lengths(
    session: Session,
    its: Slice,
    kind: tuple[str, str],
    actor: Actor,
    *,
    minutes: int | None = None,
    size: int = 100,
    offset: int = 0,
) -> list[Counted]:
    """What took a length of this kind (clock and stage; of just so many minutes), each as often as it did."""
    rows = stretches.unfolded(session)
    query = _COUNTED.select_from(rows.joined.join(Ticket, _OF_TICKET))
    query = query.where(*its.of_tally(), stretches.is_of(rows.stretch, *kind, minutes))
    return _page(session, query, actor, size, offset)


def _page(session: Session, query: Any, actor: Actor, size: int, offset: int) -> list[Counted]:
    query = query.where(queries.visible(actor, FIGURES))
    query = query.order_by(col(Tally.on), col(Ticket.id), col(Tally.nr)).limit(size).offset(offset)
    return [Counted(*row) for row in session.execute(query)]


def number(session: Session, its: Slice, measures: Sequence[str]) -> int:
    """The sum, counted one by one."""
    query = select(func.count()).select_from(Tally).where(*its.of_tally(), _has(measures))
    return int(session.execute(query).scalar_one())


def _has(measures: Sequence[str]) -> ColumnElement[bool]:
    bits: ColumnElement[int] = col(Tally.marks).op("&")(sum(BIT[key] for key in measures))
    return bits != 0
