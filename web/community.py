"""Community and street: their own area at a glance, their own data to take away, and whether the team came."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, and_, func, select
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
from web.shown.lists import after_of, area_names, why_its

blueprint = Blueprint("community", __name__, url_prefix="/community")

SHOWN, MOST_EXPORTED = 100, 20_000
LATELY = timedelta(days=7)


@dataclass(frozen=True)
class Tile:
    """A number of one's own area; what it counts by is what its list asks by."""

    tab: str | None
    label: str
    condition: Callable[[], ColumnElement[bool]]


def _own() -> ColumnElement[bool]:
    return col(Ticket.main_code).in_(sorted(current_actor().under))


TILES = (
    Tile(None, "辖区在办", queries.is_open),
    Tile("late", "其中超时", lambda: and_(queries.is_open(), col(Ticket.due_at) <= now())),
    Tile("own", "由本单位办", lambda: and_(queries.is_open(), _own())),
    Tile("units", "由部门办", lambda: and_(queries.is_open(), ~_own(), col(Ticket.main_code).is_not(None))),
    Tile("closed", f"近 {LATELY.days} 天办结", lambda: col(Ticket.closed_at) > now() - LATELY),
)
BY_TAB = {tile.tab: tile for tile in TILES}


@blueprint.get("/")
@permission_required(arrivals.LOOK)
def overview() -> ResponseReturnValue:
    """What is open in one's own area, whoever handles it, and what is coming to oneself and why."""
    query = read_query()
    with database().reading() as session:
        standing = world().refresh(session)
        tickets = _page(session, query)
        readable = queries.openable(session, tickets, current_actor())
        return render_template(
            "community/overview.html",
            standing=standing,
            tickets=tickets,
            readable=readable,
            names=area_names(standing, tickets),
            tiles=_numbers(session),
            why_its=why_its,
            following=after_of(tickets[-1]) if len(tickets) == SHOWN else None,
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
    """One's own area as a file with its total; where no list of open ones is asked for, closed tickets too."""
    query = read_query()
    with database().reading() as session:
        world().refresh(session)
        chosen = select(Ticket).where(_of_own_area(), *_conditions(session, query, closed=True))
        if query.tab is not None:
            chosen = chosen.where(_tile(query).condition())
        ordered = chosen.order_by(col(Ticket.due_at).is_(None), col(Ticket.due_at), col(Ticket.id))
        tickets = session.execute(ordered.limit(MOST_EXPORTED)).scalars().all()
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


def _page(session: Session, query: QueueQuery) -> list[Ticket]:
    """One page of the list that is asked for, the most pressing first."""
    tile = _tile(query)
    return queries.page(
        session,
        current_actor(),
        tile.condition(),
        *_conditions(session, query, closed=tile.tab == "closed"),
        after=query.after_key(),
        size=SHOWN,
        parts=[_of_own_area()],
    )


def _tile(query: QueueQuery) -> Tile:
    if query.tab not in BY_TAB:
        raise InputError("没有这个列表,请从辖区页面打开", {"tab": "没有这个列表"})
    return BY_TAB[query.tab]


def _of_own_area() -> ColumnElement[bool]:
    return arrivals.in_own_area(world().standing, current_actor())


def _conditions(session: Session, query: QueueQuery, *, closed: bool) -> list[ColumnElement[bool]]:
    wanted, standing = query.wanted(current_actor()), world().standing
    return filtering.conditions(session, wanted, standing, now(), closed=closed)


def _numbers(session: Session) -> list[tuple[Tile, int]]:
    """What every tile counts: the open matters in one look, and what was closed lately by its own index."""
    still = [tile for tile in TILES if tile.tab != "closed"]
    counted = select(*(func.count().filter(tile.condition()) for tile in still)).select_from(Ticket)
    row = session.execute(counted.where(_of_own_area(), queries.is_open())).one()
    found = {tile.tab: int(number) for tile, number in zip(still, row, strict=True)}
    closed = select(func.count()).select_from(Ticket).where(_of_own_area(), BY_TAB["closed"].condition())
    found["closed"] = int(session.execute(closed).scalar_one())
    return [(tile, found[tile.tab]) for tile in TILES]


def _said(session: Session, tickets: list[Ticket]) -> list[Arrival]:
    query = select(Arrival).where(queries.of_tickets(Arrival, tickets))
    return list(session.execute(query).scalars())
