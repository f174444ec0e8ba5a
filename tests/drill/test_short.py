"""The short drill of every test run: sixty kills on each database, and nothing lost, doubled or broken."""

import os

import pytest

from tests.drill.drilling import drill
from tests.services import postgres_programs

KILLS = int(os.environ.get("GRID_DRILL_KILLS", "60"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_nothing_is_lost_whatever_is_killed(kind: str) -> None:
    if kind == "postgresql":
        postgres_programs()
    outcome = drill(kind, kills=KILLS, seed=7, pause_s=(0.1, 0.5))
    assert outcome.wrong() == []
    assert outcome.kills >= KILLS
    assert outcome.findings.acknowledged > KILLS
    assert outcome.findings.timers_fired > KILLS
    assert outcome.exit_code == 0
