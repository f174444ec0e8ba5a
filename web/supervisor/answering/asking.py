"""What a page of figures is asked for in its address, and the slice that comes of it."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from flask import request, url_for
from pydantic import AfterValidator, Field

from dispatch.insight.metrics import slices
from dispatch.insight.metrics.periods import Period
from dispatch.insight.metrics.slices import Slice
from dispatch.insight.topics import managing
from dispatch.record.models import Source
from dispatch.record.world import Standing
from grid.errors import InputError, NotFound
from grid.permissions import Actor
from web.forms import Code, Empty, Strict, check
from web.gate.access import current_actor
from web.service.context import database, now, settings
from web.shown.labels import SOURCES
from web.shown.lists import names_of_areas

Dimension = Literal[
    "organisation", "category", "source", "district", "street", "community", "grid", "topic", "day", "month"
]


# What an address asks for only where a number is opened or a file is taken.
OF_ONE_NUMBER = {
    "measure",
    "now",
    "took",
    "hour",
    "page",
    "only",
    "across",
    "across_only",
    "format",
    "picture",
}


FIRST, LAST = date(2000, 1, 1), date(2099, 12, 31)


def _known(day: date) -> date:
    if not FIRST <= day <= LAST:
        raise ValueError(f"日期须在 {FIRST} 与 {LAST} 之间")
    return day


# A day of this service's time: the periods before and a year before must still be days.
Day = Annotated[date, AfterValidator(_known)]


class FiguresQuery(Strict):
    """Days (or from–to), and which part of the work: area, category, organisation, source, topic."""

    days: Annotated[int, Field(ge=1, le=366)] = 30
    start: Annotated[Day | None, Empty] = None
    end: Annotated[Day | None, Empty] = None
    area: Annotated[Code | None, Empty] = None
    category: Annotated[Code | None, Empty] = None
    organisation: Annotated[Code | None, Empty] = None
    source: Annotated[Source | None, Empty] = None
    topic: Annotated[UUID | None, Empty] = None
    by: Dimension = "organisation"
    only: Annotated[Code | None, Empty] = None
    across: Dimension | None = None
    across_only: Annotated[Code | None, Empty] = None
    measure: Annotated[Code | None, Empty] = None
    now: Annotated[Code | None, Empty] = None
    took: Annotated[Code | None, Empty] = None
    hour: Annotated[int | None, Field(ge=0, lt=168), Empty] = None
    page: Annotated[int, Field(ge=0, le=10_000)] = 0
    format: Literal["html", "csv", "xlsx", "svg"] = "html"
    picture: Annotated[Code | None, Empty] = None


@dataclass(frozen=True)
class Asked:
    """A page's question: its address, the slice, and who asks."""

    query: FiguresQuery
    slice: Slice
    actor: Actor

    def address(self, endpoint: str, **changes: Any) -> str:
        """The same question elsewhere, or another one here."""
        kept = {**plain(self.query), **changes}
        return url_for(endpoint, **{name: value for name, value in kept.items() if value not in (None, "")})


def plain(query: FiguresQuery) -> dict[str, Any]:
    """What differs from the usual question, for an address."""
    return query.model_dump(mode="json", exclude_defaults=True, exclude=OF_ONE_NUMBER)


def asked(standing: Standing) -> Asked:
    """What this request asks for, within what its reader may see."""
    query = check(FiguresQuery, {name: value for name, value in request.args.items() if value})
    actor = current_actor()
    return Asked(query, slice_of(query, standing, actor), actor)


def slice_of(query: FiguresQuery, standing: Standing, actor: Actor) -> Slice:
    codes: dict[str, frozenset[str]] = {}
    if query.area:
        column, area = slices.area_codes(standing, query.area)
        codes[column] = area
    if query.category:
        codes["category_code"] = slices.category_codes(standing, query.category)
    if query.organisation:
        if query.organisation not in standing.organisations:
            raise NotFound(f"没有编码为 {query.organisation} 的单位,请从数字页面打开")
        codes["organisation_code"] = frozenset({query.organisation})
    if query.source:
        codes["source"] = frozenset({str(query.source)})
    return Slice(_period(query), codes, slices.scope_of(actor, standing), query.topic)


def _period(query: FiguresQuery) -> Period:
    today = now().astimezone(settings().zone).date()
    if query.start is None:
        return Period.last_days(query.days, query.end or today)
    period = Period(query.start, query.end or today)
    if period.from_on > period.to_on or period.days > 3 * 366:
        raise InputError("时段不对:开始须在结束之前,且不超过三年", {"start": "请改时段"})
    return period


def title_of(query: FiguresQuery, standing: Standing) -> str:
    """The part of the work that a page speaks of, in words."""
    parts = []
    if query.area:
        parts.append(names_of_areas(standing, [query.area]).get(query.area, query.area))
    if query.organisation and query.organisation in standing.organisations:
        parts.append(standing.organisations[query.organisation].name)
    if query.category:
        parts.append(standing.categories[query.category].name)
    if query.source:
        parts.append(SOURCES[query.source])
    if query.topic:
        with database().reading() as session:
            parts.append(managing.title(managing.one(session, query.topic, current_actor()), standing))
    return " · ".join(parts)


def names_of(standing: Standing, by: str, codes: list[str]) -> dict[str, str]:
    """What the codes of a dimension are called."""
    if by == "organisation":
        return {code: standing.organisations[code].name for code in codes if code in standing.organisations}
    if by == "category":
        return {code: standing.categories[code].name for code in codes if code in standing.categories}
    if by == "source":
        return {code: SOURCES[Source(code)] for code in codes if code in set(Source)}
    return names_of_areas(standing, codes)
