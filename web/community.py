"""Community and street: their own area at a glance, their own data to take away, and whether the team came."""

from datetime import timedelta

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select, true
from sqlmodel import Session, col

from dispatch.record import queries
from dispatch.record.desks import arrivals
from dispatch.record.desks.models import Arrival
from dispatch.record.models import Ticket
from dispatch.record.reading import filtering
from grid.errors import InputError
from web.desk.exporting import tickets_csv
from web.desk.filters import COLUMNS, QueueQuery, areas_to_filter, read_query
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, world
from web.shown.labels import SOURCES
from web.shown.lists import area_names

blueprint = Blueprint("community", __name__, url_prefix="/community")

SHOWN, MOST_EXPORTED = 100, 20_000
LATELY = timedelta(days=7)


@blueprint.get("/")
@permission_required(arrivals.LOOK)
def overview() -> ResponseReturnValue:
    """What is open in one's own area, whoever handles it, and what is coming to oneself and why."""
    query = read_query()
    with database().reading() as session:
        standing = world().refresh(session)
        tickets = _tickets(session, query, SHOWN)
        readable = queries.openable(session, tickets, current_actor())
        return render_template(
            "community/overview.html",
            standing=standing,
            tickets=tickets,
            readable=readable,
            names=area_names(session, standing, tickets),
            totals=_totals(session),
            teams=arrivals.teams(session, standing, tickets),
            said={(row.ticket_id, row.organisation_code): row for row in _said(session, tickets)},
            may_confirm=current_actor().may(arrivals.CONFIRM),
            query=query,
            all_columns=COLUMNS,
            areas=areas_to_filter(standing),
            columns=query.shown_columns,
            sources=SOURCES,
            classes=[c for c in standing.categories.values() if c.retired_on is None],
            views=[],
            desk_name="community",
            address=request.query_string.decode(),
        )


@blueprint.get("/tickets.csv")
@permission_required(arrivals.LOOK)
def exported() -> ResponseReturnValue:
    """One's own area as a file with its total; closed tickets too."""
    with database().reading() as session:
        world().refresh(session)
        tickets = _tickets(session, read_query(), MOST_EXPORTED, closed=True)
        return tickets_csv(tickets, world().standing, "area", last=("合计", len(tickets)))


@blueprint.post("/tickets/<code>/arrival")
@permission_required(arrivals.CONFIRM)
def arrival(code: str) -> ResponseReturnValue:
    """One tap: the team came (and how it was), or it did not."""
    form, actor, at = request.form, current_actor(), now()
    came = form.get("came", "")
    if came not in ("yes", "no", *map(str, arrivals.SCORES)):
        raise InputError("请选择已到场或未到场", {"came": "请选择"})

    def work(session: Session) -> None:
        arrivals.confirm(
            session,
            code,
            actor,
            world().refresh(session),
            form.get("organisation", ""),
            came=came != "no",
            score=int(came) if came.isdigit() else None,
            now=at,
        )

    database().write(work)
    return redirect(url_for("community.overview"), 303)


def _tickets(session: Session, query: QueueQuery, size: int, *, closed: bool = False) -> list[Ticket]:
    standing, actor = world().standing, current_actor()
    chosen = select(Ticket).where(
        arrivals.in_own_area(standing, actor),
        *filtering.conditions(session, query.wanted(actor), standing, now(), closed=closed),
    )
    if not closed:
        chosen = chosen.where(queries.is_open())
    ordered = chosen.order_by(col(Ticket.due_at).is_(None), col(Ticket.due_at), col(Ticket.id)).limit(size)
    return list(session.execute(ordered).scalars())


def _totals(session: Session) -> list[tuple[str, int]]:
    own = col(Ticket.main_code).in_(sorted(current_actor().under))
    columns = (
        ("辖区在办", true()),
        ("其中超时", col(Ticket.due_at) <= now()),
        ("由本单位办", own),
        ("由部门办", ~own & col(Ticket.main_code).is_not(None)),
    )
    query = select(*(func.count().filter(condition) for _, condition in columns)).select_from(Ticket)
    in_own_area = arrivals.in_own_area(world().standing, current_actor())
    row = session.execute(query.where(in_own_area, queries.is_open())).one()
    lately = select(func.count()).where(in_own_area, col(Ticket.closed_at) > now() - LATELY)
    closed = session.execute(lately).scalar_one()
    return [
        *((label, int(number)) for (label, _), number in zip(columns, row, strict=True)),
        (f"近 {LATELY.days} 天办结", int(closed)),
    ]


def _said(session: Session, tickets: list[Ticket]) -> list[Arrival]:
    query = select(Arrival).where(queries.of_tickets(Arrival, tickets))
    return list(session.execute(query).scalars())
