"""The supervisor's figures: counts by department, street and grid, each opening into its tickets. Nobody is ranked."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlmodel import Session, col, select

from dispatch.insight import metrics
from dispatch.record import auditing, queries
from dispatch.record.models import Source
from dispatch.record.world import Standing
from dispatch.rules.workflow import STATES, State
from dispatch.upkeep import anchors, verifying
from grid.errors import InputError, NotFound
from grid.models import Area, StandingChange
from web.forms import FiguresQuery, check
from web.gate.access import current_actor, permission_required
from web.service.context import database, now, settings, world
from web.shown.labels import SOURCES
from web.shown.lists import area_names

blueprint = Blueprint("supervisor", __name__, url_prefix="/figures")

PAGE = 100
IN_TABLE = ("reported", "open", "overdue", "to_verify", "to_ask", "closed", "reworked")


@blueprint.get("/")
@permission_required(metrics.FIGURES)
def figures() -> ResponseReturnValue:
    """Headline numbers, and one table by unit, street or grid."""
    query = _query()
    actor, period = current_actor(), _period(query)
    columns = [metrics.BY_KEY[key] for key in IN_TABLE]
    with database().reading() as session:
        standing = world().refresh(session)
        table = metrics.table(session, columns, actor, period, query.by)
        return render_template(
            "supervisor/figures.html",
            query=query,
            headline=[(metric, metrics.count(session, metric, actor, period)) for metric in metrics.METRICS],
            columns=columns,
            table=table,
            names=_names(session, standing, query.by, list(table)),
            dimensions={key: label for key, (label, _) in metrics.DIMENSIONS.items()},
            until=period.to_at,
        )


@blueprint.get("/tickets")
@permission_required(metrics.FIGURES)
def tickets() -> ResponseReturnValue:
    """The tickets behind one number."""
    query = _query()
    if query.metric is None:
        raise InputError("没有说明要看哪个数字,请从数字页面打开")
    metric = metrics.metric_of(query.metric)
    dimension = query.by if "code" in request.args else None
    with database().reading() as session:
        standing = world().refresh(session)
        found = metrics.tickets(
            session,
            metric,
            current_actor(),
            _period(query),
            dimension,
            query.code,
            size=PAGE + 1,
            offset=query.page * PAGE,
        )
        names = _names(session, standing, query.by, [query.code] if query.code else [])
        return render_template(
            "supervisor/tickets.html",
            query=query,
            metric=metric,
            dimension=dimension,
            place=names.get(query.code or "", ""),
            tickets=found[:PAGE],
            more=len(found) > PAGE,
            standing=standing,
            names=area_names(session, standing, found),
        )


@blueprint.get("/proof")
@permission_required("chain:verify")
def proof() -> ResponseReturnValue:
    """When everything was last proved and with what result; one ticket's chain is proved at once."""
    code = request.args.get("code", "").strip()
    with database().reading() as session:
        world().refresh(session)
        ticket, error = None, None
        try:
            ticket = queries.find(session, code, current_actor()) if code else None
        except NotFound as missing:
            error = missing
        page = render_template(
            "supervisor/proof.html",
            code=code,
            error=error,
            ticket=ticket,
            lines=queries.history(session, ticket) if ticket else [],
            findings=list(auditing.check(session, ticket)) if ticket else [],
            last=_last_proof(session),
            anchored_at=_anchored_at(),
        )
    return page, 404 if error else 200


@dataclass(frozen=True, slots=True)
class LastProof:
    """The last look at everything, as the audit keeps it."""

    at: datetime
    found: dict[str, Any]


def _last_proof(session: Session) -> LastProof | None:
    query = select(StandingChange).where(
        StandingChange.thing == verifying.CHAIN, StandingChange.action == verifying.VERIFIED
    )
    row = session.exec(query.order_by(col(StandingChange.at).desc()).limit(1)).first()
    return LastProof(row.at, json.loads(row.after or "{}")) if row else None


def _anchored_at() -> datetime | None:
    stem = anchors.last_at(anchors.folder_of(settings()))
    return datetime.strptime(f"{stem}+0000", "%Y%m%dT%H%M%S%fZ%z") if stem else None


def _query() -> FiguresQuery:
    return check(FiguresQuery, {name: value for name, value in request.args.items() if value})


def _period(query: FiguresQuery) -> metrics.Period:
    """The last days until now; a list opened from a page looks at the same moment as the page did."""
    until = query.until if query.until and query.until <= now() else now()
    return metrics.Period(until - timedelta(days=query.days), until)


def _names(session: Session, standing: Standing, dimension: str, codes: list[str]) -> dict[str, str]:
    """What the codes of the first column are called."""
    if dimension == "department":
        return {code: standing.organisations[code].name for code in codes if code in standing.organisations}
    if dimension == "state":
        return {code: STATES[State(code)].label for code in codes if code in set(State)}
    if dimension == "source":
        return {code: SOURCES[Source(code)] for code in codes if code in set(Source)}
    query = select(Area.code, Area.name).where(
        Area.generation_id == standing.generation_id, col(Area.code).in_(codes)
    )
    return dict(session.exec(query).all())
