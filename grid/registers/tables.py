"""The registers' tables: components with their owners, enforcement bound to grids, names of places; what columns of files mean."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from grid.database import JsonText, Words


class Asset(SQLModel, table=True):
    """A component of the city (部件台账): where it stands and whose it is."""

    __tablename__ = "asset"
    __table_args__ = (Index("ix_asset_place", "lat", "lon"),)
    code: str = Field(primary_key=True)
    name: str
    category_code: str = Field(foreign_key="category.code")
    lon: float
    lat: float
    owner_code: str = Field(foreign_key="organisation.code", index=True)
    removed_on: date | None = None


class EnforcementBinding(SQLModel, table=True):
    """An enforcement team bound to a grid, with the officer to be proposed there."""

    __tablename__ = "enforcement_binding"
    id: UUID = Field(primary_key=True)
    area_code: str = Field(index=True)
    organisation_code: str = Field(foreign_key="organisation.code")
    account_id: UUID | None = Field(default=None, foreign_key="account.id")
    from_on: date | None = None
    to_on: date | None = None


class PlaceName(SQLModel, table=True):
    """A name by which people find a place (地名库): road, community, point of interest, area."""

    __tablename__ = "place_name"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(index=True)
    kind: str
    address: str | None = Field(default=None, sa_type=Words)
    initials: str = Field(index=True)
    lon: float
    lat: float
    source: str | None = Field(default=None, sa_type=Words)


class PlaceGram(SQLModel, table=True):
    """A pair of characters of a place's name, by which the name is found from any part of it."""

    __tablename__ = "place_gram"
    gram: str = Field(primary_key=True)
    place_id: int = Field(primary_key=True, foreign_key="place_name.id", ondelete="CASCADE")


class ColumnMapping(SQLModel, table=True):
    """What the columns of a kind of file mean, as somebody said it; the same columns need it only once."""

    __tablename__ = "column_mapping"
    what: str = Field(primary_key=True)
    headings: str = Field(primary_key=True)
    meant: dict[str, Any] = Field(sa_type=JsonText)
    said_by: UUID | None = Field(default=None, foreign_key="account.id")
    said_at: datetime
