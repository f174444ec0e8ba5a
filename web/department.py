"""A department's pages: its queue, what burns first, in tabs that live in the address."""

from dataclasses import dataclass

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlmodel import Session, col

from dispatch.record import queries
from dispatch.record.models import Ticket
from dispatch.rules.workflow import OPEN_STATES, State
from grid.permissions import Actor
from web.forms import TicketsQuery, check
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, world
from web.shown.labels import cursor
from web.shown.lists import area_names

blueprint = Blueprint("department", __name__, url_prefix="/department")

PAGE = 50


@dataclass(frozen=True, slots=True)
class Tab:
    """One view of the queue: its name in the address, its label, the states it holds."""

    key: str
    label: str
    states: frozenset[State]
    overdue: bool = False


TABS = (
    Tab("all", "在办", OPEN_STATES - {State.HANDLED, State.VERIFIED, State.CALLBACK, State.REVIEWING}),
    Tab("new", "待查阅", frozenset({State.DISPATCHED})),
    Tab("working", "办理中", frozenset({State.IN_PROGRESS, State.EXT_PENDING})),
    Tab("rework", "返工", frozenset({State.REWORK})),
    Tab("approval", "答复待审", frozenset({State.ANSWER_PENDING})),
    Tab("objected", "异议中", frozenset({State.OBJECTED, State.CONSULTING})),
    Tab("late", "超时", OPEN_STATES, overdue=True),
    Tab(
        "waiting", "已办理待核查", frozenset({State.HANDLED, State.VERIFIED, State.CALLBACK, State.REVIEWING})
    ),
)
BY_KEY = {tab.key: tab for tab in TABS}


@blueprint.get("/")
@permission_required("ticket:handle", "ticket:approve")
def queue() -> ResponseReturnValue:
    """The tickets of one's units; htmx asks for the list alone every few seconds."""
    actor = current_actor()
    tab = BY_KEY.get(request.args.get("tab", ""), TABS[0])
    after = check(TicketsQuery, {"after": request.args.get("after") or None}).after_key()
    with database().reading() as session:
        standing = world().refresh(session)
        tickets = queries.page(session, actor, _held(actor), _in(tab), after=after, size=PAGE)
        last = tickets[-1] if len(tickets) == PAGE else None
        page = render_template(
            "department/list.html" if "HX-Request" in request.headers else "department/queue.html",
            standing=standing,
            tickets=tickets,
            names=area_names(session, standing, tickets),
            tabs=[(one, _count(session, actor, one)) for one in TABS],
            tab=tab,
            following=f"{cursor(last.due_at)}~{last.id}" if last and last.due_at else None,
            after=request.args.get("after"),
        )
    return page


def _held(actor: Actor) -> ColumnElement[bool]:
    """What is the units' now, to handle or to approve; what they once held can be read but is nobody's work."""
    return or_(queries.visible(actor, "ticket:handle"), queries.visible(actor, "ticket:approve"))


def _in(tab: Tab) -> ColumnElement[bool]:
    states = col(Ticket.state).in_(tab.states)
    return and_(states, col(Ticket.due_at) < now()) if tab.overdue else states


def _count(session: Session, actor: Actor, tab: Tab) -> int:
    query = select(func.count()).select_from(Ticket).where(_held(actor), _in(tab))
    return int(session.execute(query).scalar_one())
