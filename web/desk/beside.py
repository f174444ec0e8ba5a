"""Beside a ticket: quick keys, ready words, notes, drafts, who else has it open, and what an answer still lacks."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from dispatch.record import queries
from dispatch.record.desks import beside, holding, wording
from dispatch.record.desks.models import Macro, StandardText
from dispatch.record.reading import nearby
from dispatch.rules import answering
from dispatch.rules.workflow import BY_ACTION
from grid.errors import GridError
from web.desk.blueprint import blueprint
from web.forms import read_given
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, settings, world
from web.session import local_path
from web.shown import showing
from web.shown.acting import carry_out
from web.shown.labels import day, when
from web.shown.showing import Shown

READ = ("ticket:read", "lead:read")


@dataclass(frozen=True, slots=True)
class Ready:
    """A standard text with its variables filled in for this ticket."""

    row: StandardText
    body: str


@blueprint.get("/tickets/<code>/beside")
@permission_required(*READ)
def panel(code: str) -> ResponseReturnValue:
    """The panel that the ticket's page loads: for those who work on it, and nobody else."""
    actor = current_actor()
    with database().reading() as session:
        shown = showing.show(session, code, actor, world(), now())
        if not beside.works_on(session, shown.ticket, actor):
            return ""
        return render_template("desk/beside.html", **_panel(session, shown))


def _panel(session: Session, shown: Shown) -> dict[str, Any]:
    actor, ticket, standing = shown.actor, shown.ticket, shown.standing
    possible = {one.row.action for one in shown.possible}
    today = now().astimezone(settings().zone).date()
    may_hold = queries.reaches(session, ticket, actor, holding.HANDLE)
    people = holding.colleagues(session, actor.under, today, settings().most_in_hand) if may_hold else []
    values = variables(shown)
    holder = holding.holder_of(session, ticket)
    return {
        "shown": shown,
        "ticket": ticket,
        "notes": beside.notes(session, ticket),
        "texts": [
            Ready(row, wording.fill(row.body, values))
            for row in wording.texts_for(session, standing, ticket, actor)
        ],
        "macros": wording.macros_for(session, actor, possible),
        "people": people,
        "proposed": holding.who_can_share(people),
        "holder": next((one for one in people if one.account_id == holder), None),
        "others": beside.others_at(session, ticket, actor, now()),
        "similar": nearby.open_nearby(session, ticket, actor),
        "earlier": nearby.earlier_of_reporter(session, ticket, actor) if shown.sees_reporter else [],
        "then": local_path(request.args.get("then")) or "",
        "quick": [BY_ACTION["start"]] if "start" in possible else [],
    }


@blueprint.post("/tickets/<code>/open")
@permission_required(*READ)
def opened(code: str) -> ResponseReturnValue:
    """Say that one has it open; answers with who else has."""
    actor, at = current_actor(), now()
    others = database().write(lambda session: beside.note_open(session, code, actor, at))
    return render_template("desk/others.html", others=others)


@blueprint.post("/tickets/<code>/notes")
@permission_required(*READ)
def note(code: str) -> ResponseReturnValue:
    """Leave an internal note."""
    actor, text, at = current_actor(), request.form.get("note", ""), now()
    database().write(lambda session: beside.add_note(session, code, actor, text, at))
    if "HX-Request" in request.headers:
        return panel(code)
    return redirect(url_for("ticket.page", code=code), 303)


@blueprint.post("/tickets/<code>/drafts/<action>")
@permission_required(*READ)
def draft(code: str, action: str) -> ResponseReturnValue:
    """Keep what is being typed."""
    actor, at = current_actor(), now()
    given = {name: text for name, text in request.form.items() if name != "csrf_token"}
    version = request.form.get("expected_version", 0, type=int)
    database().write(lambda session: beside.keep_draft(session, code, actor, action, given, version, at))
    return "", 204


@blueprint.post("/tickets/<code>/answer-check")
@permission_required("ticket:handle", "ticket:approve")
def answer_check(code: str) -> ResponseReturnValue:
    """What an answer still lacks; nothing is refused for it."""
    with database().reading() as session:
        shown = showing.show(session, code, current_actor(), world(), now())
        found = answering.findings(
            request.form.get("answer", ""),
            before=beside.last_answer(shown.lines),
            contacted=beside.was_contacted(shown.lines) is not None,
            asks_contact=any(r.phone for r in shown.reporters)
            and not any(r.confidential for r in shown.reporters),
        )
    return render_template("desk/answer_check.html", findings=found)


@blueprint.post("/tickets/<code>/macros/<uuid:macro_id>")
@permission_required(*READ)
def run(code: str, macro_id: UUID) -> ResponseReturnValue:
    """One key: the action with its words, and who goes on with the ticket."""
    actor, at = current_actor(), now()
    with database().reading() as session:
        shown = showing.show(session, code, actor, world(), at)
        row = wording.macro(session, actor, macro_id)
        given = _filled(row, shown)
    version = request.form.get("expected_version", type=int)
    carry_out(
        code, row.action, read_given(row.action, given), version, request.form.get("request_key", type=UUID)
    )
    if row.holder_id is not None:
        today = at.astimezone(settings().zone).date()
        with suppress(GridError):  # the person has left the unit: the action stands, the ticket where it was
            database().write(lambda session: holding.give(session, code, actor, row.holder_id, today, at))
    return redirect(local_path(request.form.get("then")) or url_for("ticket.page", code=code), 303)


def _filled(row: Macro, shown: Shown) -> dict[str, str]:
    values = variables(shown)
    return {name: wording.fill(str(text), values) for name, text in (row.given or {}).items()}


def variables(shown: Shown) -> dict[str, str]:
    """What the variables of ready words stand for on this ticket; nobody's particulars are among them."""
    return {
        "code": shown.ticket.code,
        "category": shown.category.name,
        "place": shown.place or "现场",
        "unit": shown.organisation_name(shown.ticket.main_code) or "承办单位",
        "due": when(shown.ticket.due_at),
        "today": day(now().astimezone(settings().zone).date()),
        "name": shown.actor.name,
    }
