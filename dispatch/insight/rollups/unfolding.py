"""How long things took, folded into tally rows, unfolded again by the database."""

from typing import Any, NamedTuple

from sqlalchemy import JSON, Join, column, func, true, type_coerce
from sqlalchemy import cast as in_sql
from sqlmodel import Session, col

from dispatch.insight.rollups.models import Tally


class Unfolded(NamedTuple):
    """Tally rows joined with every stretch that ended in them, and what is read of one."""

    joined: Join
    clock: Any
    stage: Any
    minutes: Any


def unfolded(session: Session) -> Unfolded:
    """What to select from, and the columns of a stretch."""
    folded = col(Tally.took)
    if session.get_bind().dialect.name == "sqlite":
        each: Any = func.json_each(folded)
    else:
        each = func.json_array_elements(in_sql(folded, JSON))
    stretches = each.table_valued(column("value", JSON), name="stretch")
    value = type_coerce(stretches.c.value, JSON)
    joined = Tally.__table__.join(stretches, true())  # type: ignore[attr-defined]
    return Unfolded(joined, value[0].as_string(), value[1].as_string(), value[2].as_integer())
