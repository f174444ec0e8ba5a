"""A PostgreSQL that follows another, made as the production profile says: synchronous, promoted by the script."""

import os
import subprocess
from pathlib import Path

import psycopg

from tests.database.clients import until
from tests.services import PostgresCluster

SHIPPED = Path(__file__).parents[2] / "deploy" / "postgresql"
PROMOTE, RECOVER = SHIPPED / "promote-standby.sh", SHIPPED / "recover-to.sh"


class Standby(PostgresCluster):
    """A copy of `primary` that streams from it."""

    def __init__(self, primary: PostgresCluster) -> None:
        super().__init__(durable=True)
        self._primary = primary

    def create(self) -> None:
        if self._user:
            os.chown(self.folder, *_ids(self._user))
        source = f"host=127.0.0.1 port={self._primary.port} user=grid application_name=standby"
        command = [
            self.programs / "pg_basebackup",
            "-d",
            source,
            "-D",
            self.data,
            "-R",
            "-c",
            "fast",
            "-X",
            "stream",
        ]
        subprocess.run(command, check=True, capture_output=True, user=self._user, group=self._user, cwd="/")
        # As one has it that was copied from a primary which already waits for its standby.
        with (self.data / "postgresql.auto.conf").open("a") as settings:
            settings.write("synchronous_standby_names = '*'\n")

    def promote(self) -> str:
        """Run the script that operators run; the answer is what it said."""
        environment = {
            **os.environ,
            "PATH": f"{self.programs}:{os.environ['PATH']}",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGUSER": "grid",
            "PGDATABASE": "postgres",
        }
        done = subprocess.run(["sh", PROMOTE], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def prepare_recovery(self, archive: Path, instant: str) -> None:
        """Run the script that operators run before they start a copy that shall go back to an instant."""
        # By its text, since the account of the server may not be let into this folder.
        command = ["sh", "-s", self.data, archive, instant]
        script = RECOVER.read_bytes()
        done = subprocess.run(
            command, input=script, capture_output=True, user=self._user, group=self._user, cwd="/"
        )
        assert done.returncode == 0, done.stderr.decode()


def _ids(user: str) -> tuple[int, int]:
    import pwd

    found = pwd.getpwnam(user)
    return found.pw_uid, found.pw_gid


def ask(cluster: PostgresCluster, query: str) -> object:
    """The one value that a query answers."""
    address = f"host=127.0.0.1 port={cluster.port} user=grid dbname=postgres"
    with psycopg.connect(address, autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None


def make_synchronous(primary: PostgresCluster) -> None:
    """From here on no commit is acknowledged before the standby has it."""
    until(lambda: ask(primary, "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == 1)
    primary.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
    primary.execute("SELECT pg_reload_conf()")
    until(lambda: ask(primary, "SELECT sync_state FROM pg_stat_replication") == "sync")
