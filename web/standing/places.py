"""The borders as GeoJSON, from which maps are drawn without any tiles."""

import gzip
from collections import Counter
from functools import lru_cache
from typing import Any

from flask import Blueprint, Response, current_app, request, send_file, url_for
from flask.typing import ResponseReturnValue
from shapely import from_wkb, simplify
from shapely.geometry import mapping
from sqlmodel import Session, col, select

from dispatch.record.world import Standing, World
from geo.borders import Level
from geo.errors import GeoError
from grid.areas import generations
from grid.areas.mapcopies import LEVELS, map_copy
from grid.database import Database
from grid.errors import GridError, Unavailable
from grid.models import Area
from web.gate.access import current_actor, permission_required
from web.service.context import database, settings, world

blueprint = Blueprint("places", __name__, url_prefix="/map")

TOLERANCE_DEGREES = 0.00001  # about a metre: borders look the same and weigh half
MOST_AREAS = 400
MOST_CHOICES = 3000
MOST_OUTLINES = 600
NEIGHBOURHOODS = (Level.STREET, Level.COMMUNITY)  # of which a map shows all grids
OUTLINE_ZOOM = 14


@blueprint.get("/areas")
@permission_required("ticket:read", "lead:read", "standing:change")
def areas() -> ResponseReturnValue:
    """The grids of the street around a point or area, or else of one's own grids; one's own are marked."""
    own = current_actor().area_codes
    code = request.args.get("code")
    with database().reading() as session:
        generation_id = world().refresh(session).generation_id
        around = _around(request.args.get("lon", type=float), request.args.get("lat", type=float))
        around |= {code} if code else set()
        streets = _streets(session, generation_id, around or set(own) or _any(session, generation_id))
    features = [
        {
            **feature,
            "properties": {**feature["properties"], "own": bool(own & set(feature["properties"]["above"]))},
        }
        for street in sorted(streets)
        for feature in features_of(database(), generation_id, street)
    ]
    body = current_app.json.dumps({"type": "FeatureCollection", "features": features[:MOST_AREAS]})
    response = Response(body, mimetype="application/geo+json")
    response.headers["Cache-Control"] = "private, max-age=600"
    return response


@blueprint.get("/<level>/<int:zoom>")
@permission_required("ticket:read", "figures:read", "standing:change")
def overview(level: str, zoom: int) -> ResponseReturnValue:
    """All areas of one level, simplified for a zoom: a file that is made once for each generation."""
    with database().reading() as session:
        active = generations.active_generation(session)
        if active is None:
            raise Unavailable("还没有启用的边界")
        path = map_copy(session, settings().instance_path, active, level, zoom)
    if request.accept_encodings.quality("gzip") > 0:
        response = send_file(path, mimetype="application/geo+json", conditional=True, max_age=600)
        response.headers["Content-Encoding"] = "gzip"
    else:
        response = Response(gzip.decompress(path.read_bytes()), mimetype="application/geo+json")
    response.vary.add("Accept-Encoding")
    return response


def neighbourhoods(standing: Standing) -> list[tuple[str, str]]:
    """Code and name of every street; of every community where a city has no streets."""
    for level in NEIGHBOURHOODS:
        found = sorted((code, area.name) for code, area in standing.areas.items() if area.level == level)
        if found:
            return found
    return []


def outlines(standing: Standing) -> str:
    """Where a map of everything gets its lines: the finest level of which a map can show all."""
    number = Counter(area.level for area in standing.areas.values())
    level = next((one for one in reversed(LEVELS) if 0 < number[one] <= MOST_OUTLINES), LEVELS[0])
    return url_for("places.overview", level=level, zoom=OUTLINE_ZOOM)


def _around(lon: float | None, lat: float | None) -> set[str]:
    """The finest area at the point, if it lies in one."""
    if lon is None or lat is None:
        return set()
    try:
        placed = world().locate(lon=lon, lat=lat, accuracy_m=None, frame="wgs84")
    except (GeoError, GridError):
        return set()
    found = placed.finest or placed.nearest
    return {found} if found else set()


def _any(session: Session, generation_id: int | None) -> set[str]:
    """Some street to begin with, for who has no grids of their own."""
    query = select(Area.code).where(Area.generation_id == generation_id, col(Area.level).in_(NEIGHBOURHOODS))
    return set(session.exec(query.order_by(Area.code).limit(1)))


def _streets(session: Session, generation_id: int | None, codes: set[str]) -> set[str]:
    """The streets (where a city has none: the communities) that hold these areas."""
    found = set()
    for code in codes:
        lineage = _lineage(session, generation_id, code)
        by_level = {area.level: area.code for area in lineage}
        if lineage:
            found.add(next((by_level[one] for one in NEIGHBOURHOODS if one in by_level), lineage[-1].code))
    return found


def _lineage(session: Session, generation_id: int | None, code: str | None) -> list[Area]:
    lineage: list[Area] = []
    while code and (area := session.get(Area, (generation_id, code))) is not None:
        lineage.append(area)
        code = area.parent_code
    return lineage


@lru_cache(maxsize=64)
def features_of(its: Database, generation_id: int | None, top: str) -> tuple[dict[str, Any], ...]:
    """The grids below an area as GeoJSON; borders of a generation never change, so they are kept."""
    found: list[dict[str, Any]] = []
    with its.reading() as session:
        level: dict[str, tuple[str, ...]] = {top: (top,)}
        while level:
            query = select(Area).where(
                Area.generation_id == generation_id, col(Area.parent_code).in_(list(level))
            )
            children = list(session.exec(query))
            found += [
                _feature(a, (*level[a.parent_code or ""], a.code)) for a in children if a.level is Level.GRID
            ]
            level = {
                a.code: (*level[a.parent_code or ""], a.code) for a in children if a.level is not Level.GRID
            }
    return tuple(found)


def _feature(area: Area, above: tuple[str, ...]) -> dict[str, Any]:
    shape = simplify(from_wkb(area.wkb), TOLERANCE_DEGREES)
    geometry = mapping(shape)
    return {
        "type": "Feature",
        "geometry": {"type": geometry["type"], "coordinates": _rounded(geometry["coordinates"])},
        "properties": {"code": area.code, "name": area.name, "above": above},
    }


def _rounded(coordinates: Any) -> Any:
    """Coordinates to a tenth of a metre."""
    if isinstance(coordinates, float):
        return round(coordinates, 6)
    return [_rounded(part) for part in coordinates]


def point_in(its: World, session: Session, code: str) -> tuple[float, float] | None:
    """A point inside an area, for who has no position to give; of one that went with its borders where it was."""
    area = session.get(Area, (its.refresh(session).generation_id, code))
    if area is None:
        area = session.get(Area, (generations.last_with(session, code), code))
    if area is None:
        return None
    point = from_wkb(area.wkb).representative_point()
    return point.x, point.y


def grids_of(its: World, session: Session) -> list[tuple[str, str]]:
    """Code and name of every grid, for choosing by name."""
    query = select(Area.code, Area.name).where(
        Area.generation_id == its.refresh(session).generation_id, Area.level == Level.GRID
    )
    return list(session.exec(query.order_by(Area.code).limit(MOST_CHOICES)).all())
