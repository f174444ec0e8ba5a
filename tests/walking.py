"""Steps that many tests take: a caller is registered, a timer fires, a matter is handled and verified."""

from dispatch.record import queries
from dispatch.record.firing import fire
from dispatch.record.models import OutboxRow, Source, TicketClock, Timer
from dispatch.rules.workflow import ClockKind
from tests.town import (
    GARBAGE,
    Town,
)


def calls(town: Town, category: str = GARBAGE, **more: object) -> str:
    given = {
        "source": Source.HOTLINE,
        "reporter_name": "赵大爷",
        "reporter_phone": "13800009999",
        "consented": True,
        "text": "门口垃圾三天没清",
        "notice_version": "1",
        **more,
    }
    return town.operator.reports(category, **given).code


def fires(town: Town, code: str, kind: str) -> str:
    """Let the pending timer of that kind be due, and fire it as the sweeper would."""
    ticket = town.ticket(code)
    with town.database.writing() as session:
        rows = [t for t in queries.rows(session, Timer, ticket) if t.kind == kind and t.done_at is None]
        (timer,) = rows[-1:]
        town.now = max(town.now, timer.due_at)
        timer.outcome = fire(session, timer, town.world, town.now)
        timer.done_at = town.now if timer.outcome != "later" else None
        return str(timer.outcome)


def handled(town: Town, code: str) -> None:
    town.department.acts(code, "contact", outcome="reached")
    town.department.acts(code, "handle", solved="solved", answer="已清运", photos=(town.photo("b" * 64),))


def verified(town: Town, code: str) -> None:
    handled(town, code)
    town.later(hours=1).worker.acts(code, "verify_pass", photos=(town.photo("c" * 64),))


def clocks(town: Town, code: str, kind: ClockKind = ClockKind.HANDLE) -> list[TicketClock]:
    with town.database.reading() as session:
        return [c for c in queries.rows(session, TicketClock, town.ticket(code)) if c.kind is kind]


def sent(town: Town, code: str) -> list[str]:
    with town.database.reading() as session:
        rows = queries.rows(session, OutboxRow, town.ticket(code))
    return [row.payload["happening"] for row in rows if row.topic == "notify"]
