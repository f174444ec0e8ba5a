"""What judging a report itself does: a mark with an end on the ticket, and the unit's record put right."""

from collections.abc import Mapping
from typing import Any

from dispatch.record.change import Change
from dispatch.record.models import Timer

Values = Mapping[str, Any]
OVER = "malicious_over"


def propose(change: Change, given: Values) -> None:
    change.ticket.conduct = "asked"


def hold(change: Change, given: Values) -> None:
    """Held until a day: not counted against the unit meanwhile, and nobody is called back about it."""
    ticket = change.ticket
    ticket.conduct, ticket.conduct_until = "held", given["until"]
    ticket.exclusion = "granted"
    key = f"{ticket.id}:{OVER}:{change.now.isoformat()}"
    change.add(Timer, kind=OVER, key=key, due_at=given["until"])


def refuse(change: Change, given: Values) -> None:
    change.ticket.conduct = "refused"


def appeal(change: Change, given: Values) -> None:
    change.ticket.conduct = "appealed"


def keep(change: Change, given: Values) -> None:
    change.ticket.conduct = "kept"


def lift(change: Change, given: Values) -> None:
    """As if it had never been found; the ticket counts again."""
    ticket = change.ticket
    ticket.conduct, ticket.conduct_until, ticket.exclusion = "lifted", None, None


def over(change: Change, given: Values) -> None:
    change.ticket.conduct, change.ticket.conduct_until = "over", None


def clarify(change: Change, given: Values) -> None:
    """Found untrue: the unit's figures leave it out, and the page says so to whoever reads it."""
    change.ticket.clarified_at = change.now
    change.ticket.exclusion = "granted"
