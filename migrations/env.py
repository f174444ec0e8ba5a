"""How Alembic reaches the database: the same engine as the application, on SQLite and PostgreSQL.

The address comes from the caller (`grid.schema`) or, on the command line, from the settings.
"""

from typing import Any

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection
from sqlalchemy.types import TypeDecorator
from sqlmodel import SQLModel

import dispatch.insight.tables
import dispatch.record.desks.models
import dispatch.record.lines.models
import dispatch.record.models
import dispatch.record.oversight.models  # noqa: F401
import grid.codes
import grid.models
import grid.registers.tables  # noqa: F401
from grid.database import make_engine
from grid.settings import load_settings


def database_url() -> str:
    given = context.get_x_argument(as_dictionary=True).get("url")
    return context.config.attributes.get("database_url") or given or load_settings().database_url


def plain_types(kind: str, thing: Any, _context: AutogenContext) -> str | bool:
    """Write our column types as what they are in the database, so that old migrations never need our code."""
    if kind != "type" or not isinstance(thing, TypeDecorator):
        return False
    return f"sa.{thing.impl_instance!r}"


def prepare(connection: Connection) -> None:
    """Let go of limits meant for requests; SQLite rebuilds tables, which its foreign keys would forbid."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET statement_timeout = 0")
        # Whoever waits for a table's lock makes everybody behind it wait: give way, `schema.upgrade` tries again.
        connection.exec_driver_sql("SET lock_timeout = 800")
        connection.commit()
        return
    cursor = connection.connection.cursor()  # outside a transaction, where the pragma has an effect
    cursor.execute("PRAGMA foreign_keys=OFF")
    cursor.close()


def check_references(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if broken:
            raise RuntimeError(f"foreign keys broken by the migration: {broken[:5]}")


def run() -> None:
    engine = make_engine(database_url())
    try:
        with engine.connect().execution_options(grid_write=True) as connection:
            prepare(connection)
            context.configure(
                connection=connection,
                target_metadata=SQLModel.metadata,
                render_as_batch=connection.dialect.name == "sqlite",
                render_item=plain_types,
            )
            with context.begin_transaction():
                context.run_migrations()
                check_references(connection)
    finally:
        engine.dispose()


run()
