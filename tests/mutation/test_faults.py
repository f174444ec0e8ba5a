"""The drill's rows can still be planted: each text is where it was, once, and each test file exists."""

from pathlib import Path

from tests.mutation.faults import FAULTS

ROOT = Path(__file__).parents[2]


def test_every_fault_can_be_planted() -> None:
    stale = [fault.name for fault in FAULTS if (ROOT / fault.path).read_text().count(fault.old) != 1]
    assert not stale, f"renew these rows: {stale}"
    assert all((ROOT / fault.tests.split()[0]).is_file() for fault in FAULTS)
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
