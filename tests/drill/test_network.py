"""A bad network between phones and service loses and doubles nothing: slow, cut, deaf, dropped, refused."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from uuid import UUID

import pytest

from tests.drill.audit import ZERO, audit
from tests.drill.clients import Ledger
from tests.drill.drilling import settle
from tests.drill.fault_proxy import FaultProxy, Line
from tests.drill.namespace import OURS, namespace
from tests.drill.service import prepare

ROOT = Path(__file__).parents[2]
PHASE_S = 3.0
RESET = ("REJECT", "--reject-with", "tcp-reset")


@pytest.mark.slow
@pytest.mark.skipif(
    os.geteuid() != 0 or not (shutil.which("ip") and shutil.which("iptables")),
    reason="needs root and: apt-get install iproute2 iptables",
)
def test_a_bad_network_loses_and_doubles_nothing() -> None:
    service = prepare("sqlite")
    try:
        service.start()
        with namespace() as apart:
            proxy = FaultProxy((OURS, 0), ("127.0.0.1", service.settings.port), seed=5)
            address = f"http://{OURS}:{proxy.port}"
            program = (sys.executable, "-m", "tests.drill.far_client", address)
            phones = subprocess.Popen(
                apart.inside(*program), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
            )
            time.sleep(PHASE_S)
            for line in (Line.SLOW, Line.CUT, Line.DEAF, Line.BLACK_HOLE):
                proxy.line = line
                time.sleep(PHASE_S)
                proxy.line = Line.GOOD
                time.sleep(1)
            for how in (("DROP",), RESET):
                with apart.cut(proxy.port, *how):
                    time.sleep(PHASE_S)
                time.sleep(1)
            told = json.loads(phones.communicate(timeout=120)[0])
            proxy.close()
        ledger = Ledger()
        ledger.tickets = {UUID(key): code for key, code in told["tickets"].items()}
        ledger.photos = told["photos"]
        with service.database.reading() as session:
            judged_at = service.database.now(session)
        settle(service, judged_at)
        service.stop()
        with service.database.reading() as session:
            found = audit(session, service.settings, ledger, judged_at)
        assert told["complaints"] == []
        assert {name: getattr(found, name) for name in ZERO} == dict.fromkeys(ZERO, 0), found.details
        assert len(ledger.tickets) > 10
        assert told["unanswered"] > 5
        assert proxy.broken > 5
    finally:
        service.remove()
