"""The sums that are kept: one table for each set of codes that is told apart, by day, by month or both.

Small cubes answer what is asked without or with one condition, a month at a time; the last one tells everything apart.
What a cube has no days for (a period's ends) comes from the tally rows by an index.
"""

from dataclasses import dataclass

from sqlalchemy import Column, Date, Index, Integer, String, Table
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


def _cube(
    name: str, *told: str, grains: tuple[str, ...] = (DAY, MONTH), sought: tuple[str, ...] = ()
) -> Cube:
    table = Table(
        f"figure_{name}",
        SQLModel.metadata,
        Column("grain", String(5), primary_key=True),
        Column("on", Date, primary_key=True),
        *(Column(code, String, primary_key=True) for code in told),
        *(Column(key, Integer, nullable=False, server_default="0") for key in KEYS),
        *(Index(f"ix_figure_{name}_{code}", code, "grain", "on") for code in sought),
    )
    return Cube(name, told, grains, table)


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
    _cube("duty", "organisation_code", *_PLACE, grains=(MONTH,),
          sought=("organisation_code", "street_code", "community_code", "grid_code")),
    _cube("matter", "category_code", *_PLACE, grains=(MONTH,),
          sought=("category_code", "street_code", "community_code", "grid_code")),
    _cube("fine", "category_code", "organisation_code", "source", *_PLACE, grains=(MONTH,),
          sought=("category_code", "organisation_code", "street_code", "community_code", "grid_code")),
)  # fmt: skip

# How often something took so long: by month for one code of one dimension, and by day for so few codes as these.
WHOLE = ""
TIMED_BY_DAY = (WHOLE, "source")
TIMED = ("source", "category_code", "organisation_code", "district_code", "street_code")
took = Table(
    "figure_took",
    SQLModel.metadata,
    Column("dimension", String(20), primary_key=True),
    Column("code", String, primary_key=True),
    Column("grain", String(5), primary_key=True),
    Column("on", Date, primary_key=True),
    Column("clock", String(10), primary_key=True),
    Column("stage", String(20), primary_key=True),
    Column("minutes", Integer, primary_key=True),
    Column("number", Integer, nullable=False),
)


def cube_for(columns: frozenset[str], grain: str | None = None) -> Cube | None:
    """The smallest cube that tells these columns apart (by this grain), if there is one."""
    able = (cube for cube in CUBES if columns <= frozenset(cube.told) and grain in (None, *cube.grains))
    return next(able, None)
