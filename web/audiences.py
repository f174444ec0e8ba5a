"""The pages of each audience and the API, in one list."""

from flask import Flask

from web import admin, api, community, department, dispatcher, hotline, resident, supervisor, worker
from web.desk.routes import blueprint as desk
from web.language import scripts
from web.oversight import inspecting, leads, letters, rechecking
from web.service import links, look
from web.shown import evidence, ticket
from web.standing import borders, generations, places, returns, rules, sheets, tables, tiles
from web.switchboard import blueprint as switchboard

BLUEPRINTS = (
    admin.blueprint,
    api.blueprint,
    borders.blueprint,
    community.blueprint,
    department.blueprint,
    desk,
    dispatcher.blueprint,
    evidence.blueprint,
    hotline.blueprint,
    inspecting.blueprint,
    leads.blueprint,
    letters.blueprint,
    links.blueprint,
    look.blueprint,
    places.blueprint,
    rechecking.blueprint,
    resident.blueprint,
    sheets.blueprint,
    generations.blueprint,
    returns.blueprint,
    rules.blueprint,
    scripts.blueprint,
    supervisor.blueprint,
    switchboard,
    tables.blueprint,
    ticket.blueprint,
    tiles.blueprint,
    worker.blueprint,
    worker.phone,
)


def register(app: Flask) -> None:
    """Hang every audience's pages into the application."""
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
