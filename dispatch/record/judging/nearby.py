"""What stands and who patrols near a ticket: the registered owner of the asset, the teams on shift in its grid."""

import math
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from dispatch.record.models import Ticket
from dispatch.record.oversight import loads
from dispatch.record.world import Standing
from dispatch.rules.routing import Bound
from dispatch.rules.worktime import local_date, open_on
from grid.models import Account, DutyRoster
from grid.registers.tables import Asset, EnforcementBinding

PART = "part"
REACH_M = 15.0
MOST_ACCURACY_M = 30.0
METRES_PER_DEGREE = 111_320.0
TEAM = 2  # enforcement goes out in pairs: one officer alone is no team on shift


@dataclass(frozen=True, slots=True)
class Nearby:
    """The nearest registered asset of the ticket's category, and the hands bound to its grid."""

    asset: Asset | None = None
    distance_m: float = 0.0
    bound: tuple[Bound, ...] = ()
    notes: tuple[str, ...] = ()


def nearby(session: Session, standing: Standing, ticket: Ticket, at: datetime) -> Nearby:
    """Look around the ticket as its decision needs it."""
    category = standing.categories[ticket.category_code]
    asset, distance_m = None, 0.0
    notes: tuple[str, ...] = ()
    if category.kind == PART and not standing.is_ownerless(ticket.category_code):
        asset, distance_m, notes = _asset(session, ticket, at.astimezone(ZoneInfo(standing.zone)))
    bound: tuple[Bound, ...] = ()
    if category.enforcement:
        bound, said = _bound(session, standing, ticket, at)
        notes += said
    return Nearby(asset, distance_m, bound, notes)


def _asset(session: Session, ticket: Ticket, local: datetime) -> tuple[Asset | None, float, tuple[str, ...]]:
    """The nearest one within reach; another owner's within the accuracy of the position is mentioned."""
    reach_m = REACH_M + min(ticket.accuracy_m or 0.0, MOST_ACCURACY_M)
    high = reach_m / METRES_PER_DEGREE
    across = METRES_PER_DEGREE * max(math.cos(math.radians(ticket.lat)), 0.01)
    query = select(Asset).where(
        col(Asset.lat).between(ticket.lat - high, ticket.lat + high),
        col(Asset.lon).between(ticket.lon - reach_m / across, ticket.lon + reach_m / across),
        col(Asset.category_code) == ticket.category_code,
    )
    found = sorted(
        (
            (math.hypot((a.lat - ticket.lat) * METRES_PER_DEGREE, (a.lon - ticket.lon) * across), a.code, a)
            for a in session.exec(query)
            if a.removed_on is None or local.date() < a.removed_on
        ),
        key=lambda one: one[:2],
    )
    found = [one for one in found if one[0] <= reach_m]
    if not found:
        return None, 0.0, ()
    distance_m, _, asset = found[0]
    other = next((one for one in found if one[2].owner_code != asset.owner_code), None)
    if other is None or other[0] - distance_m > (ticket.accuracy_m or 0.0):
        return asset, distance_m, ()
    note = f"{other[0]:.0f} 米处另有“{other[2].name}”({other[2].code}),权属单位不同,定位精度分不清"
    return asset, distance_m, (note,)


def _bound(
    session: Session, standing: Standing, ticket: Ticket, at: datetime
) -> tuple[tuple[Bound, ...], tuple[str, ...]]:
    """Teams bound to the grid or an area around it, the narrowest first, those on shift; why the others are not."""
    own = (ticket.grid_code, ticket.community_code, ticket.street_code, ticket.district_code)
    areas = [code for code in own if code]
    local = at.astimezone(ZoneInfo(standing.zone))
    query = select(EnforcementBinding).where(col(EnforcementBinding.area_code).in_(areas))
    rows = [
        row
        for row in session.exec(query)
        if (row.from_on is None or row.from_on <= local.date())
        and (row.to_on is None or local.date() <= row.to_on)
    ]
    rows.sort(key=lambda row: (areas.index(row.area_code), row.organisation_code, str(row.id)))
    bound: list[Bound] = []
    notes: list[str] = []
    for row in rows:
        why_not = _off_shift(session, standing, row, local)
        if why_not is None:
            person = row.account_id if _works_here(session, row) else None
            bound.append(Bound(row.organisation_code, str(person) if person else None))
        else:
            unit = standing.organisations.get(row.organisation_code)
            notes.append(f"绑定的“{unit.name if unit else row.organisation_code}”{why_not}")
    bound, said = _spared(session, standing, bound)
    return tuple(bound), (*notes, *said)


def _spared(session: Session, standing: Standing, bound: list[Bound]) -> tuple[list[Bound], list[str]]:
    """Where several teams could go, those with too much already come last, and why is said."""
    if len({team.organisation for team in bound}) < 2:
        return bound, []
    over = loads.overloaded(session, (team.organisation for team in bound))
    spared = [team for team in bound if team.organisation not in over]
    if not over or not spared:
        return bound, []
    notes = [
        f"绑定的“{standing.organisations[code].name if code in standing.organisations else code}”"
        f"负荷 {hours:.0f} 小时,超过阈值 {limit:.0f} 小时,排在没有超载的队伍之后"
        for code, (hours, limit) in sorted(over.items())
    ]
    return [*spared, *(team for team in bound if team.organisation in over)], notes


def _off_shift(session: Session, standing: Standing, row: EnforcementBinding, local: datetime) -> str | None:
    """Why the team is not on shift now. Without a roster of that day, office hours count as its shift."""
    days = (local.date(), local.date() - timedelta(days=1))
    query = select(DutyRoster).where(
        DutyRoster.organisation_code == row.organisation_code, col(DutyRoster.on).in_(days)
    )
    roster = list(session.exec(query))
    now_on = [one for one in roster if covers(one.shift, one.on, local)]
    if not now_on and all(one.on != local.date() for one in roster):
        hours = standing.hours(row.organisation_code)
        on = local_date(local, hours)
        works = standing.calendar.day(on).works or bool(
            standing.organisations.get(row.organisation_code)
            and standing.organisations[row.organisation_code].duty_24x7
        )
        if works and any(span.from_at <= local < span.to_at for span in open_on(on, hours)):
            return None
        return "现在不在班(没有排班表,按工作时间)"
    if not now_on:
        return "现在不在班"
    people = {one.account_id for one in now_on if one.account_id}
    if people and len(people) < TEAM and all(one.account_id for one in now_on):
        return f"当班只有 {len(people)} 人,不足两人"
    return None


def _works_here(session: Session, row: EnforcementBinding) -> bool:
    account = session.get(Account, row.account_id) if row.account_id else None
    return account is not None and account.disabled_at is None


def covers(shift: str, on: date, local: datetime) -> bool:
    """Whether a shift of a date includes a local time: `08:00-16:00`, over midnight `22:00-06:00`, else all day."""
    begins, dash, ends = shift.partition("-")
    day, now = local.date(), local.time()
    try:
        first, last = time.fromisoformat(begins.strip()), time.fromisoformat(ends.strip())
    except ValueError:
        return on == day
    if not dash or first < last:
        return on == day and (not dash or first <= now < last)
    return (on == day and now >= first) or (on == day - timedelta(days=1) and now < last)
