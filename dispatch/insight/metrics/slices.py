"""A slice: which days, which part of the city's work, and how far the reader may see."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, false, or_, select
from sqlmodel import col

from dispatch.insight.metrics.periods import Period
from dispatch.insight.rollups.models import NONE, Tally
from dispatch.insight.topics.models import TopicTicket
from dispatch.record import queries
from dispatch.record.world import Standing
from grid.errors import NotFound
from grid.permissions import Actor, Scope

FIGURES = queries.FIGURES
LEVELS = {
    "district": "district_code",
    "street": "street_code",
    "community": "community_code",
    "grid": "grid_code",
}
DIMENSIONS: dict[str, tuple[str, str]] = {
    "organisation": ("承办单位", "organisation_code"),
    "category": ("类别", "category_code"),
    "source": ("来源", "source"),
    "district": ("区县", "district_code"),
    "street": ("街道", "street_code"),
    "community": ("社区", "community_code"),
    "grid": ("网格", "grid_code"),
}
TIMES = {"day": "日", "month": "月"}

Codes = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Slice:
    """Days, and for each column the codes that count (all of them must fit); `scope` fits when any of it does."""

    period: Period
    codes: Codes = field(default_factory=dict)
    scope: Codes | None = None
    topic: UUID | None = None

    def during(self, period: Period) -> "Slice":
        return replace(self, period=period)

    def at(self, column: str, code: str) -> "Slice":
        """Only what has this code; `-` is what has none."""
        return replace(self, codes={**self.codes, column: frozenset({code or NONE})})

    @property
    def columns(self) -> frozenset[str]:
        """The columns that this slice looks at."""
        return frozenset(self.codes) | frozenset(self.scope or ())

    def conditions(self, columns: Any) -> list[ColumnElement[bool]]:
        """The codes as conditions on a table (or a tally row) that has these columns."""
        found = [columns[name].in_(sorted(codes)) for name, codes in self.codes.items()]
        if self.scope is not None:
            reach = [columns[name].in_(sorted(codes)) for name, codes in self.scope.items() if codes]
            found.append(or_(false(), *reach))
        return found

    def of_tally(self) -> list[ColumnElement[bool]]:
        """The whole slice as conditions on tally rows."""
        found: list[ColumnElement[bool]] = [col(Tally.on).between(self.period.from_on, self.period.to_on)]
        found += self.conditions({name: col(getattr(Tally, name)) for _, name in DIMENSIONS.values()})
        if self.topic is not None:
            found.append(
                select(col(TopicTicket.topic_id))
                .where(
                    col(TopicTicket.topic_id) == self.topic,
                    col(TopicTicket.intake_district) == col(Tally.intake_district),
                    col(TopicTicket.ticket_id) == col(Tally.ticket_id),
                )
                .exists()
            )
        return found


def scope_of(actor: Actor, standing: Standing) -> Codes | None:
    """How far this person may see figures: None is the whole city. Who has all the ground of an area that went with
    earlier borders sees its past as well."""
    scopes = actor.scopes(FIGURES)
    if Scope.ALL in scopes:
        return None
    found: dict[str, frozenset[str]] = {}
    if Scope.ORGANISATION in scopes:
        found["organisation_code"] = actor.under
    if Scope.AREA in scopes:
        for code in actor.area_codes:
            if code in standing.areas and standing.areas[code].level in LEVELS:
                column = LEVELS[standing.areas[code].level]
                found[column] = found.get(column, frozenset()) | {code}
            elif code in standing.areas:
                return None  # a post for the whole city
        for former, heirs in standing.heirs.items():
            known = standing.former_areas.get(former)
            if known is not None and known.level in LEVELS and heirs and actor.area_codes.issuperset(heirs):
                column = LEVELS[known.level]
                found[column] = found.get(column, frozenset()) | {former}
    return found


def sees(scope: Codes | None, values: Mapping[str, str]) -> bool:
    """Whether somebody with that scope may see what has these codes."""
    return scope is None or any(values.get(name) in codes for name, codes in scope.items())


def area_codes(standing: Standing, area: str) -> tuple[str, frozenset[str]]:
    """The column and code of an area, also of one that went with earlier borders.

    Raises
    ------
    NotFound
        There is no such area, or it is finer than a grid.
    """
    known = standing.area(area)
    if known is None or known.level not in LEVELS:
        raise NotFound(f"没有编码为 {area} 的区域,请从数字页面打开")
    return LEVELS[known.level], frozenset({area})


def category_codes(standing: Standing, code: str) -> frozenset[str]:
    """A category with everything below it."""
    if code not in standing.categories:
        raise NotFound(f"没有编码为 {code} 的类别,请从数字页面打开")
    return frozenset(other for other in standing.categories if code in standing.lineage(other))
