"""The merge assistant: open tickets that may be one matter, side by side, joined (and parted again) by one key."""

from flask import render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import and_, select
from sqlmodel import Session, col

from dispatch.insight import resembling
from dispatch.record import queries
from dispatch.record.models import Ticket, TicketEvent
from dispatch.rules.likeness import RECENT
from dispatch.rules.workflow import State
from grid.permissions import SYSTEM_ACTOR
from web.dispatcher.blueprint import blueprint
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, world
from web.shown.lists import area_names, words_of

MERGE = "ticket:merge"
LOOKED_AT = 80
SHOWN = 20


@blueprint.get("/doubles")
@permission_required(MERGE)
def doubles() -> ResponseReturnValue:
    """Pairs among the newest open tickets, with what makes them alike; the reporters keep a call back each."""
    with database().reading() as session:
        standing = world().refresh(session)
        pairs = _pairs(session)
        tickets = [ticket for pair in pairs for ticket in (pair[0], pair[1].ticket)]
        by_itself = _merged_by_itself(session)
        tickets += [ticket for ticket, _ in by_itself]
        return render_template(
            "dispatcher/doubles.html",
            standing=standing,
            by_itself=by_itself,
            pairs=pairs,
            words=words_of(session, tickets),
            names=area_names(standing, tickets),
        )


def _merged_by_itself(session: Session) -> list[tuple[Ticket, str]]:
    """What was merged without asking in the last days, the latest first, each with its reason."""
    query = (
        select(Ticket, TicketEvent)
        .join(
            TicketEvent,
            and_(
                col(TicketEvent.intake_district) == col(Ticket.intake_district),
                col(TicketEvent.ticket_id) == col(Ticket.id),
            ),
        )
        .where(
            queries.visible(current_actor(), MERGE),
            col(Ticket.state) == State.MERGED,
            col(TicketEvent.at) >= now() - RECENT,
            col(TicketEvent.action) == "merge",
            col(TicketEvent.channel) == SYSTEM_ACTOR.channel,
        )
        .order_by(col(TicketEvent.at).desc())
        .limit(SHOWN)
    )
    found = session.execute(query).all()
    return [(ticket, (event.reasons or {}).get("same", {}).get("reason", "")) for ticket, event in found]


def _pairs(session: Session) -> list[tuple[Ticket, resembling.Resembling]]:
    """Each newer ticket with the older one that it most likely repeats."""
    newest = (
        select(Ticket)
        .where(
            queries.visible(current_actor(), MERGE),
            queries.is_open(),
            col(Ticket.merged_into).is_(None),
        )
        .order_by(col(Ticket.reported_at).desc())
        .limit(LOOKED_AT)
    )
    tickets = list(session.execute(newest).scalars())
    words = words_of(session, tickets)
    found = []
    for ticket in tickets:
        alike = resembling.similar(
            session,
            world().standing,
            category_code=ticket.category_code,
            lon=ticket.lon,
            lat=ticket.lat,
            at=now(),
            text=words.get(ticket.id, ""),
            public=False,
            leave_out=ticket.code,
        )
        older = [
            one
            for one in alike
            if (one.ticket.reported_at, one.ticket.code) < (ticket.reported_at, ticket.code)
        ]
        found += [(ticket, older[0])] if older else []
    return found[:SHOWN]
