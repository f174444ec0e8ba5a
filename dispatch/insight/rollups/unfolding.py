"""How long things took, folded into tally rows, unfolded again by the database."""

from typing import Any, NamedTuple

from sqlalchemy import JSON, Join, Text, column, func, true, type_coerce
from sqlalchemy import cast as in_sql
from sqlmodel import Session, col

from dispatch.insight.rollups.models import Tally


class Unfolded(NamedTuple):
    """Tally rows joined with every stretch that ended in them; a stretch is still text, so that alike ones can be
    counted before one of them is taken apart."""

    joined: Join
    stretch: Any


def unfolded(session: Session) -> Unfolded:
    """What to select from, and the column of stretches."""
    folded = col(Tally.took)
    if _is_sqlite(session):
        each: Any = func.json_each(folded)
    else:
        each = func.json_array_elements_text(in_sql(folded, JSON))
    stretches = each.table_valued(column("value", Text), name="stretch")
    return Unfolded(Tally.__table__.join(stretches, true()), stretches.c.value)  # type: ignore[attr-defined]


def taken_apart(session: Session, stretch: Any) -> tuple[Any, Any, Any]:
    """Clock, stage and minutes of a stretch."""
    parts: Any = type_coerce(stretch, JSON) if _is_sqlite(session) else in_sql(stretch, JSON)
    return parts[0].as_string(), parts[1].as_string(), parts[2].as_integer()


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"
