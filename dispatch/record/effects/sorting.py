"""Several tickets of one matter, or several matters in one ticket: merge, undo, split, relate."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import true
from sqlmodel import Session, col, select
from uuid6 import uuid7

from dispatch.record import queries
from dispatch.record.change import Change
from dispatch.record.codes import new_code, read_code
from dispatch.record.effects.asking import end
from dispatch.record.effects.assigning import accept, end_assignment
from dispatch.record.models import LinkKind, Reporter, Ticket, TicketCode, TicketLink
from dispatch.rules.workflow import OPEN_STATES, SUBMIT, State
from grid.errors import InputError
from grid.permissions import SYSTEM_ACTOR
from grid.rows import fresh

Values = Mapping[str, Any]
# What a ticket split from another has in common with it: where it is and how it came.
SHARED = (
    "intake_district",
    "source",
    "nature",
    "synthetic",
    "reported_lon",
    "reported_lat",
    "frame",
    "accuracy_m",
    "location_source",
    "lon",
    "lat",
    "district_code",
    "street_code",
    "community_code",
    "grid_code",
    "overlay_codes",
    "generation_id",
    "placed",
    "captured_at",
    "upper_code",
    "upper_due_at",
)
SAME_PERSON = ("name", "phone", "person_key", "consented", "notice_version", "confidential")


def merge(change: Change, given: Values) -> None:
    """Into another open ticket of the same matter; the reporter keeps a callback of their own."""
    ticket = change.ticket
    main = other(change, "into", given["into"])
    if main.state not in OPEN_STATES:
        why = "已并入别件" if main.state is State.MERGED else "已经办结"
        _refuse("into", f"工单 {main.code} {why},不能再并入;请并到现在办理的那一件")
    if ticket.main_code is not None and ticket.dispatched_at is not None:
        end_assignment(change, "merged")
    _link(change, LinkKind.MERGED, main)
    main.merged_count += 1
    main.version += 1
    ticket.merged_into = main.id
    end(change, given)
    ticket.main_code = ticket.section_code = None


def unmerge(change: Change, given: Values) -> None:
    """As if it had never been merged: the total clock has run all along, and it is routed anew."""
    for link in change.rows(TicketLink):
        if link.kind is LinkKind.MERGED and link.ended_at is None:
            link.ended_at = change.now
            main = change.session.get(Ticket, (link.other_district, link.other_id), with_for_update=True)
            if main is not None:
                main.merged_count -= 1
                main.version += 1
    change.ticket.merged_into = None
    accept(change, given)


def relate(change: Change, given: Values) -> None:
    _link(change, LinkKind.SAME_EVENT, other(change, "to", given["to"]))


def split(change: Change, given: Values) -> None:
    """Another matter of the same report becomes a ticket of its own, with the same reporter and place."""
    one, now = change.ticket, change.now
    category = change.standing.category(str(given["category"]))
    kept = {name: getattr(one, name) for name in SHARED}
    made = fresh(
        Ticket,
        **kept,
        id=uuid7(),
        code=new_code(now.astimezone(change.world.settings.zone).date()),
        state=State.SUBMITTED,
        category_code=category.code,
        urgent=category.urgent,
        verify_mode=category.verify_mode,
        owner_code=change.standing.centre_code,
        ruleset_version=change.standing.ruleset_version,
        reported_by=one.reported_by,
        reported_at=now,
    )
    new = Change(change.session, made, change.actor, change.world, now, new=True)
    for reporter in change.rows(Reporter):
        new.add(Reporter, **{name: getattr(reporter, name) for name in SAME_PERSON})
    new.append(SUBMIT, "submit", State.SUBMITTED, {"category": category.code, "text": given["text"]})
    _link(new, LinkKind.SPLIT, one)
    new.write()
    change.then.append((made, "accept"))


def other(change: Change, field: str, code: Any) -> Ticket:
    """The other ticket, locked; it must be one that the actor may read, and not this one."""
    typed = read_code(str(code))
    readable = true() if change.actor is SYSTEM_ACTOR else queries.visible(change.actor)
    query = (
        select(Ticket)
        .join(TicketCode, col(TicketCode.ticket_id) == col(Ticket.id))
        .where(col(TicketCode.code) == typed, readable)
        .with_for_update(of=Ticket)
    )
    found = change.session.exec(query).first() if typed else None
    if found is None:
        _refuse(field, f"没有找到工单 {code},请核对编号")
    assert found is not None
    if found.id == change.ticket.id:
        _refuse(field, "不能是本件自己,请填写另一件的编号")
    return found


def children(session: Session, ticket: Ticket) -> list[tuple[LinkKind, Ticket]]:
    """The tickets tied to this one, with how."""
    query = (
        select(TicketLink, Ticket)
        .join(Ticket, col(Ticket.id) == col(TicketLink.ticket_id))
        .where(col(TicketLink.other_id) == ticket.id, col(TicketLink.ended_at).is_(None))
        .order_by(col(TicketLink.id))
    )
    return [(link.kind, child) for link, child in session.exec(query).all()]


def _link(change: Change, kind: LinkKind, to: Ticket) -> None:
    change.add(TicketLink, kind=kind, other_district=to.intake_district, other_id=to.id, made_at=change.now)


def _refuse(field: str, sentence: str) -> None:
    raise InputError(sentence, {field: sentence})
