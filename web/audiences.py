"""The pages of each audience and the API, in one list."""

from flask import Flask

from web import (
    admin,
    api,
    borders,
    department,
    dispatcher,
    hotline,
    inspecting,
    leads,
    letters,
    links,
    places,
    resident,
    supervisor,
    ticket,
    worker,
)

BLUEPRINTS = (
    admin.blueprint,
    api.blueprint,
    borders.blueprint,
    department.blueprint,
    dispatcher.blueprint,
    hotline.blueprint,
    inspecting.blueprint,
    leads.blueprint,
    letters.blueprint,
    links.blueprint,
    places.blueprint,
    resident.blueprint,
    supervisor.blueprint,
    ticket.blueprint,
    worker.blueprint,
)


def register(app: Flask) -> None:
    """Hang every audience's pages into the application."""
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
