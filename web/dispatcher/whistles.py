"""Whistles (吹哨报到): who was called, who has come, who has reported, and what the street thinks of it."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlmodel import Session, col

from dispatch.record import queries
from dispatch.record.models import Assignment, Ticket, UnitRating
from web.dispatcher.blueprint import blueprint
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, world
from web.shown import showing
from web.shown.lists import area_names
from web.shown.polling import fresh, is_poll

READERS = ("ticket:whistle", "ticket:dispatch", "ticket:convene", "ticket:assist")
SHOWN = 100


@dataclass(frozen=True, slots=True)
class Called:
    """One unit that was called to a ticket, and how far it is."""

    organisation_code: str
    called_at: datetime
    came_at: datetime | None
    reported_at: datetime | None
    waived: bool
    score: int | None


@blueprint.get("/whistles")
@permission_required(*READERS)
def whistles() -> ResponseReturnValue:
    """Every whistle that still sounds, and every ticket with several units on it."""
    with database().reading() as session:
        standing = world().refresh(session)
        tickets = queries.page(session, current_actor(), queries.is_open(), queries.is_joint(), size=SHOWN)
        values = {
            "standing": standing,
            "tickets": tickets,
            "called": _called(session, tickets),
            "names": area_names(standing, tickets),
        }
    return (
        fresh("dispatcher/called.html", **values)
        if is_poll()
        else render_template("dispatcher/whistles.html", **values)
    )


@blueprint.get("/whistles/<code>")
@permission_required(*READERS)
def whistle(code: str) -> ResponseReturnValue:
    """One ticket: name several units at once, and follow their arrival."""
    with database().reading() as session:
        shown = showing.show(session, code, current_actor(), world(), now())
        forms = [
            one for one in shown.possible if one.row.action in ("whistle", "add_assistants", "rate_unit")
        ]
        return render_template(
            "dispatcher/whistle.html",
            shown=shown,
            ticket=shown.ticket,
            standing=shown.standing,
            forms=forms,
            called=_called(session, [shown.ticket]),
            tickets=[shown.ticket],
            names={},
            typed=request.form,
        )


def _called(session: Session, tickets: list[Ticket]) -> dict[UUID, list[Called]]:
    scores = {
        (row.ticket_id, row.organisation_code): row.score
        for row in session.execute(
            select(UnitRating).where(queries.of_tickets(UnitRating, tickets))
        ).scalars()
    }
    query = (
        select(Assignment)
        .where(queries.of_tickets(Assignment, tickets), col(Assignment.part) == "assist")
        .order_by(col(Assignment.dispatched_at), col(Assignment.id))
    )
    found: dict[UUID, list[Called]] = defaultdict(list)
    for row in session.execute(query).scalars():
        found[row.ticket_id].append(
            Called(
                row.organisation_code,
                row.dispatched_at,
                row.signed_at,
                row.handled_at,
                row.waived,
                scores.get((row.ticket_id, row.organisation_code)),
            )
        )
    return found
