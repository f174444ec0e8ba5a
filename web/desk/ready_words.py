"""The unit's ready words: standard texts and macros are written and taken out of use here."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from dispatch.record.desks import holding, wording
from dispatch.record.desks.models import Macro, StandardText
from dispatch.rules.workflow import STATES, TRANSITIONS
from grid.errors import InputError, NotFound
from web.desk.blueprint import blueprint
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, settings, world

WRITERS = ("ticket:handle", "ticket:register", "ticket:dispatch", "ticket:call_back")
TABLES: dict[str, type[Macro] | type[StandardText]] = {"texts": StandardText, "macros": Macro}
GIVEN = "given-"


@blueprint.get("/wording")
@permission_required(*WRITERS)
def words() -> ResponseReturnValue:
    """What is in use at one's unit, and the forms to add to it."""
    return _page()


@blueprint.post("/wording/texts")
@permission_required(*WRITERS)
def add_text() -> ResponseReturnValue:
    """Add a standard text."""
    form, actor, at = request.form, current_actor(), now()
    try:
        with database().writing() as session:
            wording.write_text(
                session,
                actor,
                title=form.get("title", ""),
                body=form.get("body", ""),
                category_code=form.get("category_code") or None,
                state=form.get("state") or None,
                standing=world().refresh(session),
                now=at,
            )
    except InputError as error:
        return _page(error=error), 422
    flash("标准用语已保存", "done")
    return redirect(url_for("desk.words"), 303)


@blueprint.post("/wording/macros")
@permission_required(*WRITERS)
def add_macro() -> ResponseReturnValue:
    """Add a macro: an action, its words, and who goes on."""
    form, actor, at = request.form, current_actor(), now()
    given = {name.removeprefix(GIVEN): text for name, text in form.items() if name.startswith(GIVEN)}
    try:
        holder = form.get("holder", type=UUID) if form.get("holder") else None
        with database().writing() as session:
            wording.write_macro(
                session,
                actor,
                title=form.get("title", ""),
                action=form.get("action", ""),
                given=given,
                holder_id=holder,
                now=at,
            )
    except InputError as error:
        return _page(error=error), 422
    flash("一键办理已保存", "done")
    return redirect(url_for("desk.words"), 303)


@blueprint.post("/wording/<kind>/<uuid:key>/retire")
@permission_required(*WRITERS)
def retire_words(kind: str, key: UUID) -> ResponseReturnValue:
    """Take a row out of use."""
    if kind not in TABLES:
        raise NotFound("没有这一类用语")
    actor, at = current_actor(), now()
    database().write(lambda session: wording.retire(session, actor, TABLES[kind], key, at))
    return redirect(url_for("desk.words"), 303)


def _page(*, error: InputError | None = None) -> str:
    actor = current_actor()
    today = now().astimezone(settings().zone).date()
    with database().reading() as session:
        standing = world().refresh(session)
        texts, macros = wording.own_rows(session, actor)
        values: dict[str, Any] = {
            "texts": texts,
            "macros": macros,
            "people": holding.colleagues(session, actor.under, today, settings().most_in_hand),
            "classes": [c for c in standing.categories.values() if c.retired_on is None],
            "standing": standing,
        }
    rows = [row for row in TRANSITIONS if actor.may(row.may) and not row.automatic]
    return render_template(
        "desk/wording.html",
        **values,
        rows=rows,
        filled=wording.FILLED_KINDS,
        chosen=next((row for row in rows if row.action == request.values.get("action")), None),
        states=STATES,
        variables=wording.VARIABLES,
        typed=request.form,
        error=error,
    )
