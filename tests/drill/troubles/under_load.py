"""What every trouble shares: a crowd that reports meanwhile, and the audit afterwards."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

from tests.drill.audit import ZERO, Findings, audit
from tests.drill.clients import Client, Handler, Ledger, Reporter
from tests.drill.drilling import REPORTERS, settle
from tests.drill.service import Service


@dataclass
class Judged:
    """What one trouble left behind, and what it was (`met`)."""

    findings: Findings
    complaints: list[str]
    met: dict[str, int] = field(default_factory=dict)

    def wrong(self) -> list[str]:
        """Everything that must not be."""
        counted = [f"{name} {getattr(self.findings, name)}" for name in ZERO if getattr(self.findings, name)]
        return counted + self.findings.details + self.complaints[:5]

    def as_json(self) -> Mapping[str, int]:
        figures = {k: v for k, v in asdict(self.findings).items() if k != "details"}
        return {**figures, "complaints": len(self.complaints), **self.met}


@contextmanager
def crowd(service: Service) -> Iterator[Ledger]:
    """People who report and handle until the block ends."""
    ledger, stop = Ledger(), threading.Event()
    people: list[threading.Thread] = [
        Reporter(Client(service.url, "worker", ledger, stop), number) for number in range(REPORTERS)
    ]
    people.append(Handler(Client(service.url, "department", ledger, stop), REPORTERS))
    for one in people:
        one.start()
    try:
        yield ledger
    finally:
        stop.set()
        for one in people:
            one.join(timeout=120)


def judge(service: Service, ledger: Ledger, **met: int) -> Judged:
    """Let everything due be done, end the service, count."""
    with service.database.reading() as session:
        judged_at = service.database.now(session)
    settle(service, judged_at)
    service.stop()
    with service.database.reading() as session:
        found = audit(session, service.settings, ledger, judged_at)
    return Judged(found, ledger.complaints, met)
