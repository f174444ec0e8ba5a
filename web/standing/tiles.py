"""Map pictures from a PMTiles file of the city's own, where `TILE_URL` names one: no map service is asked then."""

from flask import Blueprint, Response, current_app
from flask.typing import ResponseReturnValue

from geo.files.pmtiles import Tiles
from grid.errors import NotFound
from web.gate.access import permission_required
from web.service.context import settings

blueprint = Blueprint("tiles", __name__, url_prefix="/map/tiles")


@blueprint.get("/<int:zoom>/<int:x>/<int:y>")
@permission_required("ticket:read", "figures:read", "standing:change")
def tile(zoom: int, x: int, y: int) -> ResponseReturnValue:
    """One picture."""
    file = settings().tiles_file
    if file is None:
        raise NotFound("没有底图文件")
    opened = current_app.extensions.get("tiles") or current_app.extensions.setdefault("tiles", Tiles(file))
    found = opened.tile(zoom, x, y)
    if found is None:
        raise NotFound("底图里没有这一块")
    response = Response(found, mimetype=opened.media_type)
    response.headers["Cache-Control"] = "private, max-age=86400"
    return response
