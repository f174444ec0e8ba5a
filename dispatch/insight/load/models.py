"""Thresholds of load, as rows."""

from sqlmodel import Field, SQLModel


class LoadLimit(SQLModel, table=True):
    """From which load on a grid, community or organisation is overloaded; `code` '*' is everybody of that kind."""

    __tablename__ = "load_limit"
    kind: str = Field(primary_key=True)
    code: str = Field(primary_key=True)
    hours: float
