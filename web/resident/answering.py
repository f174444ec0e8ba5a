"""The reporter's page behind a signed link: what becomes of it, what they may do themselves, and one question.

Opening it changes nothing (messengers fetch links to preview them); answering uses the link up.
"""

from datetime import date, datetime

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session, col, select

from dispatch.engine import jobs
from dispatch.engine.sending import links
from dispatch.record import actions
from dispatch.record.models import Ticket
from dispatch.rules.workflow import BY_ACTION, OPEN_STATES, SATISFACTION, SOLVED, STATES, TICKET, State
from grid.errors import InputError, NotFound
from web.forms import AnswerForm, read_form, read_given
from web.gate.access import public
from web.gate.limits import guessable
from web.resident.blueprint import blueprint
from web.service.context import database, now, settings, world
from web.shown import photographs, showing

ASKED_IN = BY_ACTION["answer_satisfied"].sources
# What somebody may do to their own matter by its link, with the words for them.
THEIR_OWN = {
    "supply": "补充情况",
    "supply_intake": "补充情况",
    "add_information": "再补充一点",
    "ask_progress": "办得怎么样了",
    "urge": "催一催",
    "appeal_malicious": "申诉",
    "reopen": "还没解决,请重新办理",
    "reopen_instant": "答复没解决问题,请办理",
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
    typed: dict[str, object] = {
        name: request.form[name] for name in names if request.form.get(name, "").strip()
    }
    try:
        if "photos" in names:
            with database().reading() as session:
                links.find(session, token, now())
            typed["photos"] = photographs.uploaded(request, "photos", anonymous=True)
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


@blueprint.get("/callback/<token>/photos/<sha256>")
@public
@guessable
def photo(token: str, sha256: str) -> ResponseReturnValue:
    """What the unit shows of its work; the reporter's own photos are not among it."""
    with database().reading() as session:
        link = links.find(session, token, now())
        ticket = _ticket(session, link.ticket_id)
        shown = showing.show(session, ticket.code, links.holder(link), world(), now())
        if sha256 not in shown.photos_after:
            raise NotFound("没有这张照片")
        return photographs.served(session, ticket, sha256, small="small" in request.args)


def _promised(ticket: Ticket) -> date | None:
    """The day by which the whole matter is promised, in the city's time."""
    due_at = ticket.total_due_at if ticket.state in OPEN_STATES else None
    return due_at.astimezone(settings().zone).date() if due_at else None


def _stages(shown: showing.Shown) -> list[tuple[datetime, str]]:
    """The way so far in plain words, each step with its day; inner steps have the words of the stage they are in."""
    found: list[tuple[datetime, str]] = []
    for line in shown.lines:
        state = State(line.event.state_to)
        words = STATES[state].public_label
        if state is State.DISPATCHED:
            unit = shown.organisation_name((line.event.given or {}).get("organisation"))
            words = f"已转{unit}" if unit else words
        if not found or found[-1][1] != words:
            found.append((line.event.at, words))
    return found


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
            promised=_promised(ticket),
            stages=_stages(shown),
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
    """The matter of a link; a lead has a page of its own."""
    ticket = session.exec(
        select(Ticket).where(col(Ticket.id) == ticket_id, col(Ticket.workflow) == TICKET)
    ).first()
    if ticket is None:
        raise NotFound("没有这个链接,请从短信或登记页面完整打开")
    return ticket
