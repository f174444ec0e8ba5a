"""A migration while people work: writers wait less than a second, and the code one version older goes on."""

import threading
import time
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, inspect, text

from grid import schema
from grid.database import Database
from tests.town import Town

LONGEST_WAIT_S = 1.0
EXPAND = '''
"""a nullable column and an index, as docs/migrations.md has them"""
import sqlalchemy as sa
from alembic import op

revision = "expand"
down_revision = {down!r}
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ticket", sa.Column("expanded", sa.Text(), nullable=True))
    with op.get_context().autocommit_block():
        if op.get_bind().dialect.name == "postgresql":
            op.execute("SET lock_timeout = 0")
        op.create_index("ix_ticket_expanded", "ticket", ["expanded"], postgresql_concurrently=True, if_not_exists=True)
'''


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    """The shipped migrations and one more."""
    folder = tmp_path / "migrations"
    (folder / "versions").mkdir(parents=True)
    for path in [schema.MIGRATIONS / "env.py", *(schema.MIGRATIONS / "versions").glob("*.py")]:
        (folder / path.relative_to(schema.MIGRATIONS)).write_text(path.read_text())
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    from alembic.script import ScriptDirectory

    head = ScriptDirectory.from_config(config).get_current_head()
    (folder / "versions" / "expand.py").write_text(EXPAND.format(down=head))
    return folder


def migrate(url: str, migrations: Path, wanted: str = "head", *, stamp: bool = False) -> None:
    config = Config(attributes={"database_url": url})
    config.set_main_option("script_location", str(migrations))
    (command.stamp if stamp else command.upgrade)(config, wanted)


@pytest.mark.slow
def test_a_column_and_an_index_are_added_while_reports_come_in(town: Town, migrations: Path) -> None:
    url = town.database.engine.url.render_as_string(hide_password=False)
    migrate(url, schema.MIGRATIONS, stamp=True)
    codes = [town.worker.reports().code for _ in range(20)]
    stop, waits, failed = threading.Event(), list[float](), list[str]()

    def load() -> None:
        while not stop.is_set():
            began_s = time.monotonic()
            try:
                codes.append(town.worker.reports().code)
            except Exception as error:
                failed.append(repr(error))
            waits.append(time.monotonic() - began_s)

    threads = [threading.Thread(target=load) for _ in range(2)]
    for thread in threads:
        thread.start()
    while len(waits) < 10:
        time.sleep(0.01)
    usual_s, before = max(waits), len(waits)
    began_s = time.monotonic()
    migrate(url, migrations)
    took_s = time.monotonic() - began_s
    done = len(waits)
    while len(waits) < done + 10:
        time.sleep(0.01)
    stop.set()
    for thread in threads:
        thread.join()
    assert failed == []
    assert max(waits[before:]) < max(LONGEST_WAIT_S, 3 * usual_s), (max(waits[before:]), took_s)
    plain = create_engine(url)
    names = {index["name"] for index in inspect(plain).get_indexes("ticket")}
    plain.dispose()
    assert "ix_ticket_expanded" in names
    town.department.acts(codes[0], "start")


def test_a_migration_that_meets_a_long_transaction_gives_way(
    postgres_url: str, migrations: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waiting for a lock, it would make everybody behind it wait as well: it lets go and tries again."""
    schema.upgrade(postgres_url)
    database = Database(postgres_url)
    with database.reading() as session:
        session.execute(text("SELECT count(*) FROM ticket"))
        began_s = time.monotonic()
        with pytest.raises(Exception, match="lock timeout"):
            migrate(postgres_url, migrations)
        assert time.monotonic() - began_s < 4
    monkeypatch.setattr(schema, "MIGRATIONS", migrations)
    with database.reading() as session:
        session.execute(text("SELECT count(*) FROM ticket"))
        ended = threading.Timer(1.5, session.rollback)
        ended.start()
        schema.upgrade(postgres_url)
        ended.join()
    assert schema.is_current(database)
    database.dispose()
