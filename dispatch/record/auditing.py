"""Checks the record against itself: every chain, and every ticket against the replay of its history."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlmodel import Session, col, select

from dispatch.record import chain, queries
from dispatch.record.models import Statement, Ticket, TicketClock, TicketEvent
from dispatch.rules.workflow import STATES, State

PAGE = 500


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where the record does not hold."""

    code: str
    what: str


def audit(session: Session) -> Iterator[Finding]:
    """Walk every ticket, oldest first."""
    last = None
    while True:
        query = select(Ticket).order_by(col(Ticket.id)).limit(PAGE)
        page = list(session.exec(query if last is None else query.where(col(Ticket.id) > last)))
        if not page:
            return
        for ticket in page:
            yield from check(session, ticket)
        last = page[-1].id


def check(session: Session, ticket: Ticket) -> Iterator[Finding]:
    """Everything that must hold of one ticket."""
    events: list[TicketEvent] = sorted(queries.rows(session, TicketEvent, ticket), key=lambda e: e.seq)
    for found in chain.breaks(events, queries.rows(session, Statement, ticket)):
        yield Finding(ticket.code, f"第 {found.seq} 条:{found.what}")
    state, continuous = replay(events)
    if not continuous:
        yield Finding(ticket.code, "历史不连续:前一条到达的状态不是后一条离开的状态")
    if state != ticket.state:
        yield Finding(ticket.code, f"历史走到“{state}”,工单现在却是“{ticket.state}”")
    if STATES[ticket.state].open:
        if not ticket.owner_code:
            yield Finding(ticket.code, "在办工单没有责任单位")
        clocks = queries.rows(session, TicketClock, ticket)
        if not any(clock.stopped_at is None for clock in clocks):
            yield Finding(ticket.code, "在办工单没有走着或暂停的钟")


def replay(events: list[TicketEvent]) -> tuple[State | None, bool]:
    """The state to which the events lead, and whether each begins where the one before ended."""
    state: str | None = None
    continuous = True
    for event in events:
        continuous = continuous and event.state_from == state
        state = event.state_to
    return (State(state) if state else None), continuous
