"""The hotline's pages: a call becomes a ticket, and the calls back are made and written down."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from dispatch.engine.sending import outgoing
from dispatch.record import queries
from dispatch.record.lines import ringing
from dispatch.record.models import Reporter, Ticket
from dispatch.record.reading import calling, disclosing, rounds
from dispatch.record.reading.rounds import CallToMake
from dispatch.rules.callbacks import Asking, next_civil_hour
from dispatch.rules.workflow import NATURES, SATISFACTION, SOLVED
from grid.errors import Conflict, InputError
from web.forms import ActionIn, AnswerForm, ReportIn, check, read_form
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, settings, world
from web.shown import showing
from web.shown import ticket as ticket_page
from web.shown.acting import carry_out
from web.shown.categories import classes_of
from web.shown.consenting import NOTICE, NOTICE_VERSION
from web.shown.lists import area_names
from web.standing.places import grids_of, point_in
from web.switchboard import during

blueprint = Blueprint("hotline", __name__, url_prefix="/hotline")

CALL_BACK = rounds.CALL_BACK
MOST_EARLIER = 5
FIELDS = (
    "client_uuid",
    "nature",
    "category_code",
    "lon",
    "lat",
    "text",
    "location_source",
    "joins",
    "accused",
)
REPORTER_FIELDS = {"reporter_name": "name", "reporter_phone": "phone"}
OWN_FIELDS = ("expected_version", "request_key")


@dataclass(frozen=True, slots=True)
class Round:
    """Who is to be called now, who was tried today, and who is left in peace until later."""

    due: list[CallToMake]
    tried: list[CallToMake]
    later: list[CallToMake]


@blueprint.get("/callbacks")
@permission_required(CALL_BACK)
def callbacks() -> ResponseReturnValue:
    """Whom to ask now, the most pressing first."""
    with database().reading() as session:
        standing = world().refresh(session)
        found = _round(session)
        everything = [*found.due, *found.tried, *found.later]
        return render_template(
            "hotline/callbacks.html",
            standing=standing,
            round=found,
            address=_address,
            names=area_names(standing, [ticket for call in everything for ticket in call.tickets]),
            quiet_until=_quiet_until(),
        )


@blueprint.get("/callbacks/next")
@permission_required(CALL_BACK)
def following() -> ResponseReturnValue:
    """The next call by itself; when nobody is left to call, the list says so."""
    with database().reading() as session:
        world().refresh(session)
        due = _round(session).due
    if not due:
        return redirect(url_for("hotline.callbacks"))
    return redirect(_address(due[0].tickets[0]))


@blueprint.get("/callbacks/<code>")
@permission_required(CALL_BACK)
def callback(code: str) -> ResponseReturnValue:
    """One call: what it was, what was done, and the two questions."""
    return _call(code)


@blueprint.post("/callbacks/<code>")
@permission_required(CALL_BACK)
def answered(code: str) -> ResponseReturnValue:
    """Write down what was said; whether that closes the ticket follows from the answers."""
    try:
        own = check(ActionIn, {name: request.form.get(name) for name in OWN_FIELDS})
        form = read_form(AnswerForm, request.form)
        given = {name: value for name, value in form if value is not None}
        action = "answer_satisfied" if form.is_content else "answer_unsolved"
        carry_out(code, action, given, own.expected_version, own.request_key)
    except (InputError, Conflict) as error:
        return _call(code, error=error)
    flash(f"{code} 已记录回访结果" + ("" if form.is_content else ",转不满意复核"), "done")
    return redirect(url_for("hotline.following"), 303)


@blueprint.post("/callbacks/<code>/telephone")
@permission_required(disclosing.REVEAL)
def telephone(code: str) -> ResponseReturnValue:
    """Show whom to call, with the reason that is kept."""
    actor, reason, moment = current_actor(), request.form.get("reason", ""), now()
    try:
        found = database().write(lambda session: disclosing.reveal(session, code, actor, reason, moment))
    except InputError as error:
        return _call(code, error=error)
    return _call(code, revealed=found)


def _call(
    code: str,
    *,
    error: InputError | Conflict | None = None,
    revealed: list[Reporter] | None = None,
) -> ResponseReturnValue:
    actor = current_actor()
    with database().reading() as session:
        shown = showing.show(session, code, actor, world(), now())
        possible = {one.row.action: one for one in shown.possible}
        if "answer_satisfied" not in possible and error is not None:
            return ticket_page.refused(code, "answer_unsolved", error)
        if "answer_satisfied" not in possible:
            return redirect(url_for("ticket.page", code=code))
        page = render_template(
            "hotline/callback.html",
            shown=shown,
            ticket=shown.ticket,
            told=shown.told(),
            solved=SOLVED,
            satisfaction=SATISFACTION,
            unanswered=[
                possible[action] for action in (calling.ATTEMPT, calling.DECLINED) if action in possible
            ],
            others=[
                (other, _address(other))
                for other in calling.of_the_same_person(session, shown.ticket, rounds.waiting(actor, now()))
            ],
            may_reveal=queries.reaches(session, shown.ticket, actor, disclosing.REVEAL),
            revealed=revealed,
            quiet_until=_quiet_until(),
            typed=request.form,
            error=error,
        )
    return page, 200 if error is None else (422 if isinstance(error, InputError) else 409)


def _address(ticket: Ticket) -> str:
    """Where this matter is asked about: after it was handled on the page of the call, before on its own."""
    if ticket.state in rounds.ASKED_IN:
        return url_for("hotline.callback", code=ticket.code)
    action = "record_instant_answer" if ticket.closed_at else "ask_progress"
    then = url_for("hotline.following")
    return url_for("ticket.page", code=ticket.code, then=then, _anchor=f"do-{action}")


def _round(session: Session) -> Round:
    moment, standing = now(), world().standing
    today = moment.astimezone(settings().zone).date()
    found = Round([], [], [])
    for call in rounds.calls(session, current_actor(), standing, moment):
        if call.tried_at is not None and call.tried_at.astimezone(settings().zone).date() == today:
            found.tried.append(call)
        elif rounds.are_due(call, standing, moment):
            found.due.append(call)
        else:
            found.later.append(call)
    return found


def _quiet_until() -> datetime | None:
    """When people may be called again, while they may not."""
    at = next_civil_hour(now(), Asking(settings().timezone))
    return at if at > now() else None


@blueprint.get("/messages")
@permission_required(CALL_BACK)
def messages() -> ResponseReturnValue:
    """What is said to reporters, and whether it left the house; without a gateway staff pass it on."""
    with database().reading() as session:
        world().refresh(session)
        return render_template("hotline/messages.html", messages=outgoing.outgoing(session, world()))


@blueprint.route("/register", methods=["GET", "POST"])
@permission_required("ticket:register")
def register() -> ResponseReturnValue:
    """Write down a call; after a refusal everything typed is still there."""
    if request.method == "GET":
        fresh = {"client_uuid": str(uuid4()), "reporter_phone": _caller()}
        return _form({**fresh, **_same_matter(request.args.get("joins", ""))})
    try:
        reported = during.end_call(check(ReportIn, _posted()))
    except (InputError, Conflict) as error:
        return _form(request.form, error)
    return redirect(url_for("hotline.registered", code=reported.code), 303)


@blueprint.post("/earlier")
@permission_required("ticket:register")
def earlier() -> ResponseReturnValue:
    """What this caller reported before and how they are called; the number travels in no address."""
    phone, actor, moment = request.form.get("reporter_phone", ""), current_actor(), now()
    name = None
    if not request.form.get("reporter_name", "").strip():
        name = database().write(
            lambda session: disclosing.name_of_caller(session, actor, settings(), phone, moment)
        )
    with database().reading() as session:
        standing = world().refresh(session)
        tickets = calling.earlier_of(session, actor, settings(), phone, MOST_EARLIER)
        names = area_names(standing, tickets)
        return render_template(
            "hotline/earlier.html", standing=standing, tickets=tickets, names=names, name=name
        )


@blueprint.get("/registered/<code>")
@permission_required("ticket:register")
def registered(code: str) -> ResponseReturnValue:
    """What the caller is told before they hang up: number, unit, until when."""
    with database().reading() as session:
        shown = showing.show(session, code, current_actor(), world(), now())
        return render_template("hotline/registered.html", shown=shown, ticket=shown.ticket)


def _caller() -> str:
    """The number that rings, named by a telephone system's call or by the address that it opened."""
    key = request.args.get("call", type=UUID)
    if key is None:
        return request.args.get("tel", "")
    with database().reading() as session:
        return ringing.number_of(session, current_actor(), key, now())


def _posted() -> dict[str, Any]:
    """The page's fields as the report form knows them; a grid stands for a point inside it."""
    posted = request.form
    values: dict[str, Any] = {name: posted[name] for name in FIELDS if posted.get(name, "").strip()}
    values.update(source="hotline", frame="wgs84")
    reporter = {
        own: posted[name].strip() for name, own in REPORTER_FIELDS.items() if posted.get(name, "").strip()
    }
    if reporter:
        values["reporter"] = {
            **reporter,
            "consented": posted.get("consented") == "yes",
            "confidential": posted.get("confidential") == "yes",
            "notice_version": NOTICE_VERSION,
        }
    if "lon" not in values and posted.get("chosen_grid"):
        with database().reading() as session:
            point = point_in(world(), session, posted["chosen_grid"].strip())
        if point is not None:
            values.update(lon=point[0], lat=point[1], location_source="grid")
    missing = {}
    if "lon" not in values:
        missing["lon"] = "请在地图上点选位置,或选择所在网格"
    if "category_code" not in values:
        missing["category_code"] = "请选择类别"
    if missing:
        raise InputError("没有登记:" + ";".join(missing.values()), missing)
    return values


def _same_matter(code: str) -> dict[str, str]:
    """Place and category of the ticket of which somebody else now reports as well."""
    if not code:
        return {}
    with database().reading() as session:
        world().refresh(session)
        ticket = queries.find(session, code, current_actor())
        return {
            "joins": ticket.code,
            "category_code": ticket.category_code,
            "lon": str(ticket.lon),
            "lat": str(ticket.lat),
            "location_source": "map",
        }


def _form(typed: Any, error: InputError | Conflict | None = None) -> ResponseReturnValue:
    with database().reading() as session:
        standing = world().refresh(session)
        classes = classes_of(standing, kinds=("content", "nature", "event", "part"))
        grids = grids_of(world(), session)
        choices = during.choices(session)
    page = render_template(
        "hotline/register.html",
        typed=typed,
        error=error,
        classes=classes,
        grids=grids,
        natures=NATURES,
        notice=NOTICE,
        **choices,
    )
    return page, 422 if error else 200
