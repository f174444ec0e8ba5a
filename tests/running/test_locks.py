"""The two lock files share one environment and hold no address."""

import re
from pathlib import Path

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
