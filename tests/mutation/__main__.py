"""Plants each fault in a copy of the tree, runs the tests that must notice it, and writes how many did.

`python -m tests.mutation [--only WORD] [--out FILE]`; takes minutes, so it is not part of CI.
"""

import argparse
import compileall
import importlib
import json
import os
import py_compile
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.mutation.faults import FAULTS, Fault

ROOT = Path(__file__).parents[2]
OURS = {"app", "geo", "grid", "dispatch", "web", "tests", "migrations", "benchmarks"}
THEIRS = (
    "geopandas",
    "sqlmodel",
    "alembic",
    "apiflask",
    "flask_babel",
    "flask_wtf",
    "flask_limiter",
    "rq",
    "redis",
)
THEIRS += (
    "psycopg",
    "PIL",
    "argon2",
    "fsspec",
    "uuid6",
    "waitress",
    "hypothesis",
    "python_calamine",
    "xlsxwriter",
)
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
    sys.dont_write_bytecode = True
    for name in THEIRS:
        importlib.import_module(name)
    with tempfile.TemporaryDirectory(prefix="mutation-", dir="/tmp") as folder:
        tree = copy_of_tree(Path(folder) / "tree")
        sound = passes(tree, {fault.tests for fault in chosen})
        print(f"{len(sound)} selections of tests are sound", flush=True)
        verdicts = {fault.name: BROKEN for fault in chosen if fault.tests not in sound}
        for fault in chosen:
            if fault.tests in sound:
                verdicts[fault.name] = plant(tree, fault)
                keep(options.out, verdicts, began_s)
    keep(options.out, verdicts, began_s)
    caught = sum(verdict == CAUGHT for verdict in verdicts.values())
    print(f"{caught} of {len(chosen)} planted faults caught")
    return 0 if caught == len(chosen) else 1


def keep(out: Path | None, verdicts: dict[str, str], began_s: float) -> None:
    """Write what is known so far, so that a run cut short says how far it came."""
    if out is None:
        return
    result = {
        "caught": sum(verdict == CAUGHT for verdict in verdicts.values()),
        "planted": len(verdicts),
        "rows": len(FAULTS),
        "complete": len(verdicts) == len(FAULTS),
        "seconds": round(time.monotonic() - began_s),
        "faults": verdicts,
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")


def copy_of_tree(target: Path) -> Path:
    """The files under version control, as they are now."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
    # Checked by content, not by time: a fault comes and goes within one tick of the file's clock.
    compileall.compile_dir(target, quiet=1, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
    return target


def passes(tree: Path, selections: Iterable[str]) -> set[str]:
    """The selections whose file passes on the sound tree: only those can catch anything. One run for all of them."""
    files = sorted({tests.split()[0] for tests in selections})
    words = " or ".join(f"({selection(tests)})" for tests in set(selections))
    code, said = run(tree, words, *files, "-rfE")
    if code not in VERDICTS:
        print(said[-2000:], flush=True)
        return set()
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
            code, _ = run(tree, selection(fault.tests), fault.tests.split()[0], "-x")
            verdict = VERDICTS.get(code, BROKEN)
        finally:
            path.write_text(sound)
    print(f"{verdict:7} {fault.name}", flush=True)
    return verdict


def selection(tests: str) -> str:
    """What `-k` is given. Where a test runs on both databases, SQLite is enough to notice."""
    _, _, words = tests.partition(" -k ")
    return f"not postgresql and ({words})" if words else "not postgresql"


def run(tree: Path, words: str, *more: str) -> tuple[int, str]:
    """Pytest in a fork of this process, in which other people's packages are loaded already and ours are not."""
    with tempfile.TemporaryFile("w+") as said:
        child = os.fork()
        if child == 0:
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
            os.chdir(tree)
            sys.path[:] = [str(tree), *(path for path in sys.path if Path(path or ".").resolve() != ROOT)]
            for name in [name for name in sys.modules if name.split(".")[0] in OURS]:
                del sys.modules[name]
            os._exit(int(pytest.main(["-q", "-p", "no:cacheprovider", "-k", words, *more])))
        _, status = os.waitpid(child, 0)
        said.seek(0)
        return os.waitstatus_to_exitcode(status), said.read()


if __name__ == "__main__":
    sys.exit(main())
