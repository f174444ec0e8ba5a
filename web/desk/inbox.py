"""The inbox: everything that waits over all posts, notices in bundles, one tap about the software."""

from datetime import date

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from dispatch.insight.topics import managing
from dispatch.record import queries
from dispatch.record.desks import inbox, opinions
from web.desk.blueprint import blueprint
from web.gate.access import current_actor, permission_required, signed_in
from web.service.context import database, now, settings, world
from web.shown.lists import area_names
from web.shown.polling import fresh, is_poll

SHOWN = 50


@blueprint.get("/inbox")
@signed_in
def inbox_page() -> ResponseReturnValue:
    """One page for all posts; htmx asks again every fifteen seconds, so an urgent notice comes at once."""
    actor = current_actor()
    with database().reading() as session:
        standing = world().refresh(session)
        tickets = inbox.waiting(session, actor, SHOWN)
        values = {
            "standing": standing,
            "tickets": tickets,
            "names": area_names(standing, tickets),
            "bundles": inbox.bundles(session, actor, now()),
        }
        if is_poll():
            return fresh("desk/inbox_list.html", **values)
        month = f"{opinions.SOFTWARE}:{_today():%Y-%m}"
        asks = opinions.is_offered(session, actor, month)
        topics = [(row, managing.title(row, standing)) for row in managing.to_answer_for(session, actor)]
    return render_template("desk/inbox.html", **values, asks=asks, topics=topics, scores=range(1, 6))


@blueprint.post("/inbox/shown")
@signed_in
def shown() -> ResponseReturnValue:
    """The page says by itself that it was shown; nobody has to answer anything."""
    actor, at = current_actor(), now()
    database().write(lambda session: inbox.mark_shown(session, actor, at))
    return "", 204


@blueprint.get("/tickets/<code>/opinion")
@permission_required("ticket:read")
def asked(code: str) -> ResponseReturnValue:
    """Two questions of one tap for a sample of those at the base."""
    actor = current_actor()
    with database().reading() as session:
        ticket = queries.find(session, code, actor)
        about = [
            one
            for one in (opinions.DISPATCH, opinions.UNIT)
            if ticket.main_code and opinions.is_offered(session, actor, f"{one}:{ticket.code}")
        ]
    return render_template(
        "desk/opinion.html", code=code, about=about, labels=opinions.ABOUT, scores=range(1, 6)
    )


@blueprint.post("/opinions/<about>")
@signed_in
def say(about: str) -> ResponseReturnValue:
    """Keep one tap."""
    actor, today = current_actor(), _today()
    code, score = request.form.get("code"), request.form.get("score", 0, type=int)

    def work(session: Session) -> None:
        opinions.give(session, actor, about, code, score, today)

    database().write(work)
    if "HX-Request" in request.headers:
        return '<p class="small" role="status">谢谢</p>'
    return redirect(url_for("desk.inbox_page"), 303)


@blueprint.get("/opinions")
@permission_required("figures:read")
def opinion_sums() -> ResponseReturnValue:
    """Sums alone, by units' names; few taps show no mean."""
    with database().reading() as session:
        standing = world().refresh(session)
        found = opinions.sums(session)
    return render_template(
        "desk/opinions.html", sums=found, labels=opinions.ABOUT, standing=standing, least=opinions.LEAST_SHOWN
    )


def _today() -> date:
    return now().astimezone(settings().zone).date()
