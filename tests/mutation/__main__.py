"""Plants each fault in a copy of the tree, runs the tests that must notice it, and writes how many did.

`python -m tests.mutation [--only WORD] [--out FILE]`; takes minutes, so it is not part of CI.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from tests.mutation.faults import FAULTS, Fault

ROOT = Path(__file__).parents[2]
CAUGHT, MISSED, STALE, BROKEN = "caught", "missed", "stale", "broken"
# What pytest means by its exit code; anything else is no verdict.
VERDICTS = {0: MISSED, 1: CAUGHT}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="", help="plant only faults whose name holds this word")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    chosen = [fault for fault in FAULTS if options.only in fault.name]
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutation-", dir="/tmp") as folder:
        tree = copy_of_tree(Path(folder) / "tree")
        sound = passes(tree, {fault.tests for fault in chosen})
        print(f"{len(sound)} selections of tests are sound", flush=True)
        verdicts = {fault.name: plant(tree, fault) for fault in chosen if fault.tests in sound}
    verdicts |= {fault.name: BROKEN for fault in chosen if fault.tests not in sound}
    caught = sum(verdict == CAUGHT for verdict in verdicts.values())
    result = {
        "caught": caught,
        "planted": len(chosen),
        "seconds": round(time.monotonic() - began_s),
        "faults": verdicts,
    }
    print(f"{caught} of {len(chosen)} planted faults caught")
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    return 0 if caught == len(chosen) else 1


def copy_of_tree(target: Path) -> Path:
    """The files under version control, as they are now."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
    return target


def passes(tree: Path, selections: Iterable[str]) -> set[str]:
    """The selections whose file passes on the sound tree: only those can catch anything. One run for all of them."""
    files = sorted({tests.split()[0] for tests in selections})
    words = " or ".join(f"({selection(tests)})" for tests in set(selections))
    said = pytest(tree, words, *files, "-rfE").stdout
    failing = set(re.findall(r"^(?:FAILED|ERROR) ([^: ]+)", said, flags=re.M))
    for file in failing:
        print(f"{file}: fails without any fault", flush=True)
    return {tests for tests in selections if tests.split()[0] not in failing}


def plant(tree: Path, fault: Fault) -> str:
    """Run the fault's tests with it in place."""
    path = tree / fault.path
    sound = path.read_text()
    verdict = STALE
    if sound.count(fault.old) == 1:
        path.write_text(sound.replace(fault.old, fault.new))
        try:
            verdict = VERDICTS.get(run(tree, fault.tests), BROKEN)
        finally:
            path.write_text(sound)
    print(f"{verdict:7} {fault.name}", flush=True)
    return verdict


def run(tree: Path, tests: str) -> int:
    return pytest(tree, selection(tests), tests.split()[0], "-x").returncode


def selection(tests: str) -> str:
    """What `-k` is given. Where a test runs on both databases, SQLite is enough to notice."""
    _, _, words = tests.partition(" -k ")
    return f"not postgresql and ({words})" if words else "not postgresql"


def pytest(tree: Path, words: str, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", words, *more]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True)


if __name__ == "__main__":
    sys.exit(main())
