"""What a start does before any part runs: migrations, the shipped rows, the demo city or the first administrator."""

from datetime import UTC, datetime

import click
from flask import Flask

from dispatch.seeding import seed
from grid import accounts, schema
from grid.database import Database
from grid.settings import Settings, load_settings


def register(app: Flask) -> None:
    """Add the preparing commands to `flask …`."""
    app.cli.add_command(migrate)


@click.command()
def migrate() -> None:
    """Bring the database to the newest migration and put in shipped rows that are missing."""
    for line in prepare(load_settings()):
        click.echo(line)


def prepare(settings: Settings) -> list[str]:
    """Make the database ready for this version; return what to tell about signing in."""
    schema.upgrade(settings.database_url)
    database = Database(settings.database_url)
    try:
        now = datetime.now(UTC)
        database.write(lambda session: seed(session, now))
        return _first_steps(settings, database, now)
    finally:
        database.dispose()


def _first_steps(settings: Settings, database: Database, now: datetime) -> list[str]:
    token = database.write(lambda session: accounts.make_first_administrator_link(session, now))
    if token is None:
        return []
    return [f"首次使用：打开 {settings.base_url}/first/{token} 建立系统管理员（一次有效，7 天内）。"]
