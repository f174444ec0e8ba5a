"""The page of one ticket, the same for everybody: what it shows and which actions it offers follow from who looks."""

import json
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from dispatch.record import queries
from dispatch.record.desks import beside
from dispatch.record.models import Reporter
from dispatch.record.reading import disclosing
from dispatch.rules.workflow import BY_ACTION, GivenKind, Transition
from grid.errors import Conflict, InputError, NotFound
from web.forms import ActionIn, check, read_given
from web.gate.access import current_actor, permission_required, signed_in
from web.service.context import database, now, settings, world
from web.session import local_path
from web.shown import photographs, showing
from web.shown.acting import carry_out
from web.shown.labels import stage_label

blueprint = Blueprint("ticket", __name__, url_prefix="/tickets")

OWN_FIELDS = ("expected_version", "request_key")


@blueprint.get("/<code>")
@permission_required("ticket:read", "lead:read")
def page(code: str) -> ResponseReturnValue:
    return _page(code)


@blueprint.post("/<code>/actions/<action>")
@signed_in
def act(code: str, action: str) -> ResponseReturnValue:
    """Carry out one action; what was typed comes back when it cannot be."""
    row = BY_ACTION.get(action)
    if row is None:
        raise NotFound("没有这个动作")
    kept: tuple[str, ...] = ()
    try:
        own = {name: request.form.get(name) for name in OWN_FIELDS}
        form = check(ActionIn, own)
        kept = photographs.uploaded(request, "photos")
        given = read_given(action, _given(row, kept))
        changed = carry_out(code, action, given, form.expected_version, form.request_key)
    except (InputError, Conflict) as error:
        if "HX-Request" in request.headers:
            raise
        return _page(code, row=row, error=error, kept=kept)
    if "HX-Request" in request.headers:
        now_is = {"version": changed.version, "stage": stage_label(changed)}
        return "", 204, {"HX-Trigger": json.dumps({"ticket:version": now_is})}
    done = f"已{row.label}" if not row.label.startswith("回访") else "已记录回访结果"
    following = local_path(request.form.get("then"))
    flash(f"{code} {done}" if following else done, "done")
    return redirect(following or url_for("ticket.page", code=code), 303)


def refused(code: str, action: str, error: InputError | Conflict) -> ResponseReturnValue:
    """The ticket as it is now, with what was typed on another page for an action that is no longer open."""
    return _page(code, row=BY_ACTION[action], error=error)


def _given(row: Transition, photos: tuple[str, ...]) -> dict[str, Any]:
    """The posted fields that the row knows."""
    values: dict[str, Any] = {}
    for given in row.given:
        if given.kind is GivenKind.PHOTOS:
            values[given.name] = photos
        elif str(given.kind) == "organisations":
            values[given.name] = [code for code in request.form.getlist(given.name) if code]
        elif given.kind is GivenKind.INSTANT and request.form.get(given.name):
            values[given.name] = _local(request.form[given.name])
        elif request.form.get(given.name, "").strip():
            values[given.name] = request.form[given.name]
    return values


def _local(text: str) -> object:
    """What a date field says, in the city's time; the form says what is wrong with anything else."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return text
    return found if found.tzinfo else found.replace(tzinfo=settings().zone)


def _page(
    code: str,
    *,
    row: Transition | None = None,
    error: InputError | Conflict | None = None,
    kept: tuple[str, ...] = (),
    revealed: list[Reporter] | None = None,
) -> ResponseReturnValue:
    with database().reading() as session:
        shown = showing.show(session, code, current_actor(), world(), now())
        seen = request.form.get("expected_version", type=int)
        seen_at = instant(request.form.get("seen_at"))
        stale = isinstance(error, Conflict) and seen is not None and seen != shown.ticket.version
        told = shown.told()
        page = render_template(
            "ticket/page.html",
            shown=shown,
            ticket=shown.ticket,
            told=told,
            row=row,
            error=error,
            stale=stale,
            news=[line for line in told if seen_at and line.at > seen_at] or told[-1:] if stale else [],
            typed=request.form,
            kept=kept,
            revealed=revealed,
            then=local_path(request.values.get("then")) or "",
            organisations=shown.organisations_to_choose,
            drafts={
                name: draft.given or {}
                for name, draft in beside.drafts(session, shown.ticket, shown.actor).items()
            },
            may_reveal=queries.reaches(session, shown.ticket, shown.actor, disclosing.REVEAL),
        )
    return page, 200 if error is None else (422 if isinstance(error, InputError) else 409)


@blueprint.post("/<code>/reporter")
@permission_required(disclosing.REVEAL)
def reveal(code: str) -> ResponseReturnValue:
    """Show the reporter once, with a reason that is kept."""
    reason = request.form.get("reason", "")

    def work(session: Session) -> list[Reporter]:
        return disclosing.reveal(session, code, current_actor(), reason, now())

    return _page(code, revealed=database().write(work))


@blueprint.get("/<code>/photos/<sha256>")
@permission_required("ticket:read", "lead:read")
def photo(code: str, sha256: str) -> ResponseReturnValue:
    """The copy of a photo that hangs on a ticket within reach."""
    with database().reading() as session:
        ticket = queries.find(session, code, current_actor())
        return photographs.served(session, ticket, sha256, small="small" in request.args)


def instant(text: str | None) -> datetime | None:
    """The instant that a page carried along, if it is one."""
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else None
