"""What is to be counted of one history, as of an instant: the one place where the formulas' words become conditions.

Only what is decided counts: a dispatch that is neither opened nor past its limit is in no denominator yet.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dispatch.insight.metrics.measures import BIT
from dispatch.insight.rollups.models import NONE
from dispatch.insight.rollups.story import CORRECTION, Line, Story
from dispatch.insight.rollups.turns import Turn, clocks_within, left_at, ran_out, stands, turns_of
from dispatch.rules.callbacks import SATISFIED_FROM
from dispatch.rules.workflow import ClockKind, State

DONE = frozenset({State.CLOSED, State.ARCHIVED, State.INSTANT})
LEFT_OUT = frozenset({State.REJECTED, State.REFERRED, State.MERGED, State.TERMINATED, State.WITHDRAWN})
UNANSWERED = frozenset({"close_unanswered", "decline_callback"})
ANSWERS = frozenset({"answer_satisfied", "answer_unsolved", "record_upper_result", "record_instant_answer"})
RECHECKS = {"recheck_pass": False, "recheck_fail": True}
ASKED_MORE = frozenset({"ask_more", "ask_more_intake"})


class Row(NamedTuple):
    """One tally row to be: a day, an organisation, and the bits."""

    on: date
    organisation_code: str
    marks: int


class Mark(NamedTuple):
    """One measure on one instant's day for one organisation."""

    at: datetime
    organisation_code: str
    key: str


def rows_of(story: Story, at: datetime, zone: ZoneInfo) -> list[Row]:
    """The tally rows of one history as of `at`; what happens twice on a day for one unit makes a second row."""
    rows: dict[tuple[date, str], list[int]] = {}
    days: dict[datetime, date] = {}
    for at_of, unit, key in marks_of(story.as_of(at), at):
        on = days.get(at_of) or days.setdefault(at_of, at_of.astimezone(zone).date())
        held, bit = rows.setdefault((on, unit), [0]), BIT[key]
        for nth, bits in enumerate(held):
            if not bits & bit:
                held[nth] = bits | bit
                break
        else:
            held.append(bit)
    return [Row(on, unit, bits) for (on, unit), held in rows.items() for bits in held]


def marks_of(story: Story, at: datetime) -> Iterator[Mark]:
    """Everything that is counted of a history that ends at `at`."""
    lines = story.lines
    if not lines or lines[-1].state == State.SELF_HANDLED:
        return
    turns = turns_of(lines)
    unit = turns[-1].organisation_code if turns else NONE
    state = lines[-1].state
    yield Mark(lines[0].at, unit, "received")
    if state == State.REMINDED:
        yield Mark(lines[0].at, unit, "reminded")
        return
    yield from _corrections(lines)
    if _repeats(lines):
        yield Mark(lines[0].at, unit, "repeated")
    yield from _desks(story, at, turns)
    yield from _closing(story, at, unit, state)
    for turn in turns:
        yield from _turn(turn)
        if not _excluded(lines):
            yield from _opening(turn)
            yield from _handling(story, turn, at)
            yield from _contact(story, turn, at)
    if not _excluded(lines):
        yield from _asking(lines, turns)


def _corrections(lines: tuple[Line, ...]) -> Iterator[Mark]:
    """They are the desks' doing, no unit's."""
    for line in lines:
        if line.action == CORRECTION and line.given["reclassified"]["moved"]:
            yield Mark(line.at, NONE, "limit_moved")
        elif line.action == "audit_correction":
            yield Mark(line.at, NONE, "correction_audited")
            if line.given["finding"] == "improper":
                yield Mark(line.at, NONE, "correction_improper")


def _repeats(lines: tuple[Line, ...]) -> bool:
    """Whether it was put to another ticket and not taken out again."""
    last = next((line.action for line in reversed(lines) if line.action in ("merge", "unmerge")), None)
    return last == "merge"


def _excluded(lines: tuple[Line, ...]) -> bool:
    """Ruled out of all assessment by somebody outside the assessed unit; still shown as excluded."""
    return any(line.action == "grant_exclusion" for line in lines)


def _desks(story: Story, at: datetime, turns: list[Turn]) -> Iterator[Mark]:
    """What the intake desk and the dispatch desk owe: each the first time."""
    born = story.lines[0].at
    for stage, done, decided, in_time in (
        ("accept", _first(story.lines, State.SUBMITTED), "accept_decided", "accepted_in_time"),
        ("dispatch", turns[0].began_at if turns else None, "forward_decided", "forwarded_in_time"),
    ):
        clock = next((c for c in story.clocks if c.kind == ClockKind.STAGE and c.stage == stage), None)
        if done is None and (clock is None or not ran_out(story, clock, at)):
            continue
        yield Mark(born, NONE, decided)
        if done is not None and (clock is None or done <= clock.due_at):
            yield Mark(born, NONE, in_time)


def _first(lines: tuple[Line, ...], state: str) -> datetime | None:
    """When the history first left its first state."""
    return next((line.at for line in lines[1:] if line.state != state), None)


def _closing(story: Story, at: datetime, unit: str, state: str) -> Iterator[Mark]:
    lines = story.lines
    closed_at = next((line.at for line in reversed(_until_archived(lines))), None) if state in DONE else None
    reworked = any(line.action == "verify_fail" for line in lines)
    again = any(line.action in ("uphold_dissatisfaction", "reopen", "recheck_fail") for line in lines)
    left_out = state in LEFT_OUT or _repeats(lines) or _excluded(lines)
    if closed_at is not None and not left_out:
        yield Mark(closed_at, unit, "closed")
        if reworked:
            yield Mark(closed_at, unit, "closed_reworked")
        if not (reworked or again):
            yield Mark(closed_at, unit, "closed_once")
    if left_out:
        yield Mark(lines[0].at, unit, "excluded")
        return
    if state == State.SUSPENDED:
        yield Mark(
            next(line.at for line in reversed(lines) if line.action == "grant_suspension"), unit, "deferred"
        )
        return
    total = next((clock for clock in story.clocks if clock.kind == ClockKind.TOTAL), None)
    due_at = total.due_at if total is not None else None
    if closed_at is None and (due_at is None or at < due_at or (total is not None and stands(total, at))):
        return
    ends = min(instant for instant in (closed_at, due_at) if instant is not None)
    in_time = closed_at is not None and (due_at is None or closed_at <= due_at)
    yield Mark(ends, unit, "should_close")
    if closed_at is not None:
        yield Mark(ends, unit, "due_closed")
    if in_time:
        yield Mark(ends, unit, "due_closed_in_time")
    if any(line.action == "grant_extension" for line in lines):
        yield Mark(ends, unit, "due_extended")
    if story.urgent:
        yield Mark(ends, unit, "urgent_should_close")
        if in_time:
            yield Mark(ends, unit, "urgent_closed_in_time")


def _until_archived(lines: tuple[Line, ...]) -> list[Line]:
    """The lines up to the one that closed it for good: what follows (archive, re-check, exclusion) leaves it closed."""
    for place in range(len(lines) - 1, -1, -1):
        before = lines[place - 1].state if place else None
        if lines[place].state in DONE and before not in DONE:
            return list(lines[: place + 1])
    return list(lines)


def _turn(turn: Turn) -> Iterator[Mark]:
    unit, began = turn.organisation_code, turn.began_at
    if turn.is_dispatch:
        yield Mark(began, unit, "dispatched")
        if "upheld" not in turn.objections:
            yield Mark(began, unit, "dispatch_kept")
        for outcome in turn.objections:
            yield Mark(began, unit, "objected")
            if outcome != "asked":
                yield Mark(began, unit, "objection_ruled")
                yield Mark(began, unit, f"objection_{outcome}")


def _opening(turn: Turn) -> Iterator[Mark]:
    opened_at, limit_at = turn.opened_at, turn.auto_signed_at
    if not turn.is_dispatch or (opened_at is None and limit_at is None):
        return
    yield Mark(turn.began_at, turn.organisation_code, "open_decided")
    if opened_at is not None and (limit_at is None or opened_at < limit_at):
        yield Mark(turn.began_at, turn.organisation_code, "opened_in_time")


def _handling(story: Story, turn: Turn, at: datetime) -> Iterator[Mark]:
    """Staged matters have several clocks in a turn: each ends where the next begins."""
    clocks = clocks_within(story, turn, ClockKind.HANDLE)
    if not clocks:
        return
    ends = [clock.started_at for clock in clocks[1:]]
    last, until = clocks[-1], turn.answered_at or turn.ended_at or _left_at(story) or at
    late = turn.overdue or any(end > clock.due_at for end, clock in zip(ends, clocks, strict=False))
    late = late or (until > last.due_at and not stands(last, until))
    if turn.answered_at is None and not late:
        return
    decided_at = min(turn.answered_at or last.due_at, last.due_at)
    yield Mark(min(decided_at, until), turn.organisation_code, "handle_decided")
    if not late:
        yield Mark(min(decided_at, until), turn.organisation_code, "handled_in_time")


def _left_at(story: Story) -> datetime | None:
    """When the matter ended without an answer, if it did."""
    last = story.lines[-1]
    if last.state not in LEFT_OUT | DONE:
        return None
    return next((line.at for line in story.lines if line.state in LEFT_OUT | DONE), last.at)


def _contact(story: Story, turn: Turn, at: datetime) -> Iterator[Mark]:
    """Each return to the handling stage has a clock of its own; the first one that is decided counts."""
    if not story.asks_contact:
        return
    for clock in clocks_within(story, turn, ClockKind.STAGE, "contact"):
        left = left_at(story, clock)
        contacted = turn.contacted_at is not None and (left is None or turn.contacted_at <= left)
        if ran_out(story, clock, at, turn.contacted_at):
            yield Mark(clock.due_at, turn.organisation_code, "contact_decided")
            return
        if contacted and turn.contacted_at is not None:
            yield Mark(turn.contacted_at, turn.organisation_code, "contact_decided")
            yield Mark(turn.contacted_at, turn.organisation_code, "contacted_in_time")
            return


def _asking(lines: tuple[Line, ...], turns: list[Turn]) -> Iterator[Mark]:
    for line in lines:
        unit = next((t.organisation_code for t in reversed(turns) if t.began_at <= line.at), NONE)
        if line.action in ANSWERS:
            yield from _answer(line, unit, contacted=any(_contacted_before(t, line.at) for t in turns))
        elif line.action in UNANSWERED:
            yield Mark(line.at, unit, "asked")
            yield Mark(line.at, unit, "unanswered")
        elif line.action in RECHECKS:
            held = [t for t in turns if t.began_at < line.at]
            checked = held[-1].organisation_code if held else unit
            yield Mark(line.at, checked, "rechecked")
            if RECHECKS[line.action]:
                yield Mark(line.at, checked, "false_completion")
        elif line.action in ASKED_MORE:
            yield Mark(line.at, unit, "supplement_asked")


def _contacted_before(turn: Turn, at: datetime) -> bool:
    return turn.contacted_at is not None and turn.contacted_at <= at


def _answer(line: Line, unit: str, *, contacted: bool) -> Iterator[Mark]:
    yield Mark(line.at, unit, "asked")
    solved, satisfaction = line.given.get("solved"), line.given.get("satisfaction")
    if solved in ("solved", "partly", "unsolved"):
        yield Mark(line.at, unit, "answered")
        yield Mark(line.at, unit, str(solved))
        if contacted:
            yield Mark(line.at, unit, "answer_contacted")
    if satisfaction:
        yield Mark(line.at, unit, "rated")
        if int(satisfaction) >= SATISFIED_FROM:
            yield Mark(line.at, unit, "satisfied")
    else:
        yield Mark(line.at, unit, "unanswered")
