"""The named conditions that transitions ask for, each a pure question with one sentence for 'no'."""

from dispatch.rules.guards import afterwards, asking, handling, persons, returning
from dispatch.rules.guards.asking import CALLBACK_ATTEMPTS
from dispatch.rules.guards.table import GUARDS
from dispatch.rules.workflow import (
    BY_ACTION,
    STATES,
    SYSTEM,
    Doer,
    Facts,
    Refusal,
    Transition,
    actions_from,
    labels,
)

__all__ = [
    "CALLBACK_ATTEMPTS",
    "GUARDS",
    "PERSON_GUARDS",
    "afterwards",
    "asking",
    "handling",
    "possible",
    "refusal",
    "returning",
]
# What stands against a person, not against the moment: answered as "may not", not as "not now".
PERSON_GUARDS = frozenset(name for name, check in GUARDS.items() if check.__module__ == persons.__name__)


def refusal(action: str, facts: Facts, doer: Doer) -> Refusal | None:
    """Why this action is refused now, or None when nothing stands in its way (permission is asked elsewhere)."""
    row = BY_ACTION[action]
    if facts.state not in row.sources:
        possible = "、".join(
            dict.fromkeys(other.label for other in actions_from(facts.state) if other.may != SYSTEM)
        )
        return Refusal(
            "state",
            f"工单现在是“{STATES[facts.state].label}”,不能{row.label}(只能在 {labels(row.sources)} 时进行);"
            f"现在可以:{possible or '查看'}",
        )
    for name in row.guards:
        sentence = GUARDS[name](facts, doer)
        if sentence is not None:
            return Refusal(name, sentence)
    return None


def possible(facts: Facts, doer: Doer) -> tuple[Transition, ...]:
    """The rows open to the ticket now as far as its facts go."""
    return tuple(row for row in actions_from(facts.state) if refusal(row.action, facts, doer) is None)
