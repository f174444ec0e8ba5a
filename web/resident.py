"""The reporter's page behind a signed link: what becomes of it, what they may do themselves, and one question.

Opening it changes nothing (messengers fetch links to preview them); answering uses the link up.
"""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session, col, select

from dispatch.engine import jobs
from dispatch.engine.sending import links
from dispatch.record import actions
from dispatch.record.models import Ticket
from dispatch.rules.workflow import BY_ACTION, SATISFACTION, SOLVED, STATES
from grid.errors import InputError, NotFound
from web.forms import AnswerForm, read_form, read_given
from web.gate.access import public
from web.gate.limits import guessable
from web.service.context import database, now, settings, world
from web.shown import showing

blueprint = Blueprint("resident", __name__)

ASKED_IN = BY_ACTION["answer_satisfied"].sources
# What somebody may do to their own matter by its link, with the words for them.
THEIR_OWN = {
    "supply": "补充情况",
    "supply_intake": "补充情况",
    "ask_progress": "办得怎么样了",
    "urge": "催一催",
    "appeal_malicious": "申诉",
    "withdraw": "撤回,不再反映",
}


@blueprint.get("/callback/<token>")
@public
@guessable
def callback(token: str) -> ResponseReturnValue:
    return _page(token)


@blueprint.post("/callback/<token>")
@public
@guessable
def answer(token: str) -> ResponseReturnValue:
    """Record the answer and use the link up, in one transaction."""
    try:
        form = read_form(AnswerForm, request.form)
    except InputError as error:
        return _page(token, error)
    moment = now()

    def work(session: Session) -> None:
        link = links.find(session, token, moment, lock=True)
        ticket = _ticket(session, link.ticket_id)
        links.use_up(link, moment)
        session.add(link)
        given = {name: value for name, value in form if value is not None}
        action = "answer_satisfied" if form.is_content else "answer_unsolved"
        actions.act(session, ticket.code, action, given, links.holder(link), world(), moment)

    database().write(work)
    jobs.wake(settings())
    return render_template("resident/thanks.html", content=form.is_content)


@blueprint.post("/callback/<token>/<action>")
@public
@guessable
def act(token: str, action: str) -> ResponseReturnValue:
    """Supplement, urge, withdraw, appeal, or say how it goes: the link stays good."""
    if action not in THEIR_OWN:
        raise NotFound("没有这个动作,请从链接页面操作")
    names = [given.name for given in BY_ACTION[action].given]
    typed = {name: request.form[name] for name in names if request.form.get(name, "").strip()}
    try:
        given = read_given(action, typed)
    except InputError as error:
        return _page(token, error, action)
    moment = now()

    def work(session: Session) -> None:
        link = links.find(session, token, moment, lock=True)
        ticket = _ticket(session, link.ticket_id)
        actions.act(session, ticket.code, action, given, links.holder(link), world(), moment)

    database().write(work)
    jobs.wake(settings())
    flash(f"已收到:{THEIR_OWN[action]}", "done")
    return redirect(url_for("resident.callback", token=token), 303)


def _page(token: str, error: InputError | None = None, action: str | None = None) -> ResponseReturnValue:
    with database().reading() as session:
        link = links.find(session, token, now())
        ticket = _ticket(session, link.ticket_id)
        shown = showing.show(session, ticket.code, links.holder(link), world(), now())
        page = render_template(
            "resident/callback.html",
            shown=shown,
            ticket=ticket,
            stage=STATES[ticket.state].public_label,
            asks=ticket.state in ASKED_IN,
            solved=SOLVED,
            satisfaction=SATISFACTION,
            until=link.expires_at,
            typed=request.form,
            error=error,
            failed=action,
            offered=[
                (one, THEIR_OWN[one.row.action]) for one in shown.possible if one.row.action in THEIR_OWN
            ],
            token=token,
        )
    return page, 422 if error else 200


def _ticket(session: Session, ticket_id: object) -> Ticket:
    return session.exec(select(Ticket).where(col(Ticket.id) == ticket_id)).one()
