"""`python -m tests.drill.troubles.far_client URL`: reporters in another network.

Prints a line when they are signed in, and their ledger when its input closes.
"""

import json
import sys
import threading

from tests.drill import clients
from tests.drill.clients import Client, Ledger, Reporter

READY = "ready\n"


def main() -> None:
    clients.REQUEST_S = 4.0  # what a phone gives up after
    ledger, stop = Ledger(), threading.Event()
    people = [Reporter(Client(sys.argv[1], "worker", ledger, stop), seed) for seed in range(2)]
    for one in people:
        one.start()
    sys.stdout.write(READY)
    sys.stdout.flush()
    sys.stdin.read()
    stop.set()
    for one in people:
        one.join(timeout=60)
    told = {
        "tickets": {str(key): code for key, code in ledger.tickets.items()},
        "photos": ledger.photos,
        "complaints": ledger.complaints,
        "unanswered": ledger.answers.get(0, 0),
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
