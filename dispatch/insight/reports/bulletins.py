"""The monthly bulletin of the city, an organisation or a street: made from the histories as of the month's end, so that
the same month gives the same report whenever it is made; kept with its checksum."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col
from uuid6 import uuid7

from dispatch.insight.metrics import counting
from dispatch.insight.metrics.formulas import METRICS
from dispatch.insight.metrics.measures import BY_KEY as MEASURES
from dispatch.insight.metrics.periods import Period
from dispatch.insight.metrics.registry import KIND_LABELS, Kind
from dispatch.insight.metrics.slices import LEVELS, Codes
from dispatch.insight.reports import drawing, gathering
from dispatch.insight.reports.gathering import Gathered, Subject
from dispatch.insight.reports.models import Bulletin
from dispatch.insight.schemes import keeping
from dispatch.record.models import Ticket
from dispatch.record.world import World
from grid.database import canonical_json
from grid.errors import InputError, NotFound

CITY = "city"
EXCLUDED = ("deferred", "excluded", "unanswered", "repeated")


class About(NamedTuple):
    """What a bulletin is about: its name, and the column and code that its rows have (None is the whole city)."""

    name: str
    subject: Subject


def about_condition(about: str, world: World) -> About:
    """What a key of a bulletin's subject means."""
    standing = world.standing
    if about == CITY:
        return About(world.settings.city_name, None)
    kind, _, code = about.partition(":")
    if kind == "organisation" and code in standing.organisations:
        return About(standing.organisations[code].name, ("organisation_code", code))
    area = standing.area(code) if kind == "area" else None
    if area is not None and area.level in LEVELS:
        return About(standing.area_name(code) or code, (LEVELS[area.level], code))
    raise NotFound(f"没有 {about} 这个单位或区域,请从月报页面选择")


def content(
    session: Session, world: World, about: str, period: Period, gathered: Gathered | None = None
) -> dict[str, Any]:
    """Everything that the bulletin says, as values."""
    settings = world.settings
    name, subject = about_condition(about, world)
    at = period.ends_at(settings.timezone)
    sums = gathered or gathering.gather(session, settings.zone, at, period, [subject])[subject]
    standing = world.standing
    names = {
        "category_code": {c: k.name for c, k in standing.categories.items()},
        "street_code": {c: standing.area_name(c) or c for c in (*standing.former_areas, *standing.areas)},
        "organisation_code": {c: o.name for c, o in standing.organisations.items()},
    }
    area = subject[1] if subject and subject[0] in LEVELS.values() else None
    return {
        "title": f"{name} {_called(period)}",
        "about": about,
        "from_on": period.from_on.isoformat(),
        "to_on": period.to_on.isoformat(),
        "as_of": at.astimezone(settings.zone).strftime("%Y-%m-%d %H:%M"),
        "summary": _summary(name, sums),
        "kinds": [
            {"label": KIND_LABELS[kind], "rows": [_row(m, sums) for m in METRICS if m.kind == kind]}
            for kind in Kind
        ],
        "excluded": [{"label": MEASURES[key].label, "number": sums.now[key]} for key in EXCLUDED],
        "formulas": "、".join(f"{m.label}({m.formula})" for m in METRICS),
        "tables": [
            {"label": label, "rows": _table(sums.by[column], names[column])}
            for column, label in (
                ("category_code", "类别"),
                ("street_code", "街道"),
                ("organisation_code", "承办单位"),
            )
        ],
        "daily": [[day.isoformat(), sums.daily[day]] for day in _days(period)],
        "map": drawing.picture(session, period, settings.timezone, area, sums.received),
    }


def _called(period: Period) -> str:
    if period == Period.month(period.from_on.year, period.from_on.month):
        return f"{period.from_on:%Y 年 %m 月}运行月报"
    return f"{period.from_on:%Y 年 %m 月 %d 日}至 {period.to_on:%m 月 %d 日}运行情况"


def _days(period: Period) -> list[date]:
    return [date.fromordinal(n) for n in range(period.from_on.toordinal(), period.to_on.toordinal() + 1)]


def _summary(name: str, sums: Gathered) -> str:
    now, before = sums.now, sums.before
    change = now["received"] - before["received"]
    moved = "与上期持平" if not change else f"比上期{'多' if change > 0 else '少'} {abs(change)} 件"
    return (
        f"本期{name}登记诉求和上报 {now['received']} 件,{moved};派单 {now['dispatched']} 次,结案 {now['closed']} 件。"
        f"回访 {now['asked']} 件,其中实际参评 {now['rated']} 件,满意和基本满意 {now['satisfied']} 件;"
        f"未接通或未评价 {now['unanswered']} 件,不计为满意。"
    )


def _row(metric: Any, sums: Gathered) -> dict[str, str]:
    return {
        "label": metric.label,
        "now": shown(counting.value(metric, sums.now)),
        "before": shown(counting.value(metric, sums.before)),
        "words": metric.words,
    }


def shown(value: Any) -> str:
    """A value in one line: a rate with its interval and sample, or counts."""
    if value.of is None:
        return str(value.count)
    if value.rate is None:
        return f"{value.count}/{value.of}"
    low, high = value.interval
    return f"{value.rate * 100:.1f}%({low * 100:.1f}—{high * 100:.1f}%,{value.count}/{value.of})"


def _table(by: dict[str, Counter[str]], names: dict[str, str]) -> list[dict[str, Any]]:
    """In the order of codes; nobody is ranked."""
    return [
        {
            "code": code,
            "name": names.get(code, "尚未确定"),
            "received": counts["received"],
            "dispatched": counts["dispatched"],
            "closed": counts["closed"],
        }
        for code, counts in sorted(by.items())
        if counts["received"] or counts["dispatched"] or counts["closed"]
    ]


def make(
    session: Session,
    world: World,
    about: str,
    period: Period,
    now: datetime,
    gathered: Gathered | None = None,
) -> Bulletin:
    """Make and keep a bulletin; the same one again is the same row.

    Raises
    ------
    InputError
        The month is not over, or it is no whole month and nobody turned more frequent reports on.
    """
    world.refresh(session)
    today = now.astimezone(world.settings.zone).date()
    if period.to_on >= today:
        raise InputError("这个时段还没有结束,结束后才能出报告", {"month": "还没有结束"})
    monthly = period == Period.month(period.from_on.year, period.from_on.month)
    if not monthly and keeping.who_turned_on(session, keeping.WEEKLY) is None:
        raise InputError("报告按月出;更密的报告默认关闭,须由督查员在“开关”页打开并留名", {"month": "按月出"})
    known = select(col(Ticket.id)).where(col(Ticket.reported_at) < period.ends_at(world.settings.timezone))
    if session.execute(known.limit(1)).first() is None:
        raise InputError("这个时段还没有工单,请选有数据的月份", {"month": "还没有工单"})
    kept = find(session, about, period)
    said = content(session, world, about, period, gathered)
    checksum = hashlib.sha256(canonical_json(said).encode()).hexdigest()
    if kept is None:
        kept = Bulletin(
            id=uuid7(),
            about=about,
            from_on=period.from_on,
            to_on=period.to_on,
            content=said,
            checksum=checksum,
            made_at=now,
        )
    kept.content, kept.checksum = said, checksum
    session.add(kept)
    session.flush()
    return kept


def find(session: Session, about: str, period: Period) -> Bulletin | None:
    query = select(Bulletin).where(
        col(Bulletin.about) == about,
        col(Bulletin.from_on) == period.from_on,
        col(Bulletin.to_on) == period.to_on,
    )
    return session.execute(query).scalar_one_or_none()


class Listed(NamedTuple):
    """A bulletin in a list, without what it says."""

    id: UUID
    about: str
    from_on: date
    to_on: date


def listed(session: Session, scope: Codes | None) -> list[Listed]:
    """The bulletins of what somebody may see figures of, the newest first."""
    columns = (col(getattr(Bulletin, name)) for name in Listed._fields)
    query = select(*columns).order_by(col(Bulletin.from_on).desc(), col(Bulletin.about))
    return [Listed(*row) for row in session.execute(query) if is_readable(row.about, scope)]


def titles(session: Session, rows: Iterable[Listed]) -> dict[UUID, str]:
    """What the bulletins of one page are called."""
    query = select(Bulletin).where(col(Bulletin.id).in_([row.id for row in rows]))
    return {row.id: str(row.content["title"]) for row in session.execute(query).scalars()}


def is_readable(about: str, scope: Codes | None) -> bool:
    """Whether somebody who sees figures that far may read a bulletin about this."""
    kind, _, code = about.partition(":")
    if scope is None:
        return True
    columns = ("organisation_code",) if kind == "organisation" else tuple(LEVELS.values())
    return any(code in scope.get(column, ()) for column in columns)
