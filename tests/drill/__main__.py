"""`python -m tests.drill`: drill each database, then each trouble; write `benchmarks/results/drill.json`."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from tests.drill.audit import ZERO
from tests.drill.drilling import Outcome, drill
from tests.drill.troubles.clock import clock
from tests.drill.troubles.disk import disk
from tests.drill.troubles.network import network
from tests.drill.troubles.under_load import Judged

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "drill.json"
TOTALS = ("kills", "acknowledged", *ZERO)
TROUBLES: dict[str, Callable[[], Judged]] = {
    "network": lambda: network("sqlite"),
    "disk_full": lambda: disk("postgresql"),
    "clock_sqlite": lambda: clock("sqlite"),
    "clock_postgresql": lambda: clock("postgresql"),
}


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kills", type=int, default=200, help="kills on each database")
    options.add_argument("--seed", type=int, default=20261123)
    options.add_argument("--databases", default="sqlite,postgresql")
    options.add_argument(
        "--troubles-only", action="store_true", help="kill nothing, keep the figures of kills"
    )
    given = options.parse_args()
    figures: dict[str, object] = json.loads(RESULTS.read_text("utf-8")) if given.troubles_only else {}
    wrong: list[str] = []
    outcomes: list[Outcome] = []
    for kind in [] if given.troubles_only else given.databases.split(","):
        outcomes.append(drill(kind, kills=given.kills, seed=given.seed))
        wrong += [f"{kind}: {sentence}" for sentence in outcomes[-1].wrong()]
        figures = report(outcomes, given.seed)
        keep(figures)
    troubles: dict[str, object] = {}
    for name, trouble in TROUBLES.items():
        judged = trouble()
        wrong += [f"{name}: {sentence}" for sentence in judged.wrong()]
        troubles[name] = judged.as_json()
        keep({**figures, "troubles": troubles})
    sys.stdout.write(RESULTS.read_text("utf-8"))
    sys.stdout.writelines(f"{sentence}\n" for sentence in wrong)
    return 1 if wrong else 0


def keep(figures: dict[str, object]) -> None:
    """Written after each part, so that a run that is broken off keeps what it has."""
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(figures, ensure_ascii=False, indent=2) + "\n", "utf-8")


def report(outcomes: list[Outcome], seed: int) -> dict[str, object]:
    """Totals at the top, each database's own figures beneath."""
    own = {outcome.database: outcome.as_json() for outcome in outcomes}
    totals = {name: sum(int(figures[name]) for figures in own.values()) for name in TOTALS}
    return {**totals, "seed": seed, **own}


if __name__ == "__main__":
    sys.exit(main())
