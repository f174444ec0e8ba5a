"""Tally rows: what is counted of each ticket, under which codes."""

from datetime import date
from uuid import UUID

from sqlalchemy import BigInteger, Column, Index
from sqlmodel import Field, SQLModel

NONE = "-"
DIMENSIONS = ("source", "category_code", "organisation_code", "district_code", "street_code", "community_code", "grid_code")  # fmt: skip
# The order in which rows are made and copied.
TALLIED = ("intake_district", "ticket_id", "nr", "on", *DIMENSIONS, "marks", "took")


class Tally(SQLModel, table=True):
    """What is counted of one ticket on one day for one organisation: a bit for each measure, and how long what ended
    then took, `[[clock, stage, minutes], ...]`.

    Nothing refers to the ticket's row by a key: it is made from the history and made anew with it, and the check would
    cost as much as the row.
    """

    __tablename__ = "tally"
    __table_args__ = (
        Index("ix_tally_on", "on"),
        Index("ix_tally_grid", "grid_code", "on"),
        Index("ix_tally_community", "community_code", "on"),
        Index("ix_tally_district", "district_code", "on"),
        Index("ix_tally_street", "street_code", "on"),
        Index("ix_tally_org", "organisation_code", "on"),
        Index("ix_tally_category", "category_code", "on"),
    )
    intake_district: str = Field(primary_key=True)
    ticket_id: UUID = Field(primary_key=True)
    nr: int = Field(primary_key=True)
    on: date
    source: str
    category_code: str
    organisation_code: str = NONE
    district_code: str = NONE
    street_code: str = NONE
    community_code: str = NONE
    grid_code: str = NONE
    marks: int = Field(sa_column=Column(BigInteger, nullable=False))
    took: str | None = None
