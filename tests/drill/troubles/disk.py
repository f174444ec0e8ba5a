"""The disk of photos, logs and Redis fills up while people report; the database has another."""

import os
import random
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from tests.drill.clients import Client, Ledger, a_photo, a_report
from tests.drill.service import prepare
from tests.drill.troubles.under_load import Judged, crowd, judge
from tests.services import missing, private_folder

SIZE_BYTES = 64_000_000
PHASE_S = 1.5
REPORTS = 5


@contextmanager
def small_disk() -> Iterator[Path]:
    """A file system of its own, in memory; needs root."""
    folder = private_folder("disk")
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_BYTES}", "tmpfs", folder]
    if subprocess.run(command, capture_output=True).returncode:
        missing("leave to mount a disk", "run as root where mounting is allowed")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
        folder.rmdir()


def disk(kind: str) -> Judged:
    """Full for some seconds: a new photo is refused with words, a report without one is taken, then all goes on."""
    with small_disk() as folder:
        service = prepare(kind, folder, durable=False)
        try:
            service.start()
            with crowd(service) as ledger:
                time.sleep(PHASE_S)
                client = Client(service.url, "worker", ledger, threading.Event())
                filler = folder / "filler"
                with suppress(OSError), filler.open("wb", buffering=0) as file:
                    while True:
                        file.write(os.urandom(65536))
                status, words = client.once("POST", "/photos", a_photo(random.Random(999)))
                refused = status == 503 and "已满" in str(words)
                accepted = sum(_is_taken(client, ledger) for _ in range(REPORTS))
                time.sleep(PHASE_S)
                filler.unlink()
                time.sleep(PHASE_S)
            return judge(service, ledger, photos_refused=int(refused), accepted_while_full=accepted)
        finally:
            service.remove()


def _is_taken(client: Client, ledger: Ledger) -> bool:
    key = uuid4()
    body = a_report(key, ledger.photos[0], random.Random(1))
    status, answer = client.once("POST", "/tickets", body)
    if status == 201:
        with ledger.lock:
            ledger.tickets[key] = str(answer["code"])
    return status == 201
