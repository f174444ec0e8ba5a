"""The test servers themselves: private, fresh for each test, gone with the run that started them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
import redis

from dispatch.engine.parts import redis_server as launcher
from dispatch.engine.parts.redis_server import RedisServer
from dispatch.engine.parts.sockets import MAX_SOCKET_PATH_BYTES
from tests.services import PostgresCluster

START_AND_WAIT = """
import sys, time
from pathlib import Path
from dispatch.engine.parts.redis_server import RedisServer
server = RedisServer(Path(sys.argv[1]))
server.start()
print(server.pid, flush=True)
time.sleep(60)
"""


def gone_within(pid: int, seconds: float) -> bool:
    give_up_at = time.monotonic() + seconds
    while time.monotonic() < give_up_at:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_template_is_built_once_and_copied(postgres: PostgresCluster) -> None:
    built = []

    def build(url: str) -> None:
        built.append(url)
        postgres.execute("CREATE TABLE mark (n int)", database="t_mark")

    names = [postgres.new_database(template=postgres.template("t_mark", build)) for _ in range(2)]
    assert len(built) == 1
    postgres.execute("INSERT INTO mark VALUES (1)", database=names[0])
    with psycopg.connect(postgres.url(names[1]).replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT count(*) FROM mark").fetchone() == (0,)
    for name in names:
        postgres.drop_database(name)


@pytest.mark.slow
def test_durable_cluster_keeps_commits_over_a_kill() -> None:
    cluster = PostgresCluster(durable=True)
    try:
        cluster.create()
        cluster.start()
        cluster.execute("CREATE TABLE kept AS SELECT 7 AS n")
        cluster.kill()
        cluster.start()
        with psycopg.connect(cluster.url().replace("+psycopg", "")) as connection:
            assert connection.execute("SELECT n FROM kept").fetchone() == (7,)
            assert connection.execute("SHOW fsync").fetchone() == ("on",)
    finally:
        cluster.remove()


@pytest.mark.parametrize("packaged", [False, True], ids=["on_path_first", "packaged"])
def test_redis_keeps_its_data_over_a_kill(tmp_path: Path, packaged: bool) -> None:
    program = launcher._packaged_program() if packaged else None
    server = RedisServer(tmp_path / "redis", program=program)
    server.start()
    try:
        redis.Redis.from_url(server.url).set("k", "v")
        server.kill()
        server.start()
        client = redis.Redis.from_url(server.url)
        assert client.get("k") == b"v"
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert server.plan.socket.stat().st_mode & 0o777 == 0o700
    finally:
        server.stop()


def test_a_long_path_gets_a_short_private_socket(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / ("deep" * 30))
    assert len(os.fsencode(server.plan.socket)) <= MAX_SOCKET_PATH_BYTES
    server.start()
    server.stop()
    server.plan.socket.parent.rmdir()


def test_redis_ends_when_its_starter_is_killed(tmp_path: Path) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", START_AND_WAIT, tmp_path], stdout=subprocess.PIPE, text=True
    )
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    starter.send_signal(signal.SIGKILL)
    starter.wait()
    assert gone_within(pid, 5)


@pytest.mark.parametrize(("demand", "exit_code"), [("0", 0), ("1", 1)])
def test_a_skip_is_a_failure_where_everything_is_demanded(
    tmp_path: Path, demand: str, exit_code: int
) -> None:
    (tmp_path / "conftest.py").write_text("from tests.conftest import *\n")
    (tmp_path / "test_it.py").write_text("import pytest\n\ndef test_it():\n    pytest.skip('no server')\n")
    environment = {**os.environ, "GRID_REQUIRE_ALL": demand, "PYTHONPATH": str(Path(__file__).parents[1])}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q"], cwd=tmp_path, env=environment, capture_output=True
    )
    assert done.returncode == exit_code, done.stdout.decode()
