"""A bad network between phones and service: slow, cut, deaf, dropped, refused."""

import json
import subprocess
import sys
import time
from pathlib import Path
from uuid import UUID

from dispatch.engine.parts.children import die_with_parent
from tests.drill.clients import Ledger
from tests.drill.service import prepare
from tests.drill.troubles.far_client import READY
from tests.drill.troubles.fault_proxy import FaultProxy, Line
from tests.drill.troubles.namespace import namespace
from tests.drill.troubles.under_load import Judged, judge

ROOT = Path(__file__).parents[3]
PHASE_S = 3.0
RESET = ("REJECT", "--reject-with", "tcp-reset")


def network(kind: str) -> Judged:
    """Phones in a network of their own report through a line that is made bad in every way, one after the other."""
    service = prepare(kind, durable=False)
    try:
        service.start()
        with namespace() as apart:
            proxy = FaultProxy((apart.ours, 0), ("127.0.0.1", service.settings.port), seed=5)
            address = f"http://{apart.ours}:{proxy.port}"
            program = (sys.executable, "-m", "tests.drill.troubles.far_client", address)
            phones = subprocess.Popen(
                apart.inside(*program),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=ROOT,
                preexec_fn=die_with_parent,
            )
            assert phones.stdout is not None
            # Signed in; an empty line is a phone that ended, and it has said why.
            assert phones.stdout.readline() == READY
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
        ledger.complaints = told["complaints"]
        return judge(service, ledger, unanswered=told["unanswered"], connections_broken=proxy.broken)
    finally:
        service.remove()
