"""The application factory: settings → database → world → pages and API → commands → errors."""

import logging

from apiflask import APIFlask
from werkzeug.middleware.proxy_fix import ProxyFix

from dispatch.engine.health import tracing
from dispatch.record.world import World
from grid.database import Database
from grid.registers.geocoding import online
from grid.settings import Settings
from web import audiences, cli, errors, session
from web.gate import access, bodies, compressing, headers, limits
from web.language import choosing
from web.service import health, watching
from web.shown import labels

FORM_OVERHEAD_BYTES = 1024 * 1024


def create_app(settings: Settings | None = None) -> APIFlask:
    """Build the application; `settings` default to those of the environment and `instance/`."""
    its = settings or cli.read_settings()
    app = APIFlask(
        "app",
        title="网格治理 12345 派单",
        version="1",
        spec_path="/api/v1/openapi.json",
        docs_path=None,
        json_errors=False,
        template_folder="web/templates",
        static_folder="web/static",
        instance_path=str(its.instance_path),
    )
    app.config.update(
        MAX_CONTENT_LENGTH=its.max_photo_bytes * 3 + FORM_OVERHEAD_BYTES,
        SEND_FILE_MAX_AGE_DEFAULT=3600,
        TEMPLATES_AUTO_RELOAD=False,
    )
    app.logger.setLevel(logging.INFO)
    if its.trusted_proxies:
        hops = its.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    tracing.start(its)
    app.extensions.update(settings=its, database=Database(its.database_url), world=World(its))
    app.extensions.update(geocoder=online(its.geocoder, its.geocoder_answers))
    tracing.watch(app)
    watching.register(app)
    choosing.register(app, its)
    labels.register(app)
    bodies.register(app)
    compressing.register(app)
    headers.register(app, tile_url=its.tile_pattern, https=its.secure_cookies)
    session.register(app, its)
    limits.register(app, its)
    app.before_request(access.check_access)
    app.register_blueprint(health.blueprint)
    audiences.register(app)
    cli.register(app)
    errors.register(app)
    return app
