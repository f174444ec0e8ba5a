"""Neither a bad network, nor a full disk, nor a moved clock loses, doubles or breaks anything."""

import os
import shutil

import pytest

from tests.drill.troubles.clock import clock
from tests.drill.troubles.disk import REPORTS, disk
from tests.drill.troubles.network import network
from tests.services import missing

pytestmark = pytest.mark.slow


def test_a_bad_network_loses_and_doubles_nothing() -> None:
    if os.geteuid() != 0 or not (shutil.which("ip") and shutil.which("iptables")):
        missing("leave to make a network", "run as root, after: apt-get install iproute2 iptables")
    judged = network("sqlite")
    assert judged.wrong() == []
    assert judged.findings.acknowledged > 10
    assert judged.met["unanswered"] > 5
    assert judged.met["connections_broken"] > 5


def test_a_full_disk_refuses_photos_and_takes_reports() -> None:
    judged = disk("postgresql")
    assert judged.wrong() == []
    assert judged.met == {"photos_refused": 1, "accepted_while_full": REPORTS}


def test_a_moved_clock_fires_each_timer_once() -> None:
    judged = clock("sqlite")
    assert judged.wrong() == []
    assert judged.findings.timers_fired > 10
    assert judged.met["jumps_seen"] == judged.met["jumps"]
