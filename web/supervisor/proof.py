"""When everything was last proved and with what result; one ticket's chain is proved at once."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlmodel import Session, col, select

from dispatch.record import auditing, queries
from dispatch.upkeep import anchors, verifying
from grid.errors import NotFound
from grid.models import StandingChange
from web.gate.access import current_actor, permission_required
from web.service.context import database, settings, world
from web.supervisor.blueprint import blueprint


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
