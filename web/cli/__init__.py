"""The `flask …` commands, one file per task. They may know Flask; what they call may not."""

from flask import Flask

from web.cli import borders, demo, dispatching, operating, preparing, registers, rules, running, standing
from web.cli.preparing import read_settings

__all__ = ["read_settings", "register"]


def register(app: Flask) -> None:
    """Add every command to `flask …`."""
    for task in (borders, demo, dispatching, operating, preparing, registers, rules, running, standing):
        task.register(app)
