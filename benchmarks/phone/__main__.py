"""Taps, typed characters, seconds, bytes, and what axe finds: `make bench-burden` writes results/burden.json."""

import json
import os
import platform
import sys

from playwright.sync_api import sync_playwright

from benchmarks.phone.city import ROOT, running
from benchmarks.phone.faults import faults
from benchmarks.phone.hand import report
from benchmarks.phone.weighing import ROUNDS, waits, weights
from tests.journey.conftest import FLAGS
from tests.services import chromium_program

RESULT = ROOT / "benchmarks" / "results" / "burden.json"
GATES = {
    "taps": 6,
    "required_chars": 0,
    "seconds": 10,
    "delivered_s": 2,
    "first_visit_kb": 150,
    "with_map_kb": 350,
    "slow_network_s": 3,
    "repeat_visit_s": 1,
    "axe_serious": 0,
    "checks_failed": 0,
}


def main() -> int:
    with running() as its, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(chromium_program()), args=list(FLAGS))
        rounds = [report(browser, its) for _ in range(ROUNDS)]
        measured = {
            **sorted(rounds, key=lambda one: one["seconds"])[ROUNDS // 2],
            **weights(browser, its),
            **waits(browser, its),
            **faults(browser, its),
        }
        browser.close()
    measured |= {
        "machine": platform.processor() or platform.machine(),
        "load": round(os.getloadavg()[0], 1),
        "rounds": ROUNDS,
    }
    missed = {key: measured[key] for key, most in GATES.items() if measured[key] > most}
    measured["missed"] = missed
    RESULT.write_text(json.dumps(measured, ensure_ascii=False, indent=2) + "\n")
    for key, most in GATES.items():
        print(f"{key:16} {measured[key]:>8}  ≤ {most}{'  MISSED' if key in missed else ''}")
    for one in (*measured["axe_found"], *measured["checks_found"]):
        print("  ", one)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
