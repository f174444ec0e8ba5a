"""Pages that are said to follow the code do."""

import re
from pathlib import Path

import pytest

from dispatch.record.effects.table import EFFECTS
from dispatch.record.judging.checking import CHECKS
from dispatch.record.models import LinkKind, Queue, Source
from dispatch.rules.clocks import Unit
from dispatch.rules.guards import GUARDS
from dispatch.rules.workflow import (
    BY_ACTION,
    STATES,
    SYSTEM,
    TRANSITIONS,
    ClockKind,
    State,
)
from grid.models import DutyClass
from grid.permissions import ROLES, role_scopes
from web.cli.dispatching import PAGE, workflow_page

DOCS = Path("docs")
TERM = re.compile(r"^\| (?P<term>[^|]+) \| `(?P<identifier>[a-z0-9_.]+)` \|", re.MULTILINE)
NAMED = (State, Source, Queue, ClockKind, LinkKind, DutyClass, Unit)


def test_the_page_of_the_workflow_is_what_the_rows_say() -> None:
    assert PAGE.read_text("utf-8") == workflow_page(), "run `flask dispatch document`"


def test_the_glossary_has_every_name_once_and_no_other() -> None:
    text = (DOCS / "glossary.md").read_text("utf-8")
    found = [match["identifier"] for match in TERM.finditer(text)]
    assert len(found) == len(set(found))
    named = {f"{kind.__name__.lower()}.{member.value}" for kind in NAMED for member in kind}
    actions = {f"action.{row.action}" for row in TRANSITIONS}
    assert set(found) == named | actions


def test_the_glossary_says_states_and_actions_as_the_pages_do() -> None:
    text = (DOCS / "glossary.md").read_text("utf-8")
    terms = {match["identifier"]: match["term"] for match in TERM.finditer(text)}
    assert {f"state.{row.state}": row.label for row in STATES.values()}.items() <= terms.items()
    assert {f"action.{row.action}": row.label for row in TRANSITIONS}.items() <= terms.items()


def test_the_life_of_a_ticket_speaks_of_actions_and_states_that_exist() -> None:
    text = (DOCS / "life-of-a-ticket.md").read_text("utf-8")
    spoken = set(re.findall(r"`act:([a-z_]+)`", text))
    assert spoken
    assert spoken <= set(BY_ACTION) | {"submit"}


class TestRows:
    def test_each_has_its_effect_and_every_named_condition_exists(self) -> None:
        assert set(EFFECTS) == set(BY_ACTION)
        assert {name for row in TRANSITIONS for name in row.guards} == set(GUARDS)
        assert {given.check for row in TRANSITIONS for given in row.given if given.check} <= set(CHECKS)

    @pytest.mark.parametrize("row", TRANSITIONS, ids=lambda row: row.action)
    def test_somebody_may_take_each(self, row: object) -> None:
        verb = row.may  # type: ignore[attr-defined]
        assert verb == SYSTEM or any(role_scopes(role, verb) for role in ROLES)

    def test_every_state_can_be_reached_and_every_open_one_left(self) -> None:
        reached = {row.target for row in TRANSITIONS if row.target} | {State.SUBMITTED, State.LEAD_REGISTERED}
        assert reached == set(State)
        for state in (row.state for row in STATES.values() if row.open):
            assert any(state in row.sources and row.target for row in TRANSITIONS), state

    def test_what_the_system_does_at_the_end_of_a_stage_is_possible_there(self) -> None:
        for state in STATES.values():
            for action in state.at_end:
                assert state.state in BY_ACTION[action].sources
