"""The named conditions by their names."""

from collections.abc import Callable

from dispatch.rules.workflow import Doer, Facts

Guard = Callable[[Facts, Doer], str | None]
GUARDS: dict[str, Guard] = {}


def guard(check: Guard) -> Guard:
    """Let transitions ask for this condition by its name."""
    GUARDS[check.__name__] = check
    return check
