"""`make bench-desk`: keys per task and axe in a browser, then the queue's pages; writes `results/desk.json`."""

import json
from pathlib import Path

from benchmarks.desks import by_hand, queue_pages

RESULTS = Path(__file__).parents[1] / "results" / "desk.json"


def main() -> None:
    result = {**queue_pages.measured(), **by_hand.measured()}
    RESULTS.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
