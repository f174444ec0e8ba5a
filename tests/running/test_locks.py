"""The two lock files share one environment and hold no address."""

import importlib.metadata
import re
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PINNED = re.compile(r"^([a-z0-9.\-]+)(?:\[[a-z,]+\])?==(\S+?)(?: ; (.*?))?(?: \\)?$", flags=re.M)


def pins(name: str) -> dict[tuple[str, str], str]:
    """Version of each package, by its name and the platforms it is for."""
    found = PINNED.findall((ROOT / name).read_text())
    return {(package, marker): version for package, version, marker in found}


def test_no_package_changes_its_version_from_one_lock_to_the_other() -> None:
    runtime, tools = pins("requirements.lock"), pins("requirements-dev.lock")
    assert len(runtime) > 40
    assert {name for name, _ in runtime} <= {name for name, _ in tools}
    both = runtime.keys() & tools.keys()
    assert {key: (runtime[key], tools[key]) for key in both if runtime[key] != tools[key]} == {}


def test_locks_name_no_place_to_download_from() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        assert re.findall(r"https?:|file:|--index|--find-links", (ROOT / name).read_text()) == []


def test_an_extra_that_a_package_asks_for_is_written_in_the_locks() -> None:
    """pip 23 pins `name[extra]` only where the lock says `name[extra]`, and else takes the newest, without a hash."""
    asked = {
        (canonicalize_name(needed.name), extra)
        for package in importlib.metadata.distributions()
        for needed in map(Requirement, package.requires or ())
        if needed.extras and (needed.marker is None or needed.marker.evaluate({"extra": ""}))
        for extra in needed.extras
    }
    assert ("pydantic", "email") in asked
    written = re.findall(
        r"^([a-z0-9.\-]+)\[([a-z,]+)\]==", (ROOT / "requirements-dev.lock").read_text(), flags=re.M
    )
    assert asked - {(name, extra) for name, extras in written for extra in extras.split(",")} == set()
