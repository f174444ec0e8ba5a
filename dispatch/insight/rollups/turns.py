"""The turns of a history: each dispatch to a unit, until the next one."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from dispatch.insight.rollups.models import NONE
from dispatch.insight.rollups.story import Line, Span, Story
from dispatch.rules.workflow import ClockKind

NEW_UNIT = frozenset({"dispatch", "dispatch_make_safe", "settle_owner", "uphold_objection", "settle", "grant_raise"})  # fmt: skip
AGAIN = frozenset({"uphold_dissatisfaction", "reopen", "recheck_fail"})
ANSWERED = frozenset({"handle", "approve_answer", "made_safe", "answer_instantly"})
OBJECTED = frozenset({"object", "object_again"})
TAKES_UP = frozenset(
    {
        "open",
        "contact",
        "start",
        "handle",
        "draft_answer",
        "assign_within",
        "finish_step",
        "report_progress",
        "object",
        "object_again",
    }
)


@dataclass
class Turn:
    """One unit's time with a matter."""

    organisation_code: str
    began_at: datetime
    is_dispatch: bool
    ended_at: datetime | None = None
    opened_at: datetime | None = None
    auto_signed_at: datetime | None = None
    contacted_at: datetime | None = None
    answered_at: datetime | None = None
    objections: list[str] = field(default_factory=list)
    overdue: bool = False

    def holds(self, at: datetime) -> bool:
        return self.began_at <= at and (self.ended_at is None or at < self.ended_at)


def turns_of(lines: Iterable[Line]) -> list[Turn]:
    """The turns in order; an objection belongs to the turn that it was raised in."""
    turns: list[Turn] = []
    for line in lines:
        last = turns[-1] if turns else None
        if last is not None:
            _note(last, line)
        if line.action in NEW_UNIT or (line.action in AGAIN and last is not None):
            if last is not None:
                last.ended_at = line.at
            unit = str(line.given.get("organisation") or "") if line.action in NEW_UNIT else ""
            code = unit or (last.organisation_code if last else NONE)
            turns.append(Turn(code, line.at, line.action in NEW_UNIT))
    return turns


def _note(turn: Turn, line: Line) -> None:
    action = line.action
    if action in TAKES_UP and line.by_person:
        turn.opened_at = turn.opened_at or line.at
    if action == "auto_sign":
        turn.auto_signed_at = line.at
    elif action == "contact":
        turn.contacted_at = turn.contacted_at or line.at
    elif action in ANSWERED:
        turn.answered_at = line.at
    elif action == "verify_fail":
        turn.answered_at = None
    elif action in OBJECTED:
        turn.objections.append("asked")
    elif action == "uphold_objection" and turn.objections:
        turn.objections[-1] = "upheld"
    elif action == "refuse_objection" and turn.objections:
        turn.objections[-1] = "refused"
    elif action == "settle" and turn.objections and turn.objections[-1] == "asked":
        same = line.given.get("organisation") == turn.organisation_code
        turn.objections[-1] = "refused" if same else "upheld"
    elif action == "overdue" and line.given.get("clock") == ClockKind.HANDLE:
        turn.overdue = True


def clocks_within(story: Story, turn: Turn, kind: str, stage: str | None = None) -> list[Span]:
    """The clocks of a kind that began in this turn."""
    return [
        c for c in story.clocks if c.kind == kind and stage in (None, c.stage) and turn.holds(c.started_at)
    ]


def stands(clock: Span, at: datetime) -> bool:
    """Whether the clock stood still at that instant."""
    return any(a <= at and (b is None or at < b) for a, b in clock.pauses)


def left_at(story: Story, clock: Span) -> datetime | None:
    """When the state was left that a stage's clock began with: from then on that clock means nothing."""
    state = next((line.state for line in reversed(story.lines) if line.at <= clock.started_at), None)
    return next((line.at for line in story.lines if line.at > clock.started_at and line.state != state), None)


def ran_out(story: Story, clock: Span, at: datetime, done_at: datetime | None = None) -> bool:
    """Whether a stage's clock reached its end before the stage was left and before it was done."""
    left = left_at(story, clock)
    ends = [instant for instant in (left, done_at) if instant is not None]
    return clock.due_at <= at and all(clock.due_at <= instant for instant in ends)
