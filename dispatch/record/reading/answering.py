"""Which of a ticket's answers stand: those given, and drafts that the unit's leader approved."""

from collections.abc import Iterable, Iterator

from dispatch.record import queries

GIVEN, DRAFTED, APPROVED, RETURNED = "handle", "draft_answer", "approve_answer", "return_answer"


def standing(lines: Iterable[queries.Line], *, with_draft: bool) -> Iterator[queries.Line]:
    """The lines that hold an answer, latest first; `with_draft`: one that still waits for approval as well."""
    stands = with_draft
    for line in reversed(list(lines)):
        action = line.event.action
        if action == GIVEN or (action == DRAFTED and stands):
            yield line
        if action in (GIVEN, DRAFTED, RETURNED):
            stands = False
        elif action == APPROVED:
            stands = True
