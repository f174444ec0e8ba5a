"""Eight threads hammer one locator: no crash, equal answers. And nothing prepares a geometry."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

HAMMER = textwrap.dedent(
    """
    import sys, threading, time
    import numpy as np
    from geo.locating import Locator

    path, seconds = sys.argv[1], float(sys.argv[2])
    rng = np.random.default_rng(0)
    lon, lat = rng.uniform(104.17, 104.23, 400), rng.uniform(35.58, 35.62, 400)
    points = list(zip(lon.tolist(), lat.tolist()))

    def answers(locator):
        single = [locator.locate(lon=a, lat=b, accuracy_m=acc, frame=f).to_json()
                  for (a, b), acc, f in zip(points, [None, 5, 60, 0] * 100, ["wgs84", "gcj02"] * 200)]
        many = locator.locate_many(lon=lon, lat=lat, frame="wgs84")
        first = single[0]["codes"].get("grid")
        return single, many.area.tolist(), many.overlays(), first and locator.neighbours(first)

    expected = answers(Locator.open(path))
    shared, wrong, rounds = Locator.open(path), [], []
    until = time.monotonic() + seconds

    def work():
        while time.monotonic() < until:
            rounds.append(1)
            if answers(shared) != expected:
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(8)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    print(len(rounds), len(wrong))
    sys.exit(bool(wrong))
    """
)


@pytest.mark.slow
def test_eight_threads_on_one_locator(locator) -> None:
    path = locator._layout.file.path
    seconds = os.environ.get("GRID_HAMMER_SECONDS", "8")
    done = subprocess.run(
        [sys.executable, "-c", HAMMER, str(path), seconds],
        cwd=ROOT, capture_output=True, text=True, timeout=60 + float(seconds), check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[0]) >= 8


def test_nothing_prepares_geometries() -> None:
    """A prepared geometry shared between threads crashes the whole process."""
    guilty = [
        str(path.relative_to(ROOT))
        for room in ("geo", "grid", "dispatch", "web")
        for path in (ROOT / room).rglob("*.py")
        if "shapely.prepare(" in path.read_text() or "prepared.prep(" in path.read_text()
    ]
    assert guilty == []
