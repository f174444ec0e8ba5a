"""A private PostgreSQL with PostGIS on a unix socket, in a temporary folder, gone afterwards."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import shapely

_SETTINGS = ("listen_addresses=", "shared_buffers=512MB", "max_connections=8", "jit=off", "work_mem=64MB")


@contextlib.contextmanager
def postgis() -> Iterator[psycopg.Connection]:
    """A connection to a fresh cluster with the extension loaded."""
    programs = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)
    if programs is None:
        raise SystemExit("PostgreSQL is missing: apt-get install postgresql postgresql-15-postgis-3")
    folder = Path(tempfile.mkdtemp(prefix="bench-pg-"))
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user, user)
    data = folder / "data"
    _run(
        [programs / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-locale"], user
    )
    options = [part for setting in _SETTINGS for part in ("-c", setting)]
    server = subprocess.Popen(
        [programs / "postgres", "-D", data, "-k", folder, *options],
        user=user, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
    )  # fmt: skip
    try:
        with _connected(folder) as connection:
            connection.execute("create extension postgis")
            yield connection
    finally:
        server.terminate()
        server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _run(command: Sequence[Any], user: str | None) -> None:
    subprocess.run(
        command, user=user, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/"
    )


def _connected(folder: Path) -> psycopg.Connection:
    for _ in range(100):
        try:
            return psycopg.connect(host=str(folder), user="postgres", dbname="postgres", autocommit=True)
        except psycopg.OperationalError:
            time.sleep(0.1)
    raise SystemExit("PostgreSQL did not start within ten seconds")


def load_polygons(connection: psycopg.Connection, table: str, rows: Sequence[tuple[int, int, Any]]) -> None:
    """Rows of `(layer, number, polygon)` with a GiST index, analysed."""
    connection.execute(f"create table {table} (layer int, number int, shape geometry)")
    with connection.cursor().copy(f"copy {table} from stdin") as copy:
        for layer, number, shape in rows:
            copy.write_row((layer, number, shapely.to_wkb(shape, hex=True)))
    connection.execute(f"create index on {table} using gist (shape)")
    connection.execute(f"vacuum analyze {table}")


def load_points(connection: psycopg.Connection, table: str, points: Any) -> None:
    """A table of numbered points."""
    connection.execute(f"create table {table} (number int, place geometry)")
    with connection.cursor().copy(f"copy {table} from stdin") as copy:
        for number, wkb in enumerate(shapely.to_wkb(points, hex=True)):
            copy.write_row((number, wkb))
    connection.execute(f"vacuum analyze {table}")
