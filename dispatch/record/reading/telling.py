"""A ticket's whole story in words: what happened, who decided, by what reason, and how each clock ran."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from dispatch.record import clocks, queries
from dispatch.record.models import Ticket, TicketClock
from dispatch.record.world import Standing
from dispatch.rules.clocks import UNIT_LABELS, Unit
from dispatch.rules.workflow import BY_ACTION, MARKS, STATES, SUBMIT, State

KINDS = {"total": "诉求总时限", "handle": "承办时限", "stage": "环节时限", "assist": "协办时限"}


def story(session: Session, ticket: Ticket, standing: Standing) -> Iterator[str]:
    """The lines that `flask dispatch explain` prints; nobody's particulars are in them."""
    zone = ZoneInfo(standing.zone)
    category = standing.categories[ticket.category_code]
    yield f"工单 {ticket.code}:{category.name},{STATES[ticket.state].label},来源 {ticket.source}"
    yield f"落格:{(ticket.placed or {}).get('reason') or (ticket.placed or {}).get('how')}"
    yield f"派单:{(ticket.routed or {}).get('reason') or '还没有'}(规则版本 {ticket.ruleset_version})"
    yield ""
    for line in queries.history(session, ticket):
        event = line.event
        unit = standing.organisations.get(event.organisation_code or "")
        who = "系统" if event.channel == "system" else unit.name if unit else "诉求人"
        moved = "" if event.state_from == event.state_to else f" → {STATES[State(event.state_to)].label}"
        yield f"{event.seq:>3} {_at(event.at, zone)} {who}:{_label(event.action)}{moved}"
        given = {k: v for k, v in (event.given or {}).items() if k not in ("statements", "photos")}
        if given:
            yield "      " + ";".join(f"{name}={value}" for name, value in given.items())
        reason = ((event.reasons or {}).get("routed") or {}).get("reason")
        if reason:
            yield f"      理由:{reason}"
    for clock in queries.rows(session, TicketClock, ticket):
        yield ""
        yield from clock_story(clock, standing)


def clock_story(clock: TicketClock, standing: Standing) -> Iterator[str]:
    """One clock, day by day, by the present calendar."""
    zone = ZoneInfo(standing.zone)
    name = KINDS[str(clock.kind)] + (f"({clock.stage})" if clock.stage else "")
    limit = f"{clock.amount:g} {UNIT_LABELS[Unit(clock.unit)]}"
    yield f"{name}:{limit},依据 {clock.limit_id or '默认'},自 {_at(clock.started_at, zone)} 起算"
    if clock.paused_at is not None:
        yield f"  {_at(clock.paused_at, zone)} 起暂停"
        return
    end = clocks.ends(clock, standing)
    for step in end.steps:
        yield f"  {'+' if step.counted else ' '} {step.text}"
    mark = "(按推算的工作日历)" if clock.estimated else ""
    stood = f",{_at(clock.stopped_at, zone)} 停" if clock.stopped_at else ""
    yield f"  = {_at(clock.due_at, zone)} 到期{mark}{stood}"


def _label(action: str) -> str:
    if action == SUBMIT.action:
        return SUBMIT.label
    row = BY_ACTION.get(action)
    return row.label if row else MARKS.get(action, action)


def _at(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
