"""Many rows at once: on PostgreSQL by COPY and straight from the driver, else by plain statements."""

from collections.abc import Sequence
from typing import Any

import psycopg
from sqlalchemy import Select, insert
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel


def put(
    session: Session, table: type[SQLModel], names: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert rows whose values stand in the order of these columns."""
    if not rows:
        return
    if session.get_bind().dialect.name != "postgresql":
        session.execute(insert(table), [dict(zip(names, row, strict=True)) for row in rows])
        return
    columns = ", ".join(f'"{name}"' for name in names)
    copied = f"COPY {table.__tablename__} ({columns}) FROM STDIN"
    with _driver(session).cursor() as cursor:
        try:
            with cursor.copy(copied) as copy:
                for row in rows:
                    copy.write_row(row)
        except psycopg.errors.UniqueViolation as error:
            raise IntegrityError(copied, None, error) from error


def rows(session: Session, query: Select[*tuple[Any, ...]]) -> list[Any]:
    """What a query finds. PostgreSQL's driver knows instants and ids by itself; what the column types would add to them
    (nothing that is asked for here) costs more than all the rest."""
    bind = session.get_bind()
    if bind.dialect.name != "postgresql":
        return list(session.execute(query))
    asked = query.compile(dialect=bind.dialect, compile_kwargs={"render_postcompile": True})
    with _driver(session).cursor(binary=True) as cursor:
        return list(cursor.execute(str(asked), asked.params).fetchall())


def _driver(session: Session) -> Any:
    return session.connection().connection.driver_connection
