"""The values that the phone keeps to work without network, for one account; leaving wipes them there."""

from datetime import UTC
from typing import Any

from flask import Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf
from shapely import from_wkb
from sqlmodel import Session

from dispatch.record.evidence import pictures
from dispatch.record.judging import questions
from dispatch.record.models import Ticket
from dispatch.record.reading import around
from dispatch.record.world import Standing
from geo.errors import GeoError
from grid.errors import GridError
from grid.models import Area, Category
from web.forms import PAYLOAD_VERSION, NearForm, PlaceForm, check
from web.gate.access import current_actor, permission_required, signed_in
from web.service.context import database, now, world
from web.shown import showing
from web.shown.categories import chips_of, classes_of
from web.shown.labels import clock_of, masked, state_label, when
from web.shown.lists import area_names
from web.shown.navigation import menu_of
from web.worker.blueprint import blueprint
from web.worker.inspecting import visits_of
from web.worker.today import Part, address_of, own_grids, parts_of

KINDS = ("event", "part")
MOST_KEPT = 20


@blueprint.get("/session.json")
@signed_in
def session_now() -> ResponseReturnValue:
    """Whose session this is, the form token, and what the server's clock says: asked before anything is sent."""
    actor = current_actor()
    return _private(
        {
            "account": str(actor.account_id),
            "name": actor.name,
            "csrf": generate_csrf(),
            "now": now().astimezone(UTC).isoformat(),
            "payload_version": PAYLOAD_VERSION,
        }
    )


@blueprint.get("/desk.json")
@permission_required("ticket:report")
def desk() -> ResponseReturnValue:
    """Everything the pages need: categories with their questions, own grids, today's list."""
    actor = current_actor()
    with database().reading() as session:
        standing = world().refresh(session)
        parts = parts_of(session, actor)
        names = area_names(standing, [ticket for part in parts for ticket in part.tickets])
        chips = chips_of(session, standing, actor)
        values = {
            "account": str(actor.account_id),
            "name": actor.name,
            "heic": "HEIF" in pictures.FORMATS,
            "at": now().astimezone(UTC).isoformat(),
            "menu": [{"label": e.label, "href": url_for(e.endpoint)} for e in menu_of(actor)],
            "chips": [category.code for category in chips],
            "classes": [
                {"name": name, "categories": [_category(standing, leaf) for leaf in leaves]}
                for name, leaves in classes_of(standing, kinds=KINDS)
            ],
            "grids": [_grid(area.code, area.name, area.wkb) for area in own_grids(session, standing, actor)],
            "parts": [_part(standing, names, part) for part in parts],
            "verifying": _kept(session, parts, "verify", ("verify_pass", "verify_fail")),
            "answering": _kept(session, parts, "answer", ("supply", "supply_intake")),
            "visits": visits_of(session, actor) if actor.may("inspection:check") else [],
        }
    return _private(values)


@blueprint.post("/near.json")
@permission_required("ticket:report")
def near() -> ResponseReturnValue:
    """What is open close by, and reminders of the last day; the place is in the body, so that no log keeps it."""
    form = check(NearForm, request.get_json(silent=True) or {})
    with database().reading() as session:
        standing = world().refresh(session)
        place = {"lon": form.lon, "lat": form.lat}
        found = around.alike(session, standing, category_code=form.category_code, now=now(), **place)
        reminded = around.reminders(session, category_code=form.category_code, now=now(), **place)
        names = area_names(standing, [ticket for ticket, _ in found])
        alike = [
            {**_ticket(standing, names, ticket, "nearby"), "why": one.reason} for ticket, one in found[:3]
        ]
    return _private({"alike": alike, "reminded": reminded})


@blueprint.post("/where.json")
@permission_required("ticket:report")
def where() -> ResponseReturnValue:
    """In which grid a place lies, said before the report is sent; asked in the body, so that no log keeps it."""
    form = check(PlaceForm, request.get_json(silent=True) or {})
    with database().reading() as session:
        standing = world().refresh(session)
        try:
            placed = world().locate(lon=form.lon, lat=form.lat, accuracy_m=form.accuracy_m, frame="wgs84")
        except (GeoError, GridError):
            return _private({"inside": False, "words": "不在本市范围,请核对"})
        area = session.get(Area, (standing.generation_id, placed.codes.get("grid") or ""))
    if area is None:
        return _private({"inside": False, "words": "不在任何网格内,请核对"})
    return _private({"inside": True, "words": area.name})


def _category(standing: Standing, category: Category) -> dict[str, Any]:
    return {
        "code": category.code,
        "name": category.name,
        "words": category.keywords or "",
        "text": category.needs_text,
        "photo": category.needs_photo,
        "urgent": category.urgent,
        "questions": questions_of(standing, category.code),
    }


def questions_of(standing: Standing, category_code: str) -> list[dict[str, Any]]:
    """What a category asks, as the pages show it."""
    return [
        {
            "id": row.id,
            "text": row.text,
            "choices": list(questions.choices(row).items()),
            "stop_on": row.stop_on,
            "stop_text": row.stop_text,
            "stop_phone": row.stop_phone,
        }
        for row in questions.asked(standing, category_code)
    ]


def _grid(code: str, name: str, wkb: bytes) -> dict[str, Any]:
    point = from_wkb(wkb).representative_point()
    return {"code": code, "name": name, "lon": point.x, "lat": point.y}


def _part(standing: Standing, names: dict[str, str], part: Part) -> dict[str, Any]:
    tickets = [_ticket(standing, names, ticket, part.key) for ticket in part.tickets]
    return {"key": part.key, "title": part.title, "empty": part.empty, "tickets": tickets}


def _ticket(standing: Standing, names: dict[str, str], ticket: Ticket, part: str) -> dict[str, Any]:
    look, words = clock_of(ticket)
    return {
        "code": ticket.code,
        "title": standing.categories[ticket.category_code].name,
        "urgent": ticket.urgent,
        "place": names.get(ticket.grid_code or "") or names.get(ticket.street_code or "") or "未落格",
        "reported": when(ticket.reported_at),
        "state": state_label(ticket.state),
        "clock": [look, words],
        "due_at": ticket.due_at.astimezone(UTC).isoformat() if ticket.due_at else None,
        "lon": ticket.lon,
        "lat": ticket.lat,
        "href": address_of(part, ticket),
    }


def _kept(session: Session, parts: list[Part], key: str, actions: tuple[str, ...]) -> dict[str, Any]:
    """What is to be done, with all that its page shows: it can be done where there is no signal."""
    tickets = next(part.tickets for part in parts if part.key == key)[:MOST_KEPT]
    found = {}
    for ticket in tickets:
        shown = showing.show(session, ticket.code, current_actor(), world(), now())
        possible = {p.row.action: p for p in shown.possible if p.row.action in actions}
        if not possible:
            continue
        asked = [said.text for line in shown.told()[-1:] for said in line.said]
        found[ticket.code] = {
            "title": shown.category.name,
            "place": shown.place,
            "text": shown.description,
            "answer": masked(shown.answer),
            "asked": ";".join(asked) if key == "answer" else "",
            "version": ticket.version,
            "actions": list(possible),
            "before": [_photo(ticket.code, sha) for sha in shown.photos_before[:1]],
            "after": [_photo(ticket.code, sha) for sha in shown.photos_after[:1]],
            "reported": when(ticket.reported_at),
            "handled": when(ticket.handled_at),
            "photo_needed": any(
                required
                for field, required in next(iter(possible.values())).fields
                if str(field.kind) == "photos"
            ),
        }
    return found


def _photo(code: str, sha256: str) -> str:
    return url_for("ticket.photo", code=code, sha256=sha256)


def _private(values: dict[str, Any]) -> Response:
    response = jsonify(values)
    response.headers["Cache-Control"] = "private, no-store"
    return response
