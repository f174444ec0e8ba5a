"""The clock is moved forward and back under load: every part reads it moved, the machine's own is left alone."""

import time

from sqlmodel import col, func, select

from grid.models import StandingChange
from tests.drill.service import Service, prepare
from tests.drill.troubles.under_load import Judged, crowd, judge

# Ahead, right again, behind, right again. Less than a session may rest.
MOVED_TO_S = (600.0, 0.0, -300.0, 0.0)
PHASE_S = 1.5
NOTICED_WITHIN_S = 30.0


def clock(kind: str) -> Judged:
    """Each jump is written down once, and every timer fires once, none before its time."""
    service = prepare(kind, durable=False)
    try:
        service.start()
        with crowd(service) as ledger:
            time.sleep(PHASE_S)
            for number, by_s in enumerate(MOVED_TO_S, start=1):
                service.move_clock(by_s)
                give_up_at = time.monotonic() + NOTICED_WITHIN_S
                while jumps_seen(service) < number and time.monotonic() < give_up_at:
                    time.sleep(0.1)
                time.sleep(PHASE_S)
        return judge(service, ledger, jumps=len(MOVED_TO_S), jumps_seen=jumps_seen(service))
    finally:
        service.remove()


def jumps_seen(service: Service) -> int:
    with service.database.reading() as session:
        jumps = select(func.count()).where(
            col(StandingChange.thing) == "clock", col(StandingChange.action) == "jumped"
        )
        return int(session.exec(jumps).one())
