"""What the report endpoint is measured against: a hello, and the same rows put in by bare SQLAlchemy Core."""

import os
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from flask import Flask
from sqlalchemy import MetaData, Table, create_engine, insert, select
from uuid6 import uuid7

from grid.database import Database

# In the order of their references.
TABLES = (
    "ticket",
    "ticket_code",
    "ticket_event",
    "statement",
    "reporter",
    "assignment",
    "ticket_clock",
    "timer",
    "outbox",
    "ticket_photo",
    "client_key",
)


def hello() -> Flask:
    """The least that Flask can answer."""
    app = Flask("hello")
    app.add_url_rule("/hello", view_func=lambda: "hello")
    return app


def core() -> Flask:
    """One POST inserts copies of all rows of the one ticket that is there, under new ids, in one transaction."""
    engine = Database(os.environ["DATABASE_URL"]).engine
    patterns = read_rows(os.environ["DATABASE_URL"])
    app = Flask("core")

    def put() -> tuple[str, int]:
        with engine.begin() as connection:
            for table, rows in renewed(patterns):
                connection.execute(insert(table), rows)
        return "{}", 201

    app.add_url_rule("/core", view_func=put, methods=["POST"])
    return app


def read_rows(url: str) -> list[tuple[Table, list[dict[str, Any]]]]:
    """All rows that one report wrote, by table."""
    engine = create_engine(url)
    metadata = MetaData()
    metadata.reflect(engine, only=TABLES)
    with engine.connect() as connection:
        first = connection.execute(select(metadata.tables["ticket"].c.id)).scalars().first()
        found = []
        for name in TABLES:
            table = metadata.tables[name]
            owner = table.c.id if name == "ticket" else table.c.ticket_id
            rows = connection.execute(select(table).where(owner == first)).mappings()
            found.append((table, [dict(row) for row in rows]))
    engine.dispose()
    return [(table, rows) for table, rows in found if rows]


def renewed(
    patterns: Sequence[tuple[Table, list[dict[str, Any]]]],
) -> list[tuple[Table, list[dict[str, Any]]]]:
    """The same rows with every id new, references kept."""
    ids: dict[Any, Any] = {}

    def new(old: Any) -> Any:
        return ids.setdefault(old, uuid7())

    out = []
    for table, rows in patterns:
        fresh = []
        for row in rows:
            row = dict(row)
            for column in ("id", "ticket_id", "event_id", "clock_id"):
                if row.get(column) is not None:
                    row[column] = new(row[column])
            if "code" in row:
                row["code"] = uuid4().hex
            if "key" in row:
                row["key"] = uuid4().hex
            if "client_uuid" in row:
                row["client_uuid"] = uuid4()
            fresh.append(row)
        out.append((table, fresh))
    return out
