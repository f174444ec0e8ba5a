"""Areas in time: dated generations of borders and of the surfaces that lie across them."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Column, LargeBinary
from sqlmodel import Field, SQLModel

from geo.borders import Level
from grid.database import Words, named


class GenerationState(StrEnum):
    DRAFT = "draft"
    REHEARSED = "rehearsed"
    ACTIVE = "active"
    RETIRED = "retired"
    DISCARDED = "discarded"


class Generation(SQLModel, table=True):
    """A dated version of the whole area set."""

    __tablename__ = "generation"
    id: int | None = Field(default=None, primary_key=True)
    label: str = Field(unique=True)
    state: GenerationState = Field(index=True, sa_type=named(GenerationState))
    synthetic: bool = False
    source: str | None = Field(default=None, sa_type=Words)
    checksum: str | None = Field(default=None, sa_type=Words)
    index_file: str | None = Field(default=None, sa_type=Words)
    created_at: datetime
    active_from: datetime | None = None
    active_to: datetime | None = None
    begins_at: datetime | None = None
    former_id: int | None = None


class Area(SQLModel, table=True):
    """One area of one generation; geometry is WKB in EPSG:4490 (taken as WGS-84)."""

    __tablename__ = "area"
    generation_id: int = Field(primary_key=True, foreign_key="generation.id")
    code: str = Field(primary_key=True)
    name: str
    level: Level = Field(index=True, sa_type=named(Level))
    parent_code: str | None = Field(default=None, index=True)
    wkb: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    area_m2: float
    population: int | None = None


class AreaSuccessor(SQLModel, table=True):
    """When this generation came in force, this code went, and this area has (part of) its ground."""

    __tablename__ = "area_successor"
    generation_id: int = Field(primary_key=True, foreign_key="generation.id")
    former_code: str = Field(primary_key=True, index=True)
    code: str = Field(primary_key=True)


class OverlayArea(SQLModel, table=True):
    """A management surface that cuts across areas (park, river section, expressway, compound)."""

    __tablename__ = "overlay_area"
    generation_id: int = Field(primary_key=True, foreign_key="generation.id")
    code: str = Field(primary_key=True)
    name: str
    kind: str
    priority: int = 0
    wkb: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
