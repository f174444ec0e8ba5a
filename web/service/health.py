"""`/healthz`: this process answers. `/readyz`: everything that a request needs is there."""

from collections.abc import Callable
from datetime import UTC, datetime

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from dispatch.engine.health.operating import redis_answers
from dispatch.engine.parts.heartbeats import alive
from grid import schema
from web.gate.access import public
from web.service.context import database, settings

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@public
def healthz() -> ResponseReturnValue:
    return jsonify(alive=True)


@blueprint.get("/readyz")
@public
def readyz() -> ResponseReturnValue:
    """Each part with whether it is well; 503 when one is not. It names parts, never reasons or addresses."""
    parts = parts_that_are_well()
    ready = all(parts.values())
    return jsonify(ready=ready, parts=parts), 200 if ready else 503


def parts_that_are_well() -> dict[str, bool]:
    """Each part with whether its check holds now."""
    return {name: _holds(check) for name, check in CHECKS.items()}


def _holds(check: Callable[[], bool]) -> bool:
    try:
        return check()
    except Exception:  # whatever breaks a check, the part is not ready
        return False


def _database_answers() -> bool:
    with database().reading() as session:
        return bool(session.execute(text("SELECT 1")).scalar_one() == 1)


def _seen_lately(part: str) -> bool:
    with database().reading() as session:
        return alive(session, now=datetime.now(UTC)).get(part, 0) > 0


def _migrations_are_current() -> bool:
    return schema.is_current(database())


CHECKS: dict[str, Callable[[], bool]] = {
    "database": _database_answers,
    "migrations": _migrations_are_current,
    "redis": lambda: redis_answers(settings()),
    "worker": lambda: _seen_lately("worker"),
    "sweeper": lambda: _seen_lately("sweeper"),
}
