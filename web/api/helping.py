"""Help while typing, for programs and pages: categories for a text, open tickets alike, places by name.

What was said may hold names, so it is sent in the body, never in an address that ends up in logs.
"""

from typing import Annotated

from flask.typing import ResponseReturnValue
from pydantic import BaseModel, Field

from dispatch.insight import resembling
from dispatch.insight.suggesting import proposing
from dispatch.record.judging import routes
from dispatch.record.models import Source
from geo.errors import GeoError
from geo.frames import to_wgs84
from grid.errors import GridError, InputError
from grid.registers import gazetteer
from web.api.blueprint import blueprint
from web.forms import Code, Empty, Frames, Short, Strict, Words
from web.gate.access import current_actor, permission_required
from web.service.context import database, geocoder, now, world
from web.shown.labels import state_label

UNANSWERED = "在线地名服务没有应答,只列出本地的地名"
KNOWN_FIT = 0.9  # the city's own name for it: nobody else is asked
LEAST_ONLINE = 2
REPORTING = ("ticket:report", "ticket:register", "ticket:dispatch")
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]


class CategoriesIn(Strict):
    """What was said, and where if that is known."""

    text: Words = None
    lon: Annotated[Longitude | None, Empty] = None
    lat: Annotated[Latitude | None, Empty] = None
    frame: Frames = "wgs84"


class SimilarIn(Strict):
    """What is about to be reported."""

    category_code: Code
    lon: Longitude
    lat: Latitude
    frame: Frames = "wgs84"
    text: Words = None


class DoubtIn(Strict):
    """Where somebody stands, how sure the device is, and what is about to be reported."""

    category_code: Code
    lon: Longitude
    lat: Latitude
    accuracy_m: Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)]
    frame: Frames = "wgs84"


class PlacesQuery(Strict):
    """A part of a name, or its pinyin initials."""

    q: Short


class SuggestionOut(BaseModel):
    code: str
    name: str
    path: str
    confidence: float
    why: str


class SuggestionsOut(BaseModel):
    categories: list[SuggestionOut]


class SimilarOut(BaseModel):
    """An open ticket that may be the same matter; `same` may be merged without asking."""

    code: str
    category: str
    state: str
    distance_m: float
    same: bool
    reason: str
    lon: float
    lat: float


class SimilarsOut(BaseModel):
    tickets: list[SimilarOut]


class CandidateOut(BaseModel):
    """A grid that may be meant, the part of the accuracy circle in it, and who would get the matter there."""

    grid_code: str
    name: str
    share: float
    unit: str | None


class DoubtOut(BaseModel):
    """Empty where it does not matter: then nobody is asked."""

    candidates: list[CandidateOut]


class PlaceOut(BaseModel):
    name: str
    kind: str
    address: str | None
    lon: float
    lat: float
    frame: str = "wgs84"
    fit: float


class PlacesOut(BaseModel):
    """`note` says so when the service on the net did not answer and only the city's own names are listed."""

    places: list[PlaceOut]
    note: str | None = None


@blueprint.post("/suggest/categories")
@permission_required(*REPORTING)
@blueprint.input(CategoriesIn, arg_name="form")
@blueprint.output(SuggestionsOut)
@blueprint.doc(
    summary="The categories that a text most likely means, the likeliest first", responses=[401, 403, 422]
)
def categories(form: CategoriesIn) -> ResponseReturnValue:
    with database().reading() as session:
        standing = world().refresh(session)
        area = _street(form)
        found = proposing.suggest(session, standing, form.text or "", area_code=area, at=now())
    out = []
    for one in found:
        path = " › ".join(standing.categories[code].name for code in reversed(standing.lineage(one.code)[:2]))
        out.append(
            SuggestionOut(code=one.code, name=one.name, path=path, confidence=one.confidence, why=one.why)
        )
    return SuggestionsOut(categories=out)  # type: ignore[return-value]


@blueprint.post("/suggest/similar")
@permission_required(*REPORTING)
@blueprint.input(SimilarIn, arg_name="form")
@blueprint.output(SimilarsOut)
@blueprint.doc(summary="Open tickets near a place that may be the same matter", responses=[401, 403, 422])
def similar(form: SimilarIn) -> ResponseReturnValue:
    lon, lat = to_wgs84(lon=form.lon, lat=form.lat, frame=form.frame)
    with database().reading() as session:
        standing = world().refresh(session)
        found = resembling.similar(
            session,
            standing,
            category_code=standing.category(form.category_code).code,
            lon=lon,
            lat=lat,
            at=now(),
            text=form.text or "",
            public=not current_actor().may("ticket:register"),
        )
    tickets = [
        SimilarOut(
            code=one.ticket.code,
            category=one.category,
            state=state_label(one.ticket.state),
            distance_m=round(one.alike.distance_m, 1),
            same=one.alike.same,
            reason=one.alike.reason,
            lon=one.ticket.lon,
            lat=one.ticket.lat,
        )
        for one in found
    ]
    return SimilarsOut(tickets=tickets)  # type: ignore[return-value]


@blueprint.post("/suggest/doubt")
@permission_required(*REPORTING)
@blueprint.input(DoubtIn, arg_name="form")
@blueprint.output(DoubtOut)
@blueprint.doc(
    summary="Which grid is meant, asked only where another one would go to another unit; the answer is `chosen_grid`",
    responses=[401, 403, 422, 503],
)
def doubt(form: DoubtIn) -> ResponseReturnValue:
    with database().reading() as session:
        standing = world().refresh(session)
        category = standing.category(form.category_code)
        try:
            found = world().locate(lon=form.lon, lat=form.lat, accuracy_m=form.accuracy_m, frame=form.frame)
        except GeoError as error:
            raise InputError(str(error), {"location": str(error)}) from error
        options = routes.doubt_at(standing, category.code, Source.PATROL, found, now())
    candidates = [
        CandidateOut(
            grid_code=code,
            name=standing.areas[code].name if code in standing.areas else code,
            share=round(share, 3),
            unit=standing.organisations[main].name if main in standing.organisations else None,
        )
        for code, share, main in options
    ]
    return DoubtOut(candidates=candidates)  # type: ignore[return-value]


@blueprint.get("/suggest/places")
@permission_required(*REPORTING, "lead:screen")
@blueprint.input(PlacesQuery, location="query", arg_name="query")
@blueprint.output(PlacesOut)
@blueprint.doc(summary="Places by a part of their name or by pinyin initials", responses=[401, 403, 422])
def places(query: PlacesQuery) -> ResponseReturnValue:
    with database().reading() as session:
        found = gazetteer.find(session, query.q)
    note = None
    service = geocoder()
    if service is not None and len(query.q) >= LEAST_ONLINE and not any(p.fit >= KNOWN_FIT for p in found):
        more = service.find(query.q)
        note = UNANSWERED if more is None else None
        found += more or []
    out = [
        PlaceOut(name=p.name, kind=p.kind, address=p.address, lon=p.lon, lat=p.lat, fit=p.fit) for p in found
    ]
    return PlacesOut(places=out, note=note)  # type: ignore[return-value]


def _street(form: CategoriesIn) -> str | None:
    """The street (or what there is) at the position, for texts that mean something else elsewhere."""
    if form.lon is None or form.lat is None:
        return None
    try:
        placed = world().locate(lon=form.lon, lat=form.lat, accuracy_m=None, frame=form.frame)
    except (GridError, ValueError):
        return None
    return placed.codes.get("street") or placed.codes.get("district")
