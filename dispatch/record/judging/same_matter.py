"""The open matter that a report plainly repeats, so that the two are merged without asking anybody.

Off unless the city gave a distance. Only what was measured on the spot counts, only components and the look of the
city in public space, never what is urgent, complained of or told in confidence; whoever says that it is another
matter is believed.
"""

from datetime import datetime
from math import cos, radians
from typing import Any, NamedTuple

from sqlalchemy import and_, exists, select
from sqlmodel import Session, col

from dispatch.record.intake import Mode, Report
from dispatch.record.models import Reporter, Source, Statement, Ticket, band_of
from dispatch.record.reading.around import METRES_PER_DEGREE, NEVER_PUBLIC_NATURES, distance_m
from dispatch.record.world import World
from dispatch.rules.likeness import RECENT, Matter, Near, alike
from dispatch.rules.workflow import TICKET
from dispatch.rules.workflow.choices import NOT_YET_ANSWERED
from geo.placed import Placed
from grid.models import Category

ON_THE_SPOT = (Source.PATROL, Source.ON_BEHALF, Source.RESIDENT)
MEASURED_M = 30.0
KINDS = ("part", "event")


class Repeated(NamedTuple):
    """The ticket that goes on, and why; the reason is kept with the event."""

    code: str
    why: dict[str, Any]


def repeated(
    session: Session, report: Report, category: Category, placed: Placed, world: World, now: datetime
) -> Repeated | None:
    """The one open ticket of the same subcategory at the same point, if the city merges such by itself."""
    most_m = float(world.settings.merge_within_m)
    if not most_m or not _may(report, category):
        return None
    found = _open_at(session, report, placed, most_m, now)
    asked = Matter("", category.code, now, report.text or "")
    same = [one for one in alike(asked, found) if one.same and one.distance_m <= most_m]
    if not same:
        return None
    first = same[0]
    reason = f"自动并单:{first.reason};并入 {first.key}(本市设为 {most_m:.0f} 米内自动并单,可撤销)"
    return Repeated(first.key, {"reason": reason, "distance_m": round(first.distance_m, 1)})


def _may(report: Report, category: Category) -> bool:
    """Whether this report is of the kind that may be merged unasked."""
    return (
        report.mode is Mode.REPORT
        and report.source in ON_THE_SPOT
        and not report.joins
        and not report.apart
        and not report.confidential
        and report.nature not in NEVER_PUBLIC_NATURES
        and report.accuracy_m is not None
        and report.accuracy_m <= MEASURED_M
        and category.public_space
        and category.kind in KINDS
        and not category.urgent
    )


def _open_at(session: Session, report: Report, placed: Placed, most_m: float, now: datetime) -> list[Near]:
    """Open tickets of the subcategory in the box around the point, with what was said of them."""
    north = most_m / METRES_PER_DEGREE
    east = north / max(cos(radians(placed.lat)), 0.01)
    told_in_confidence = exists().where(
        and_(
            col(Reporter.intake_district) == col(Ticket.intake_district),
            col(Reporter.ticket_id) == col(Ticket.id),
            col(Reporter.confidential),
        )
    )
    said = and_(
        col(Statement.intake_district) == col(Ticket.intake_district),
        col(Statement.ticket_id) == col(Ticket.id),
        col(Statement.name) == "text",
    )
    query = (
        select(Ticket, col(Statement.text))
        .join(Statement, said, isouter=True)
        .where(
            col(Ticket.closed_at).is_(None),
            col(Ticket.lat_band).in_(range(band_of(placed.lat - north), band_of(placed.lat + north) + 1)),
            col(Ticket.lat).between(placed.lat - north, placed.lat + north),
            col(Ticket.lon).between(placed.lon - east, placed.lon + east),
            col(Ticket.category_code) == report.category_code,
            col(Ticket.workflow) == TICKET,
            col(Ticket.state).in_(NOT_YET_ANSWERED),
            col(Ticket.source).in_(ON_THE_SPOT),
            col(Ticket.accuracy_m) <= MEASURED_M,
            col(Ticket.reported_at) >= now - RECENT,
            col(Ticket.nature).is_(None) | col(Ticket.nature).not_in(NEVER_PUBLIC_NATURES),
            ~told_in_confidence,
        )
        .order_by(col(Ticket.reported_at))
    )
    return [
        Near(
            Matter(ticket.code, ticket.category_code, ticket.reported_at, text or ""),
            distance_m(lon=placed.lon, lat=placed.lat, other_lon=ticket.lon, other_lat=ticket.lat),
        )
        for ticket, text in session.execute(query)
    ]
