"""Following one's matter by its number and the last four digits of the telephone that was left: leads to the link."""

import hmac

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session, col, select

from dispatch.engine.sending import links
from dispatch.record import queries
from dispatch.record.codes import read_code
from dispatch.record.models import Ticket, TicketCode
from dispatch.rules.workflow import LEAD
from grid.errors import InputError
from web.gate.access import public
from web.gate.limits import looking_up
from web.resident.blueprint import blueprint
from web.service.context import database, now, settings

WRONG = "没有找到:请核对编号,以及反映时留的电话后四位;没有留电话的,请用当时给的链接"


@blueprint.get("/follow")
@public
def follow() -> ResponseReturnValue:
    return render_template("resident/follow.html", typed={"code": request.args.get("code", "")}, error=None)


@blueprint.post("/follow")
@public
@looking_up
def look_up() -> ResponseReturnValue:
    """The same words whatever was wrong: nobody learns which numbers exist."""
    code, digits = request.form.get("code", ""), request.form.get("digits", "").strip()

    def work(session: Session) -> tuple[str, str]:
        ticket = _ticket(session, code)
        phones = [row.phone for row in queries.reporters(session, ticket) if row.phone] if ticket else []
        if ticket is None or not any(_ends(phone, digits) for phone in phones):
            raise InputError(WRONG, {"code": WRONG})
        links.issue(session, settings(), ticket, links.FOLLOWING, now())
        page = "leads.progress" if ticket.workflow == LEAD else "resident.callback"
        return page, links.token(settings(), ticket.id, links.FOLLOWING)

    try:
        page, token = database().write(work)
    except InputError as error:
        return render_template("resident/follow.html", typed=request.form, error=error), 422
    return redirect(url_for(page, token=token), 303)


def _ticket(session: Session, typed: str) -> Ticket | None:
    query = select(Ticket).join(TicketCode, col(TicketCode.ticket_id) == col(Ticket.id))
    return session.exec(query.where(col(TicketCode.code) == read_code(typed))).first()


def _ends(phone: str, digits: str) -> bool:
    own = "".join(sign for sign in phone if sign.isdigit())[-4:]
    return len(own) == 4 and hmac.compare_digest(own.encode(), digits.encode("utf-8", "replace"))
