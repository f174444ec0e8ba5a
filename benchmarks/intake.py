"""`make bench-intake`: the report endpoint against a Flask hello and a bare Core insert of the same rows.

All three are served by the same gunicorn (2 workers × 4 threads) and asked by wrk with 16 connections, in interleaved
rounds, on one PostgreSQL with fsync on. Every request of ours is a new report of a signed-in grid worker, with a
photo, placed, routed, with its clocks; one 201 is one durable commit.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlmodel import select

from dispatch.engine.parts.children import end, spawn
from grid import accounts, schema
from grid.accounts import passwords
from grid.database import Database
from grid.models import Account
from grid.settings import load_settings
from tests.services import PostgresCluster, free_port, private_folder
from tests.town import GARBAGE, IN_WEST, found_town, open_town

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results" / "intake.json"
CONNECTIONS, ROUNDS = 16, 3
PASSWORD = "a sentence nobody guesses"

SCRIPT = """
local threads = 0
function setup(thread) thread:set("id", threads); threads = threads + 1 end
local count = 0
request = function()
  count = count + 1
  local uuid = string.format("%s-%04x-4000-8000-%012x", RUN, id, count)
  return wrk.format(METHOD, PATH, HEADERS, (string.gsub(BODY, "CLIENT_UUID", uuid)))
end
done = function(summary)
  local e = summary.errors
  io.write(string.format("FIGURES %d %d %d\\n", summary.requests, summary.duration,
    e.connect + e.read + e.write + e.timeout + e.status))
end
"""


def lua(run: int, method: str, path: str, headers: Mapping[str, str], body: str) -> str:
    """The wrk script of one arm."""
    lines = [f'RUN = "{run:08x}"', f'METHOD = "{method}"', f'PATH = "{path}"', f"BODY = [[{body}]]"]
    pairs = ", ".join(f'["{name}"] = "{value}"' for name, value in headers.items())
    return "\n".join([*lines, f"HEADERS = {{{pairs}}}", SCRIPT])


@contextmanager
def serving(target: str, environment: Mapping[str, str], probe: str) -> Iterator[str]:
    """gunicorn with this application."""
    port = free_port()
    argv = [sys.executable, "-m", "gunicorn", target, "-w", "2", "-k", "gthread", "--threads", "4"]
    argv += ["-b", f"127.0.0.1:{port}", "--log-level", "error"]
    child = spawn(argv, env=environment, cwd=ROOT)
    url = f"http://127.0.0.1:{port}"
    try:
        give_up_at = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(url + probe, timeout=1).close()
                break
            except urllib.error.HTTPError:
                break
            except OSError:
                if time.monotonic() > give_up_at:
                    raise
                time.sleep(0.1)
        yield url
    finally:
        end(child)


def ask(url: str, script: str, folder: Path, seconds: int) -> tuple[float, int]:
    """Requests per second, and how many went wrong."""
    path = folder / "arm.lua"
    path.write_text(script, "utf-8")
    options = ["-t", "2", "-c", str(CONNECTIONS), "-d", f"{seconds}s", "--timeout", "20s"]
    argv = ["wrk", *options, "-s", str(path), url]
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    _, requests, duration_us, wrong = next(x for x in said.splitlines() if x.startswith("FIGURES")).split()
    return int(requests) / (int(duration_us) / 1e6), int(wrong)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=int, default=5)
    given = options.parse_args()
    if not shutil.which("wrk"):
        sys.stderr.write("wrk not found; to run this benchmark: apt-get install wrk\n")
        return 2
    folder, cluster = private_folder("intake"), PostgresCluster(durable=True)
    cluster.create()
    cluster.start()
    try:
        figures = _measure(folder, cluster.url(cluster.new_database()), given.seconds)
    finally:
        cluster.remove()
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    sys.stdout.write(RESULTS.read_text("utf-8"))
    return 1 if figures["errors"] else 0


def _measure(folder: Path, url: str, seconds: int) -> dict[str, object]:
    schema.upgrade(url)
    found_town(url, folder)
    town = open_town(url, folder)
    photo = town.photo()
    town.worker.reports()
    token = _token(town.database, url, folder)
    town.database.dispose()
    environment = {**os.environ, "DATABASE_URL": url, "GRID_INSTANCE_PATH": str(folder)}
    body = {
        "client_uuid": "CLIENT_UUID",
        "category_code": GARBAGE,
        "frame": "wgs84",
        "accuracy_m": 8.0,
        "photos": [photo],
        **IN_WEST,
    }
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    rates: dict[str, list[float]] = {"hello": [], "core": [], "post": []}
    errors = 0
    with (
        serving("benchmarks.intake_arms:hello()", environment, "/hello") as hello,
        serving("benchmarks.intake_arms:core()", environment, "/hello") as core,
        serving("app:create_app()", environment, "/healthz") as ours,
    ):
        for run in range(ROUNDS + 1):
            arms = {
                "hello": (hello, lua(run, "GET", "/hello", {}, "")),
                "core": (core, lua(run, "POST", "/core", {}, "{}")),
                "post": (ours, lua(run, "POST", "/api/v1/tickets", headers, json.dumps(body))),
            }
            for name, (address, script) in arms.items():
                rate, wrong = ask(address, script, folder, seconds if run else 2)
                errors += wrong
                if run:  # the first round warms up
                    rates[name].append(rate)
    pairs = list(zip(rates["post"], rates["hello"], rates["core"], strict=True))
    return {
        "post_vs_hello": round(statistics.median(post / hello for post, hello, _ in pairs), 3),
        "post_vs_core_insert": round(statistics.median(post / core for post, _, core in pairs), 3),
        "errors": errors,
        "requests_per_s": {name: [round(rate) for rate in found] for name, found in rates.items()},
    }


def _token(database: Database, url: str, folder: Path) -> str:
    settings = load_settings(folder, {"DATABASE_URL": url})
    with database.writing() as session:
        for account in session.exec(select(Account)):
            account.password_hash = passwords.hash_password(PASSWORD)
            session.add(account)
    token, _ = accounts.sign_in(
        database, settings, login="worker", password=PASSWORD, address="127.0.0.1", now=datetime.now(UTC)
    )
    return token


if __name__ == "__main__":
    sys.exit(main())
