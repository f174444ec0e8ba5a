"""The switches with who turned them, assessment schemes, and the grids that are observation points."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Field, SQLModel

from grid.database import JsonText, Words


class FigureSwitch(SQLModel, table=True):
    """Something that is off by default; the row says who turned it on, when, and under which plan."""

    __tablename__ = "figure_switch"
    key: str = Field(primary_key=True)
    is_on: bool = False
    turned_by: UUID | None = Field(default=None, foreign_key="account.id")
    turned_at: datetime
    plan_number: str | None = Field(default=None, sa_type=Words)


class Scheme(SQLModel, table=True):
    """An assessment scheme under a plan number; its body keeps groups, indicators and rules."""

    __tablename__ = "assessment_scheme"
    id: UUID = Field(primary_key=True)
    title: str
    plan_number: str = Field(foreign_key="plan_entry.number")
    body: dict[str, Any] = Field(sa_type=JsonText)
    made_by: UUID | None = Field(default=None, foreign_key="account.id")
    made_at: datetime
    ended_at: datetime | None = None


class ObservationPoint(SQLModel, table=True):
    """A grid whose trend is watched by itself (基层观测点)."""

    __tablename__ = "observation_point"
    grid_code: str = Field(primary_key=True)
    marked_by: UUID | None = Field(default=None, foreign_key="account.id")
    marked_at: datetime
