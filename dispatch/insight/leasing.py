"""Keeps the lease of long work while its process lives: renewed as it goes on, it runs out soon after a kill."""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=6)
RENEW_S = 1.5


@contextlib.contextmanager
def renewed(renew: Callable[[], None]) -> Iterator[None]:
    """Call `renew` again and again until the block ends.

    Should a renewal come too late (a database that is away), somebody else may begin the same work meanwhile: it must
    be such that this does no harm.
    """
    ended = threading.Event()

    def go_on() -> None:
        while not ended.wait(RENEW_S):
            try:
                renew()
            except Exception as error:
                log.warning("a lease was not renewed (%s)", type(error).__name__)

    keeper = threading.Thread(target=go_on, name="lease", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        ended.set()
        keeper.join()
