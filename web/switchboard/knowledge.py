"""The page of questions and answers: departments keep theirs, operators look things up."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from dispatch.record.lines import knowledge
from grid.errors import InputError
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, settings, world
from web.switchboard.blueprint import REGISTER, blueprint

WRITE = knowledge.WRITE


@blueprint.get("/knowledge")
@permission_required(REGISTER, WRITE)
def entries() -> ResponseReturnValue:
    """All entries in use; expired ones are marked, and proposed to nobody."""
    return _page()


@blueprint.post("/knowledge")
@permission_required(WRITE)
def add_entry() -> ResponseReturnValue:
    """Add an entry of one's own unit."""
    actor, form, at = current_actor(), request.form, now()
    try:
        with database().writing() as session:
            knowledge.write(session, world().refresh(session), actor, form, at)
    except InputError as error:
        return _page(error), 422
    flash("知识条目已保存", "done")
    return redirect(url_for("switchboard.entries"), 303)


@blueprint.post("/knowledge/<uuid:key>/retire")
@permission_required(WRITE)
def retire_entry(key: UUID) -> ResponseReturnValue:
    """Take an entry out of use."""
    actor, at = current_actor(), now()
    database().write(lambda session: knowledge.retire(session, actor, key, at))
    return redirect(url_for("switchboard.entries"), 303)


def _page(error: InputError | None = None) -> str:
    today = now().astimezone(settings().zone).date()
    with database().reading() as session:
        standing = world().refresh(session)
        values: dict[str, Any] = {
            "entries": knowledge.all_entries(session),
            "standing": standing,
            "classes": [c for c in standing.categories.values() if c.retired_on is None],
        }
    return render_template(
        "switchboard/knowledge.html", **values, today=today, error=error, typed=request.form
    )
