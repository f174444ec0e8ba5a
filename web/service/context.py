"""The application's parts, for code that runs inside a request."""

from datetime import UTC, datetime
from typing import cast

from flask import current_app, g

from dispatch.record.world import World
from grid.database import Database
from grid.registers.geocoding import Online
from grid.settings import Settings


def settings() -> Settings:
    """This deployment's settings."""
    return cast(Settings, current_app.extensions["settings"])


def database() -> Database:
    """The one way to the database."""
    return cast(Database, current_app.extensions["database"])


def world() -> World:
    """This process's view of the standing world."""
    return cast(World, current_app.extensions["world"])


def geocoder() -> Online | None:
    """The service on the net that knows places, where the settings name one."""
    return cast("Online | None", current_app.extensions.get("geocoder"))


def moment() -> datetime:
    """What the clock says."""
    return datetime.now(UTC)


def now() -> datetime:
    """The instant of this request: one and the same in all of it."""
    if "now" not in g:
        g.now = moment()
    return cast(datetime, g.now)
