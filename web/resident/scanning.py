"""One grid, one code: whose grid it is, what is open nearby, and a report without account.

Works without JavaScript; the phone's position, where it is given, is used for this report and kept nowhere else.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session, col, select

from dispatch import data
from dispatch.engine import jobs
from dispatch.engine.sending import links
from dispatch.record import actions
from dispatch.record.intake import Mode, Report, Reported
from dispatch.record.models import Source, Ticket
from dispatch.record.reading import around
from dispatch.record.world import Standing
from dispatch.rules.workflow import STATES
from geo.errors import GeoError
from grid import accounts, codes
from grid.errors import GridError, InputError
from grid.models import Account, Category, Post
from grid.permissions import Actor
from web.forms import ScanForm, check
from web.gate.access import public
from web.gate.limits import guessable, reporting
from web.resident.blueprint import blueprint
from web.service.context import database, now, settings, world
from web.shown import photographs
from web.shown.categories import FREQUENT
from web.shown.consenting import NOTICE, NOTICE_VERSION
from web.shown.lists import names_of_areas
from web.standing.places import point_in

UNSURE = "other"
CHIPS = 8


@dataclass(frozen=True, slots=True)
class Grid:
    """What the page says of a grid; one that went with its borders is told by those that have its ground now."""

    code: str
    name: str
    place: str
    workers: tuple[tuple[str, str | None], ...]
    heirs: tuple[str, ...]
    former: str | None


def somebody(joined: UUID | None) -> Actor:
    """Whoever scanned a code: nobody by name, who may hand in a report, or join the one that they were shown."""
    return Actor(
        account_id=None,
        person_key="resident",
        name="居民",
        duty_class=None,
        channel="grid_code",
        linked_ticket=joined,
        linked_verbs=frozenset(
            {"ticket:submit", "ticket:merge", "ticket:read"} if joined else {"ticket:submit"}
        ),
    )


@blueprint.get("/g/<token>")
@public
@guessable
def scan(token: str) -> ResponseReturnValue:
    return _page(token, {"client_uuid": str(uuid4())})


@blueprint.post("/g/<token>")
@public
@reporting
def hand_in(token: str) -> ResponseReturnValue:
    """The report; where the phone stood in another grid, the resident says first which one it is for."""
    kept: tuple[str, ...] = ()
    with database().reading() as session:
        scanned = codes.read(session, settings(), token, now()).area_code
        here = _here(world().refresh(session), scanned)
    try:
        kept = photographs.uploaded(request, "photos", anonymous=True)
        form = check(ScanForm, _typed(scanned))
        located = _located(form)
        if located and located not in here and form.chosen_grid not in (scanned, located):
            return _page(token, request.form, kept=kept, located=located)
        reported, address = _submit(form, scanned, kept)
    except InputError as error:
        return _page(token, request.form, error=error, kept=kept)
    jobs.wake(settings())
    return redirect(url_for("resident.handed_in", token=address, code=reported.code), 303)


@blueprint.get("/handed-in/<token>")
@public
@guessable
def handed_in(token: str) -> ResponseReturnValue:
    """Thanks, the number, and the link to follow it by."""
    with database().reading() as session:
        link = links.find(session, token, now())
        ticket = session.exec(select(Ticket).where(col(Ticket.id) == link.ticket_id)).one()
        stage = STATES[ticket.state].public_label
        return render_template("resident/handed_in.html", ticket=ticket, stage=stage, token=token)


def _typed(scanned: str) -> dict[str, str]:
    """What was typed; whoever joins a matter means its category."""
    values = {n: v for n, v in request.form.items() if n in ScanForm.model_fields and v.strip()}
    if "joins" in values:
        with database().reading() as session:
            standing = world().refresh(session)
            shown = around.in_public(session, standing, _here(standing, scanned), now())
        meant = next((one for one in shown if one.code == values["joins"]), None)
        if meant:
            values["category_code"] = meant.category_code
    return values


def _submit(form: ScanForm, scanned: str, kept: tuple[str, ...]) -> tuple[Reported, str]:
    """Report and link in one transaction."""
    moment = now()

    def work(session: Session) -> tuple[Reported, str]:
        standing = world().refresh(session)
        joined = _joined(session, standing, form, scanned)
        report = _report(session, form, scanned, kept)
        reported = actions.report(session, report, somebody(joined), world(), moment)
        ticket = session.exec(select(Ticket).where(col(Ticket.id) == reported.ticket_id)).one()
        links.issue(session, settings(), ticket, links.FOLLOWING, moment)
        return reported, links.token(settings(), ticket.id, links.FOLLOWING)

    return database().write(work)


def _joined(session: Session, standing: Standing, form: ScanForm, scanned: str) -> UUID | None:
    """The matter that is joined: one of those that the page shows to everybody."""
    if form.joins is None:
        return None
    around_here = around.in_public(session, standing, _here(standing, scanned), now())
    shown = {ticket.code: ticket.id for ticket in around_here}
    if form.joins not in shown:
        raise InputError("这件事已经办结或不在本网格,请直接填写", {"joins": "已办结或不在本网格"})
    return shown[form.joins]


def _report(session: Session, form: ScanForm, scanned: str, kept: tuple[str, ...]) -> Report:
    place: dict[str, Any] = {"lon": form.lon, "lat": form.lat, "accuracy_m": form.accuracy_m}
    source = "browser"
    if form.lon is None or form.lat is None:
        point = point_in(world(), session, scanned)
        if point is None:
            raise InputError("这个网格已调整,请扫新的公示牌,或拨打 12345")
        place, source = {"lon": point[0], "lat": point[1], "accuracy_m": None}, "grid"
    code, mode, nature = form.category_code, Mode.REPORT, None
    if form.category_code == UNSURE:
        code, mode, nature = _other_code(), Mode.HOLD, UNSURE
    return Report(
        client_uuid=form.client_uuid,
        source=Source.RESIDENT,
        mode=mode,
        nature=nature,
        category_code=code,
        frame="wgs84",
        location_source=source,
        text=form.text,
        photos=kept,
        scanned_grid=scanned,
        chosen_grid=form.chosen_grid or scanned,
        joins=form.joins,
        apart=form.apart,
        reporter_phone=form.phone,
        consented=bool(form.phone) and form.consented == "yes",
        notice_version=NOTICE_VERSION if form.phone else None,
        **place,
    )


def _other_code() -> str:
    return next(row.category_code for row in data.natures().rows if row.key == UNSURE)


def _located(form: ScanForm) -> str | None:
    """The grid in which the phone says it stands."""
    if form.lon is None or form.lat is None:
        return None
    try:
        found = world().locate(lon=form.lon, lat=form.lat, accuracy_m=form.accuracy_m, frame="wgs84")
    except (GeoError, GridError):
        return None
    return found.codes.get("grid")


def _page(
    token: str,
    typed: Any,
    *,
    error: InputError | None = None,
    kept: tuple[str, ...] = (),
    located: str | None = None,
) -> ResponseReturnValue:
    with database().reading() as session:
        code = codes.read(session, settings(), token, now())
        standing = world().refresh(session)
        grid = _grid(session, standing, code.area_code)
        page = render_template(
            "resident/scan.html",
            token=token,
            grid=grid,
            located=_grid(session, standing, located) if located else None,
            typed=typed,
            error=error,
            kept=kept,
            chips=_chips(standing),
            unsure=UNSURE,
            nearby=[
                (ticket, standing.categories[ticket.category_code].name, STATES[ticket.state].public_label)
                for ticket in around.in_public(session, standing, grid.heirs, now())
            ],
            notice=NOTICE,
            supervision_phone=settings().supervision_phone,
        )
    return page, 422 if error else 200


def _chips(standing: Standing) -> list[Category]:
    found = [standing.categories[code] for code in FREQUENT if code in standing.categories]
    rest = [c for c in standing.categories.values() if c.leaf and c.public_space and c.retired_on is None]
    return list({c.code: c for c in [*found, *rest]}.values())[:CHIPS]


def _here(standing: Standing, scanned: str) -> tuple[str, ...]:
    """The grids of now on whose ground this sheet hangs."""
    return standing.now_there(scanned) or (scanned,)


def _grid(session: Session, standing: Standing, code: str) -> Grid:
    """The grid, and who looks after it; their telephone only where the city shows it."""
    heirs = _here(standing, code)
    above = names_of_areas(standing, reversed(standing.area_lineage(heirs[0])[1:3]))
    query = (
        select(Account.name, Account.phone)
        .join(Post, col(Post.account_id) == col(Account.id))
        .where(
            col(Post.area_code).in_(heirs),
            Post.role == "grid_worker",
            col(Account.disabled_at).is_(None),
            accounts.held_on(now().astimezone(settings().zone).date()),
        )
        .distinct()
        .order_by(Account.name)
    )
    shows = settings().show_worker_phone
    workers = tuple((name, phone if shows else None) for name, phone in session.exec(query))
    former = standing.area(code) if code not in standing.areas else None
    called = names_of_areas(standing, heirs)
    return Grid(
        code,
        "、".join(called.get(one, one) for one in heirs),
        " ".join(above.values()),
        workers,
        heirs,
        former.name if former and heirs != (code,) else None,
    )
