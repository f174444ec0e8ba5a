"""The sums that are kept: one table for each set of codes that is told apart, by day, by month or both.

Small cubes answer what is asked without or with one condition, a month at a time; the last one tells everything apart.
What a cube has no days for (a period's ends) comes from the tally rows by an index. How long things took is kept beside
them: a cell holds every length with how often it came, as one text.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Date, Index, Integer, String, Table, Text
from sqlmodel import SQLModel

from dispatch.insight.metrics.measures import KEYS

DAY, MONTH = "day", "month"
_ABOVE = ("district_code", "street_code")
_PLACE = (*_ABOVE, "community_code", "grid_code")


@dataclass(frozen=True)
class Cube:
    """A table of sums: what it tells apart, by which stretches of time."""

    name: str
    told: tuple[str, ...]
    grains: tuple[str, ...]
    table: Table


def _made(
    name: str,
    told: tuple[str, ...],
    grains: tuple[str, ...],
    sought: tuple[str, ...],
    own: Iterable[Column[Any]],
) -> Cube:
    table = Table(
        name,
        SQLModel.metadata,
        Column("grain", String(5), primary_key=True),
        Column("on", Date, primary_key=True),
        *(Column(code, String, primary_key=True) for code in told),
        *own,
        *(Index(f"ix_{name}_{code}", code, "grain", "on") for code in sought),
    )
    return Cube(name, told, grains, table)


def _cube(
    name: str, *told: str, grains: tuple[str, ...] = (DAY, MONTH), sought: tuple[str, ...] = ()
) -> Cube:
    sums = (Column(key, Integer, nullable=False, server_default="0") for key in KEYS)
    return _made(f"figure_{name}", told, grains, sought, sums)


def _times(name: str, *told: str, grains: tuple[str, ...] = (MONTH,), sought: tuple[str, ...] = ()) -> Cube:
    held = (
        Column("clock", String(10), primary_key=True),
        Column("stage", String(20), primary_key=True),
        Column("times", Text, nullable=False),
    )
    return _made(f"took_{name}", told, grains, sought, held)


# The smallest first: the first one that tells apart what is asked is taken.
CUBES: tuple[Cube, ...] = (
    _cube("whole"),
    _cube("source", "source"),
    _cube("unit", "organisation_code", sought=("organisation_code",)),
    _cube("category", "category_code", sought=("category_code",)),
    _cube("street", *_ABOVE, sought=("street_code",)),
    _cube("place", *_PLACE, sought=("community_code", "grid_code")),
    _cube("broad", "source", "category_code", "organisation_code", "district_code",
          sought=("source", "category_code", "organisation_code", "district_code")),
    _cube("origin", "source", *_PLACE, sought=("source", "street_code", "community_code", "grid_code")),
    _cube("block", "category_code", "organisation_code", "source", *_ABOVE, grains=(MONTH,),
          sought=("category_code", "organisation_code", "street_code")),
    _cube("duty", "organisation_code", *_PLACE, grains=(MONTH,),
          sought=("organisation_code", "street_code", "community_code", "grid_code")),
    _cube("matter", "category_code", *_PLACE, grains=(MONTH,),
          sought=("category_code", "street_code", "community_code", "grid_code")),
    _cube("fine", "category_code", "organisation_code", "source", *_PLACE, grains=(MONTH,),
          sought=("category_code", "organisation_code", "street_code", "community_code", "grid_code")),
)  # fmt: skip

# How long things took, told apart by source everywhere: most of those who look at one source look at it in a place.
TIMES: tuple[Cube, ...] = (
    _times("source", "source", grains=(DAY, MONTH)),
    _times("district", "source", "district_code", grains=(DAY, MONTH), sought=("district_code",)),
    _times("unit", "source", "organisation_code", sought=("organisation_code",)),
    _times("category", "source", "category_code", sought=("category_code",)),
    _times("street", "source", *_ABOVE, sought=("street_code",)),
    _times("broad", "source", "category_code", "organisation_code", "district_code",
           sought=("category_code", "organisation_code")),
    _times("place", "source", *_PLACE, sought=("community_code", "grid_code")),
)  # fmt: skip


def cube_for(columns: frozenset[str], grain: str | None = None, among: Iterable[Cube] = CUBES) -> Cube | None:
    """The smallest cube that tells these columns apart (by this grain), if there is one."""
    able = (cube for cube in among if columns <= frozenset(cube.told) and grain in (None, *cube.grains))
    return next(able, None)
