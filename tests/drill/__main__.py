"""`python -m tests.drill`: drill each database and write `benchmarks/results/drill.json`."""

import argparse
import json
import sys
from pathlib import Path

from tests.drill.audit import ZERO
from tests.drill.drilling import Outcome, drill

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "drill.json"
TOTALS = ("kills", "acknowledged", *ZERO)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kills", type=int, default=200, help="kills on each database")
    options.add_argument("--seed", type=int, default=20261123)
    options.add_argument("--databases", default="sqlite,postgresql")
    given = options.parse_args()
    outcomes: list[Outcome] = []
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    for kind in given.databases.split(","):
        outcomes.append(drill(kind, kills=given.kills, seed=given.seed))
        # After each, so that a run that is broken off keeps what it has.
        figures = json.dumps(report(outcomes, given.seed), ensure_ascii=False, indent=2)
        RESULTS.write_text(figures + "\n", "utf-8")
    sys.stdout.write(RESULTS.read_text("utf-8"))
    for outcome in outcomes:
        for sentence in outcome.wrong():
            sys.stdout.write(f"{outcome.database}: {sentence}\n")
    return 1 if any(outcome.wrong() for outcome in outcomes) else 0


def report(outcomes: list[Outcome], seed: int) -> dict[str, object]:
    """Totals at the top, each database's own figures beneath."""
    own = {outcome.database: outcome.as_json() for outcome in outcomes}
    totals = {name: sum(int(figures[name]) for figures in own.values()) for name in TOTALS}
    return {**totals, "seed": seed, **own}


if __name__ == "__main__":
    sys.exit(main())
