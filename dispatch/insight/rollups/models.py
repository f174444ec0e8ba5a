"""Tally rows, spans and the cells of the roll-up."""

from datetime import date
from uuid import UUID

from sqlalchemy import BigInteger, Column, Date, Index, Integer, String, Table
from sqlmodel import Field, SQLModel

from dispatch.insight.metrics.measures import KEYS
from dispatch.record.models.ticket import of_ticket

ANY = "*"
NONE = "-"


class Tally(SQLModel, table=True):
    """What is counted of one ticket on one day for one organisation: a bit for each measure."""

    __tablename__ = "tally"
    __table_args__ = of_ticket(
        Index("ix_tally_ticket", "intake_district", "ticket_id"),
        Index("ix_tally_on", "on"),
        Index("ix_tally_grid", "grid_code", "on"),
        Index("ix_tally_org", "organisation_code", "on"),
        Index("ix_tally_category", "category_code", "on"),
    )
    intake_district: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    ticket_id: UUID
    on: date
    organisation_code: str = NONE
    source: str
    category_code: str
    district_code: str = NONE
    street_code: str = NONE
    community_code: str = NONE
    grid_code: str = NONE
    marks: int = Field(sa_column=Column(BigInteger, nullable=False))


class TallySpan(SQLModel, table=True):
    """How long something of a ticket took, on the day it ended; `clock` is total, handle or stage."""

    __tablename__ = "tally_span"
    __table_args__ = of_ticket(
        Index("ix_span_ticket", "intake_district", "ticket_id"), Index("ix_span_on", "clock", "stage", "on")
    )
    intake_district: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    ticket_id: UUID
    on: date
    organisation_code: str = NONE
    street_code: str = NONE
    clock: str
    stage: str
    minutes: int


DIMENSIONS = ("source", "category_code", "organisation_code", "district_code", "street_code", "community_code", "grid_code")  # fmt: skip

# A cell is a sum over a day or a month. `*` stands where a cube does not tell apart, `-` where a ticket has no code.
cell = Table(
    "figure_cell",
    SQLModel.metadata,
    Column("cube", String(8), primary_key=True),
    Column("grain", String(5), primary_key=True),
    Column("on", Date, primary_key=True),
    *(Column(name, String, primary_key=True) for name in DIMENSIONS),
    *(Column(key, Integer, nullable=False, server_default="0") for key in KEYS),
    Index("ix_cell_category", "cube", "grain", "category_code", "on"),
    Index("ix_cell_org", "cube", "grain", "organisation_code", "on"),
    Index("ix_cell_street", "cube", "grain", "street_code", "on"),
    Index("ix_cell_on", "cube", "grain", "on"),
)

# What each cube tells apart, besides the day. A grid together with a category or a unit is nearly single tickets: such
# a slice is counted from the tally rows by their indexes.
_MATTER = ("source", "category_code", "organisation_code")
_ABOVE = ("district_code", "street_code")
_PLACE = (*_ABOVE, "community_code", "grid_code")
CUBES: dict[str, frozenset[str]] = {
    "whole": frozenset(),
    "broad": frozenset({*_MATTER, *_ABOVE}),
    "place": frozenset({"source", *_PLACE}),
}
GRAINS: dict[str, tuple[str, ...]] = {
    "whole": ("day",),
    "broad": ("day", "month"),
    "place": ("day", "month"),
}
