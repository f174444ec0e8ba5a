"""`flask demo create`: the made-up city, for trying the service out."""

import click
from flask import Flask
from flask.cli import AppGroup

from dispatch.demo import creating
from grid import schema
from grid.errors import GridError
from web.service.context import database, moment, settings


def register(app: Flask) -> None:
    """Add the group to `flask …`."""
    app.cli.add_command(demo)


demo = AppGroup("demo", help="A made-up city for trying the service out.")


@demo.command("create")
def create() -> None:
    """Make the city in an empty database; an existing one keeps everything that was done in it."""
    try:
        schema.upgrade(settings().database_url)
        made = creating.create(database(), settings(), moment())
    except GridError as error:
        raise click.ClickException(error.message) from error
    click.echo("演示城市已建好。" if made.made_now else "演示城市已在,保留原有数据。")
    for line in made.lines():
        click.echo(line)
