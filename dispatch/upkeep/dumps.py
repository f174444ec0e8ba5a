"""A consistent copy of the whole database as one file, and back: SQLite's online backup, PostgreSQL's own programs."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from psycopg.conninfo import make_conninfo
from sqlalchemy import inspect, text
from sqlmodel import Session

from grid.database import Database
from grid.errors import Conflict, InputError, Unavailable

SQLITE, POSTGRES = "database.sqlite3", "database.pgdump"
INSTALL = "请安装 PostgreSQL 客户端程序(Debian:apt-get install postgresql-client),版本不低于服务器"


@contextmanager
def dumped(database: Database, folder: Path) -> Iterator[tuple[Path, Session]]:
    """A file with everything that was committed at one instant, and a session that sees exactly the same."""
    if database.is_sqlite:
        path = folder / SQLITE
        copy = Database(f"sqlite:///{path}")
        try:
            _copy_sqlite(database, copy)
            with copy.reading() as session:
                yield path, session
        finally:
            _close_as_one_file(copy)
        return
    with database.reading() as session:
        session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        session.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        snapshot = session.execute(text("SELECT pg_export_snapshot()")).scalar_one()
        path = folder / POSTGRES
        _run("pg_dump", session, "--format=custom", "--no-owner", f"--snapshot={snapshot}", f"--file={path}")
        yield path, session


def install(dump: Path, database: Database) -> None:
    """Put a dump into an empty database, whole or not at all.

    Raises
    ------
    Conflict
        The database holds something already.
    InputError
        The dump is of the other kind of database, or damaged.
    """
    if (dump.name == SQLITE) != database.is_sqlite:
        kinds = ("SQLite", "PostgreSQL") if dump.name == SQLITE else ("PostgreSQL", "SQLite")
        raise InputError(f"这是 {kinds[0]} 的备份,而 DATABASE_URL 指向 {kinds[1]};请改用同类数据库恢复")
    if inspect(database.engine).get_table_names():
        raise Conflict("要恢复到的数据库不是空的,为防覆盖已停止:请换一个空库,或先把它移走")
    if not database.is_sqlite:
        with database.reading() as session:
            _run("pg_restore", session, "--no-owner", "--exit-on-error", "--single-transaction", str(dump))
        return
    copy = Database(f"sqlite:///{dump}")
    with copy.reading() as session:
        if session.execute(text("PRAGMA integrity_check")).scalar_one() != "ok":
            raise InputError("备份中的数据库已损坏(integrity_check 未通过),请换一份备份")
    _close_as_one_file(copy)
    database.dispose()
    target = Path(str(database.engine.url.database))
    for ending in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            target.with_name(target.name + ending).unlink()
    aside = target.with_name(f"{target.name}.restoring")
    shutil.copyfile(dump, aside)
    _flush(aside)
    aside.replace(target)


def _copy_sqlite(kept: Database, copy: Database) -> None:
    """In one step: a stepwise copy starts anew whenever somebody writes in between."""
    with closing(kept.engine.raw_connection()) as source, closing(copy.engine.raw_connection()) as target:
        source.driver_connection.backup(target.driver_connection, pages=-1)  # type: ignore[union-attr]


def _close_as_one_file(database: Database) -> None:
    """Fold the write-ahead log into the file, so that it can be carried alone."""
    with closing(database.engine.raw_connection()) as connection:
        connection.driver_connection.execute("PRAGMA journal_mode=DELETE")  # type: ignore[union-attr]
    database.dispose()
    _flush(Path(str(database.engine.url.database)))


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _run(program: str, session: Session, *options: str) -> None:
    """Run one of PostgreSQL's programs on the very server that `session` talks to; passwords go by environment."""
    connection = session.connection()
    info = connection.connection.driver_connection.info  # type: ignore[union-attr]
    secured = {name: value for name, value in connection.engine.url.query.items() if name.startswith("ssl")}
    address = make_conninfo(
        host=info.host,
        port=str(info.port),
        user=info.user,
        dbname=info.dbname,
        **secured,  # type: ignore[arg-type]
    )
    command = [str(find_program(program)), *options, f"--dbname={address}"]
    done = subprocess.run(
        command, env={**os.environ, "PGPASSWORD": info.password or ""}, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise Unavailable(f"{program} 没有成功:{done.stderr.strip()[-400:]}")


def find_program(name: str) -> Path:
    """The newest installed one.

    Raises
    ------
    Unavailable
        There is none; it says how to install it.
    """
    versions = Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
    for found in sorted(versions, key=lambda path: float(path.parts[-3]), reverse=True):
        return found
    on_path = shutil.which(name)
    if on_path is None:
        raise Unavailable(f"没有找到 {name}:{INSTALL}")
    return Path(on_path)
