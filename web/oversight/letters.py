"""The pages of supervision letters: drafts to sign, letters to answer, answers to clear; each can be printed."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from dispatch.record.oversight import letters
from dispatch.record.oversight.models import Letter, LetterState
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, world

blueprint = Blueprint("letters", __name__, url_prefix="/letters")

READ = "letter:read"
STATES = {
    LetterState.DRAFT: "待签发",
    LetterState.SIGNED: "待反馈",
    LetterState.ANSWERED: "待销号",
    LetterState.CLEARED: "已销号",
}


@blueprint.get("/")
@permission_required(READ)
def listed() -> ResponseReturnValue:
    """What waits for the reader, then everything they may read."""
    with database().reading() as session:
        standing = world().refresh(session)
        todo = letters.todo(session, current_actor())
        return render_template(
            "oversight/letters.html",
            todo=todo,
            others=[one for one in letters.listed(session, current_actor()) if one not in todo],
            number=letters.number,
            labels=letters.LABELS,
            states=STATES,
            standing=standing,
        )


@blueprint.get("/<uuid:letter_id>")
@permission_required(READ)
def page(letter_id: UUID) -> ResponseReturnValue:
    """One letter, as it is printed, with what the reader may do."""
    with database().reading() as session:
        standing = world().refresh(session)
        letter = letters.find(session, letter_id, current_actor(), READ)
        return render_template(
            "oversight/letter.html",
            letter=letter,
            tickets=letters.tickets(session, letter),
            grounds=letters.grounds(session, letter),
            number=letters.number(letter),
            label=letters.LABELS[letter.kind],
            state=STATES[letter.state],
            standing=standing,
            may_sign=current_actor().may("letter:sign"),
            may_answer=current_actor().may("letter:answer"),
        )


@blueprint.post("/<uuid:letter_id>/sign")
@permission_required("letter:sign")
def sign(letter_id: UUID) -> ResponseReturnValue:
    """A person signs."""
    demand, actor, moment = request.form.get("demand", ""), current_actor(), now()

    def work(session: Session) -> Letter:
        return letters.sign(session, letter_id, demand, actor, world(), moment)

    return _done(database().write(work), "已签发")


@blueprint.post("/<uuid:letter_id>/answer")
@permission_required("letter:answer")
def answer(letter_id: UUID) -> ResponseReturnValue:
    """The unit answers."""
    text, actor, moment = request.form.get("answer", ""), current_actor(), now()
    return _done(database().write(lambda s: letters.answer(s, letter_id, text, actor, moment)), "已反馈")


@blueprint.post("/<uuid:letter_id>/clear")
@permission_required("letter:sign")
def clear(letter_id: UUID) -> ResponseReturnValue:
    """销号."""
    actor, moment = current_actor(), now()
    return _done(database().write(lambda s: letters.clear(s, letter_id, actor, moment)), "已销号")


def _done(letter: Letter, words: str) -> ResponseReturnValue:
    flash(words, "done")
    return redirect(url_for("letters.page", letter_id=letter.id), 303)
