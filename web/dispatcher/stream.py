"""The command centre: a stream of everything new, the named queues of what has no unit yet, and the ruling page."""

from dataclasses import dataclass
from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, and_, func
from sqlmodel import Session, col, select

from dispatch.record import queries
from dispatch.record.judging import deciding
from dispatch.record.lines import themes
from dispatch.record.models import Objection, Queue, Source, Ticket
from dispatch.rules.workflow import BY_ACTION
from grid.errors import NotFound
from grid.models import Organisation, Responsibility
from grid.permissions import Actor
from web.dispatcher.blueprint import blueprint
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, world
from web.shown import showing
from web.shown.labels import masked
from web.shown.lists import area_names
from web.shown.polling import fresh, is_poll
from web.shown.showing import Possible, Shown

NEWEST = 60
IN_QUEUE = 100
RULE = "ticket:rule"
RULED = frozenset({Queue.OBJECTION, Queue.CONSULTATION})
OBJECTING = ("object", "object_again")


@blueprint.get("/")
@permission_required("ticket:dispatch")
def stream() -> ResponseReturnValue:
    """Whatever came in last, from every source; htmx asks again every three seconds."""
    actor, source = current_actor(), _source()
    with database().reading() as session:
        query = select(Ticket).where(queries.visible(actor), *_from(source))
        newest = query.order_by(col(Ticket.reported_at).desc(), col(Ticket.id).desc()).limit(NEWEST)
        return _page(session, actor, list(session.exec(newest)), None, source)


@blueprint.get("/queues/<name>")
@permission_required("ticket:dispatch", RULE, "ticket:review")
def queue(name: str) -> ResponseReturnValue:
    """One named queue, the most pressing first."""
    actor, chosen, source = current_actor(), _queue(name), _source()
    with database().reading() as session:
        tickets = queries.page(session, actor, _waits_in(chosen), *_from(source), size=IN_QUEUE)
        return _page(session, actor, tickets, chosen, source)


@blueprint.get("/queues/<name>/next")
@permission_required("ticket:dispatch", RULE, "ticket:review")
def following(name: str) -> ResponseReturnValue:
    """The most pressing one of a queue; when none is left, the queue says so."""
    chosen = _queue(name)
    with database().reading() as session:
        first = queries.page(session, current_actor(), _waits_in(chosen), size=1)
    if not first:
        return redirect(url_for("dispatcher.queue", name=chosen))
    return redirect(address_of(first[0], chosen))


@blueprint.get("/rulings/<code>")
@permission_required(RULE)
def ruling(code: str) -> ResponseReturnValue:
    """Both sides of an objection and the rule between them, and the ways to decide."""
    with database().reading() as session:
        shown = showing.show(session, code, current_actor(), world(), now())
        waits = shown.ticket.queue
        if waits not in RULED:
            return redirect(url_for("ticket.page", code=code))
        claims = _claims(shown)
        return render_template(
            "dispatcher/ruling.html",
            shown=shown,
            ticket=shown.ticket,
            claims=claims,
            rule=_rule_of(session, shown),
            ways=[_way(shown, possible, claims) for possible in shown.possible if possible.row.may == RULE],
            then=url_for("dispatcher.following", name=waits),
            told=shown.told(),
        )


@dataclass(frozen=True, slots=True)
class Claim:
    """What a unit says against having been given the ticket, and what stands against their suggestion."""

    objection: Objection
    basis: str
    clause: str | None


@dataclass(frozen=True, slots=True)
class Way:
    """One way to decide: its form, the units to choose from, and what is filled in already."""

    possible: Possible
    organisations: list[Organisation]
    typed: dict[str, str]


def _claims(shown: Shown) -> list[Claim]:
    """Every objection so far, with the words that came with it."""
    words = [
        masked(next((said.text for said in line.statements if said.name == "basis"), None))
        for line in shown.lines
        if line.event.action in OBJECTING
    ]
    words += [""] * (len(shown.objections) - len(words))
    return [
        Claim(one, basis, deciding.forbidden_clause(shown.standing, shown.ticket, one.suggested_code))
        for one, basis in zip(shown.objections, words, strict=False)
    ]


def _rule_of(session: Session, shown: Shown) -> Responsibility | None:
    """The row by which the unit was chosen, as it stood then."""
    routed = shown.ticket.routed or {}
    key = (routed.get("ruleset"), routed.get("rule"))
    return session.get(Responsibility, key) if all(key) else None


def _way(shown: Shown, possible: Possible, claims: list[Claim]) -> Way:
    """Suggested units first; a final ruling may also name the unit that objects."""
    likely = [claim.objection.suggested_code for claim in reversed(claims) if not claim.clause]
    runner_up = (shown.ticket.routed or {}).get("runner_up")
    if possible.row.action == "settle":
        likely.append(shown.ticket.main_code or "")
    units = shown.standing.organisations
    first = [units[code] for code in dict.fromkeys([*likely, runner_up]) if code in units]
    rest = [unit for unit in shown.organisations_to_choose if unit not in first]
    agrees = possible.row.action == "uphold_objection"
    return Way(possible, first + rest, {"organisation": likely[0]} if agrees and likely else {})


def address_of(ticket: Ticket, queue: Queue | None) -> str:
    """Where to go on with a ticket: objections are ruled on; from a queue the next one comes by itself."""
    if ticket.queue in RULED and current_actor().may(RULE):
        return url_for("dispatcher.ruling", code=ticket.code)
    then = url_for("dispatcher.following", name=queue) if queue else None
    return url_for("ticket.page", code=ticket.code, then=then)


def _page(
    session: Session, actor: Actor, tickets: list[Ticket], chosen: Queue | None, source: Source | None
) -> ResponseReturnValue:
    standing = world().refresh(session)
    values = {
        "standing": standing,
        "tickets": tickets,
        "names": area_names(standing, tickets),
        "queues": _counts(session, actor),
        "chosen": chosen,
        "source": source,
        "sources": tuple(Source),
        "address_of": address_of,
        "objections": _objections(session, tickets) if chosen in RULED else {},
        "reasons": dict(BY_ACTION["object"].given[0].choices),
    }
    if is_poll():
        return fresh("dispatcher/list.html", **values)
    return render_template("dispatcher/stream.html", **values)


def _queue(name: str) -> Queue:
    if name not in set(Queue):
        raise NotFound("没有这个队列,请从指挥台打开")
    return Queue(name)


def _source() -> Source | None:
    name = request.args.get("source", "")
    return Source(name) if name in set(Source) else None


def _from(source: Source | None) -> list[ColumnElement[bool]]:
    return [col(Ticket.source) == source] if source else []


def _waits_in(queue: Queue) -> ColumnElement[bool]:
    """What waits in a queue; what belongs to a theme's desk waits there and nowhere else."""
    return and_(col(Ticket.queue) == queue, themes.not_elsewhere(current_actor()))


def _counts(session: Session, actor: Actor) -> dict[Queue, int]:
    """How many wait in each queue, empty ones included."""
    query = (
        select(Ticket.queue, func.count())
        .where(queries.visible(actor), col(Ticket.queue).is_not(None), themes.not_elsewhere(actor))
        .group_by(col(Ticket.queue))
    )
    found = {Queue(name): int(number) for name, number in session.exec(query) if name}
    return {queue: found.get(queue, 0) for queue in Queue}


def _objections(session: Session, tickets: list[Ticket]) -> dict[UUID, Objection]:
    """The last objection of each ticket: who objects, and whom they suggest."""
    query = select(Objection).where(queries.of_tickets(Objection, tickets)).order_by(col(Objection.raised_at))
    return {objection.ticket_id: objection for objection in session.exec(query)}
