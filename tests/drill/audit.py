"""Compares what was promised with what the database holds after the last kill."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from dispatch.record import chain, firing
from dispatch.record.evidence import photos
from dispatch.record.models import (
    ClientKey,
    Notice,
    OutboxRow,
    Statement,
    StoredPhoto,
    Ticket,
    TicketCode,
    TicketEvent,
    Timer,
)
from dispatch.rules.workflow import BY_ACTION
from grid.errors import Unavailable
from grid.models import NoticeRule
from grid.settings import Settings
from tests.drill.clients import Ledger

# What a timer that fired must have left behind: an event of one of these, or a notice of its name.
TRACES = {
    "clock_red": ("overdue",),
    "escalate_2": ("escalated",),
    "escalate_3": ("escalated",),
    "stage_end": ("auto_sign", "attempt_callback", "close_unanswered"),
}
ONCE = ("auto_sign", "overdue", "escalated")


@dataclass
class Findings:
    """Counts that must all be zero, and what they were counted over."""

    acknowledged: int = 0
    tickets: int = 0
    lost: int = 0
    duplicated: int = 0
    illegal: int = 0
    timers_fired: int = 0
    timers_twice: int = 0
    timers_missed: int = 0
    timers_early: int = 0
    notices: int = 0
    notices_lost: int = 0
    notices_doubled: int = 0
    photos: int = 0
    photos_lost: int = 0
    chain_breaks: int = 0
    actions_lost: int = 0
    details: list[str] = field(default_factory=list)

    def add(self, name: str, found: Iterable[object]) -> None:
        listed = [str(one) for one in found]
        setattr(self, name, getattr(self, name) + len(listed))
        self.details += [f"{name}: {one}" for one in listed[:5]]


ZERO = (
    "lost",
    "duplicated",
    "illegal",
    "timers_twice",
    "timers_missed",
    "timers_early",
    "notices_lost",
    "notices_doubled",
    "photos_lost",
    "chain_breaks",
    "actions_lost",
)


def unfinished(session: Session, at: datetime) -> int:
    """What was due at that instant and is not done yet."""
    outbox = select(OutboxRow).where(col(OutboxRow.done_at).is_(None), col(OutboxRow.created_at) <= at)
    timers = select(Timer).where(col(Timer.done_at).is_(None), col(Timer.due_at) <= at)
    return len(session.exec(outbox).all()) + len(session.exec(timers).all())


def audit(session: Session, settings: Settings, ledger: Ledger, now: datetime) -> Findings:
    """Everything that can be found wrong, by name."""
    if session.get_bind().dialect.name == "postgresql":  # counting takes longer than a request may rest
        session.execute(text("SET idle_in_transaction_session_timeout = 0"))
    findings = Findings(acknowledged=len(ledger.tickets), photos=len(set(ledger.photos)))
    tickets = {ticket.id: ticket for ticket in session.exec(select(Ticket))}
    events: dict[UUID, list[TicketEvent]] = defaultdict(list)
    for event in session.exec(select(TicketEvent).order_by(col(TicketEvent.seq))):
        events[event.ticket_id].append(event)
    outbox = list(session.exec(select(OutboxRow)))
    findings.tickets = len(tickets)
    _promises(session, ledger, tickets, findings)
    _histories(session, events, findings)
    _timers(list(session.exec(select(Timer))), events, outbox, now, findings)
    _notices(session, tickets, events, outbox, now, findings)
    _photos(session, settings, ledger, findings)
    kept = {event.request_key for lines in events.values() for event in lines}
    findings.add("actions_lost", (what for key, what in ledger.actions.items() if key not in kept))
    return findings


def _promises(session: Session, ledger: Ledger, tickets: dict[UUID, Ticket], findings: Findings) -> None:
    keys = {key.client_uuid: key for key in session.exec(select(ClientKey))}
    codes = {row.code: row.ticket_id for row in session.exec(select(TicketCode))}
    for client_uuid, code in ledger.tickets.items():
        key = keys.get(client_uuid)
        if key is None or key.ticket_id not in tickets or codes.get(code) != key.ticket_id:
            findings.add("lost", [f"{client_uuid} {code}"])
    # Every ticket came from exactly one client_uuid.
    findings.add("duplicated", set(tickets) - {key.ticket_id for key in keys.values()})
    findings.add("duplicated", [i for i, n in Counter(k.ticket_id for k in keys.values()).items() if n > 1])


def _histories(session: Session, events: dict[UUID, list[TicketEvent]], findings: Findings) -> None:
    texts: dict[UUID, list[Statement]] = defaultdict(list)
    for statement in session.exec(select(Statement)):
        texts[statement.ticket_id].append(statement)
    for ticket_id, lines in events.items():
        findings.add("chain_breaks", chain.breaks(lines, texts[ticket_id]))
        state = None
        for event in lines:
            if event.state_from != state or not _is_legal(event):
                findings.add("illegal", [f"{ticket_id} {event.seq} {event.action} {state}→{event.state_to}"])
            state = event.state_to


def _is_legal(event: TicketEvent) -> bool:
    if event.action == "submit":
        return event.state_from is None and event.seq == 1
    row = BY_ACTION.get(event.action)
    if row is None:
        return event.action in firing.MARKED.values() and event.state_from == event.state_to
    return event.state_from in row.sources and event.state_to == (row.target or event.state_from)


def _timers(
    timers: Sequence[Timer],
    events: dict[UUID, list[TicketEvent]],
    outbox: Sequence[OutboxRow],
    now: datetime,
    findings: Findings,
) -> None:
    told = Counter((r.ticket_id, (r.payload or {}).get("happening")) for r in outbox if r.topic == "notify")
    told_of: dict[UUID | None, list[str]] = defaultdict(list)
    for ticket_of, happening in told:
        told_of[ticket_of].append(str(happening))
    for ticket_id, lines in events.items():
        marks = Counter((e.action, str(e.given)) for e in lines if e.action in ONCE)
        findings.add("timers_twice", (f"{ticket_id} {mark}" for mark, times in marks.items() if times > 1))
    rungs = [(key, n) for key, n in told.items() if "clock_" in str(key[1])]
    findings.add("timers_twice", (key for key, n in rungs if n > 1))
    for timer in timers:
        if timer.done_at is None and timer.due_at <= now:
            findings.add("timers_missed", [f"{timer.kind} {timer.id} due {timer.due_at}"])
        if timer.outcome == firing.DONE and timer.ticket_id:
            findings.timers_fired += 1
            lines = events[timer.ticket_id]
            left = any(e.action in TRACES.get(timer.kind, ()) for e in lines)
            said = any(h.endswith((timer.kind, "stage_overdue")) for h in told_of[timer.ticket_id])
            if not (left or said):
                findings.add("timers_missed", [f"{timer.kind} {timer.id} left no trace"])
        early = timer.done_at is not None and timer.done_at < timer.due_at
        if timer.outcome == firing.DONE and early:
            findings.add("timers_early", [timer.id])


def _notices(
    session: Session,
    tickets: dict[UUID, Ticket],
    events: dict[UUID, list[TicketEvent]],
    outbox: Sequence[OutboxRow],
    now: datetime,
    findings: Findings,
) -> None:
    rules = defaultdict(list)
    for rule in session.exec(select(NoticeRule)):
        rules[rule.happening].append(rule)
    notices = list(session.exec(select(Notice)))
    findings.notices = len(notices)
    reached = {notice.outbox_id for notice in notices}
    for row in outbox:
        if row.done_at is None and row.created_at <= now:
            findings.add("notices_lost", [f"{row.topic} {row.id} undone: {row.last_error}"])
        elif row.done_at and row.topic == "notify" and row.ticket_id:
            urgent = tickets[row.ticket_id].urgent
            wanted = rules[str((row.payload or {}).get("happening"))]
            in_app = [
                r
                for r in wanted
                if r.channel == "in_app" and r.urgent <= urgent and r.audience != "assistants"
            ]
            if in_app and row.id not in reached:
                findings.add("notices_lost", [f"{row.payload} {row.id} reached nobody"])
    announced = {str((row.payload or {}).get("event_id")) for row in outbox}
    for lines in events.values():
        silent = (
            e for e in lines if (r := BY_ACTION.get(e.action)) and r.happening and str(e.id) not in announced
        )
        findings.add("notices_lost", (f"{e.action} {e.id} was not announced" for e in silent))
    same = Counter((n.outbox_id, n.organisation_code, n.account_id, n.text) for n in notices)
    findings.add("notices_doubled", (key for key, times in same.items() if times > 1))


def _photos(session: Session, settings: Settings, ledger: Ledger, findings: Findings) -> None:
    for sha256 in set(ledger.photos):
        photo = session.get(StoredPhoto, sha256)
        try:
            whole = photo is not None and photos.read_served(settings, photo)
            same = (
                photo is not None
                and hashlib.sha256(photos.read_original(settings, photo)).hexdigest() == sha256
            )
        except Unavailable:
            whole = same = False
        if not (whole and same):
            findings.add("photos_lost", [sha256])
