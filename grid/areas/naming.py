"""What areas are called: those of the borders in force, and those that went with earlier ones."""

from typing import NamedTuple

from sqlmodel import Session, col, select

from grid.models import Area, Generation, GenerationState


class AreaName(NamedTuple):
    """What is kept in memory of an area."""

    name: str
    level: str
    parent_code: str | None


def present(session: Session, generation_id: int | None) -> dict[str, AreaName]:
    """The areas of a generation."""
    query = select(Area.code, Area.name, Area.level, Area.parent_code).where(
        col(Area.generation_id) == generation_id
    )
    return {code: AreaName(name, str(level), parent) for code, name, level, parent in session.exec(query)}


def former(session: Session, generation_id: int | None) -> dict[str, AreaName]:
    """What retired generations had and this one has not, as it was called the last time."""
    here = select(Area.code).where(col(Area.generation_id) == generation_id)
    query = (
        select(Area.code, Area.name, Area.level, Area.parent_code)
        .join(Generation, col(Generation.id) == col(Area.generation_id))
        .where(Generation.state == GenerationState.RETIRED, col(Area.code).not_in(here))
        .order_by(col(Generation.active_to), col(Generation.id))
    )
    return {code: AreaName(name, str(level), parent) for code, name, level, parent in session.exec(query)}
