"""Bulletins by themselves: when a month is over, those of the city, of every street and of every organisation."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlmodel import Session, col

from dispatch.insight.metrics.periods import Period
from dispatch.insight.reports import bulletins, gathering
from dispatch.insight.reports.models import Bulletin
from dispatch.record.world import World
from grid.database import Database


def last_month(now: datetime, world: World) -> Period:
    """The last month that is over, by the city's days."""
    ended = now.astimezone(world.settings.zone).date().replace(day=1) - timedelta(days=1)
    return Period.month(ended.year, ended.month)


def subjects(world: World) -> list[str]:
    """What a month's bulletins are about."""
    standing = world.standing
    streets = [f"area:{code}" for code, area in standing.areas.items() if area.level == "street"]
    units = [f"organisation:{o.code}" for o in standing.organisations.values() if not o.closed_on]
    return [bulletins.CITY, *sorted(streets), *sorted(units)]


def make_due(database: Database, world: World, now: datetime) -> int:
    """Make what the last month lacks; the answer is how many were made. What exists is left as it is: to make one
    again is to ask for it on its page."""
    with database.reading() as session:
        world.refresh(session)
        period = last_month(now, world)
        missing = _missing(session, world, period)
        if not missing:
            return 0
        wanted = {about: bulletins.about_condition(about, world).subject for about in missing}
        at = period.ends_at(world.settings.timezone)
        gathered = gathering.gather(session, world.settings.zone, at, period, wanted.values())
    for about, subject in wanted.items():
        database.write(
            lambda session, about=about, subject=subject: (
                bulletins.make(  # type: ignore[misc]
                    session, world, about, period, now, gathered[subject]
                ).id
            )
        )
    return len(missing)


def _missing(session: Session, world: World, period: Period) -> list[str]:
    query = select(col(Bulletin.about)).where(
        col(Bulletin.from_on) == period.from_on, col(Bulletin.to_on) == period.to_on
    )
    made = set(session.execute(query).scalars())
    return [about for about in subjects(world) if about not in made]
