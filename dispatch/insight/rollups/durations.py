"""How long things took, from the history alone, in minutes of natural time.

Three readings: `total` from acceptance to the end and `handle` from each dispatch to the unit's answer, both without
the time in which the reporter was asked for more or the matter was suspended; `stage` is each visit to a state. Kept
beside them: how far into its week each matter came in, in whole hours.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dispatch.insight.rollups.marking import DONE
from dispatch.insight.rollups.models import NONE
from dispatch.insight.rollups.story import Line, Story
from dispatch.insight.rollups.turns import Turn, turns_of
from dispatch.rules.workflow import STATES, State

ARRIVAL = "arrival"
STANDING_STILL = frozenset({State.NEED_INFO, State.SUSPENDED})
HOUR, TWO_DAYS = 60, 48 * 60
IN_HOURS, IN_DAYS = 6, 144  # a tenth of an hour, a tenth of a day


class Took(NamedTuple):
    """One stretch: the day it ended, whose it was, what it was, how long (as exact as it is shown)."""

    on: date
    organisation_code: str
    clock: str
    stage: str
    minutes: int


def step(minutes: int) -> int:
    """Minutes as exact as they are shown: single ones up to an hour, tenths of hours up to two days, tenths of days."""
    width = 1 if minutes < HOUR else IN_HOURS if minutes < TWO_DAYS else IN_DAYS
    return (minutes + width // 2) // width * width


def spans_of(story: Story, at: datetime, zone: ZoneInfo) -> list[Took]:
    """Every stretch of this history that had ended by `at`."""
    lines = story.as_of(at).lines
    if not lines or lines[-1].state == State.SELF_HANDLED:
        return []
    turns = turns_of(lines)
    came_at = lines[0].at.astimezone(zone)
    into_week = (came_at.weekday() * 24 + came_at.hour) * 60
    return [
        Took(came_at.date(), _last_unit(turns), ARRIVAL, ARRIVAL, into_week),
        *(
            Took(
                end.astimezone(zone).date(),
                unit,
                clock,
                stage,
                step(int((end - began - stood) / timedelta(minutes=1))),
            )
            for began, end, stood, unit, clock, stage in _spans(lines, turns)
        ),
    ]


def _last_unit(turns: list[Turn]) -> str:
    return turns[-1].organisation_code if turns else NONE


def _spans(
    lines: tuple[Line, ...], turns: list[Turn]
) -> Iterator[tuple[datetime, datetime, timedelta, str, str, str]]:
    moves = [line for place, line in enumerate(lines) if not place or line.state != lines[place - 1].state]
    for before, after in pairwise(moves):
        stage = STATES[State(before.state)].stage
        if stage is not None and after.at > before.at:
            unit = next((t.organisation_code for t in turns if t.holds(before.at)), NONE)
            yield before.at, after.at, timedelta(), unit, "stage", stage
    for turn in turns:
        if turn.answered_at is not None:
            stood = _stood(moves, turn.began_at, turn.answered_at)
            yield turn.began_at, turn.answered_at, stood, turn.organisation_code, "handle", "handle"
    if lines[-1].state in DONE:
        end = next(m.at for m in reversed(moves) if m.state in DONE and m.state != State.ARCHIVED)
        yield lines[0].at, end, _stood(moves, lines[0].at, end), _last_unit(turns), "total", "total"


def _stood(moves: list[Line], began: datetime, end: datetime) -> timedelta:
    """How long within that stretch nothing ran."""
    standing = timedelta()
    for before, after in pairwise(moves):
        if before.state in STANDING_STILL:
            standing += max(min(after.at, end) - max(before.at, began), timedelta())
    return standing
