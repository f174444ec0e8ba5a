"""The web part on its own: a stop signal lets a request in progress finish."""

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.services import free_port

SERVE = """
import sys, time
from flask import Flask, request
from web.service.serving import serve
app = Flask("slow")

@app.post("/")
def slow():
    time.sleep(1)
    return request.get_data()[:5] + b" " + b"x" * 2_000_000

serve(app, host="127.0.0.1", port=int(sys.argv[1]), max_body_bytes=10_000, on_ready=lambda: print("ready", flush=True))
"""


def test_a_request_in_progress_is_answered_and_no_new_one_taken() -> None:
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(port)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
    )
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n"
    answers: list[bytes] = []

    def ask() -> None:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", data=b"hello", timeout=10) as reply:
            answers.append(reply.read())

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(0.4)
    server.send_signal(signal.SIGTERM)
    time.sleep(0.4)
    late: Exception | None = None
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", data=b"late!", timeout=10)
    except urllib.error.URLError as error:
        late = error
    asking.join(10)
    assert server.wait(10) == 0
    assert late is not None
    assert [(answer[:6], len(answer)) for answer in answers] == [(b"hello ", 2_000_006)]
