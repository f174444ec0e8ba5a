"""The one way to the database: engines that keep promises, and sessions that say whether they write.

SQLite: WAL (a rollback journal where WAL is not safe), synchronous FULL, foreign keys, `BEGIN IMMEDIATE` for
writers (a deferred write fails with SQLITE_BUSY_SNAPSHOT without waiting). PostgreSQL: psycopg 3, statement, lock
and idle timeouts.
"""

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

import sqlalchemy
from sqlalchemy import Connection, Dialect, Engine, String, Text, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.types import TypeDecorator
from sqlmodel import Session, SQLModel

from grid.errors import SettingsError, Unavailable

try:  # the interpreter's own SQLite is often below 3.51.3, which can corrupt a WAL on reset
    from pysqlite3 import dbapi2 as sqlite
except ImportError:
    import sqlite3 as sqlite

Result = TypeVar("Result")

SAFE_WAL_VERSION = (3, 51, 3)
BUSY_TIMEOUT_MS = 20_000
SQLITE_BUSY = 5
LOOKS_S = (0.001, 0.006)
STATEMENT_TIMEOUT_MS = 15_000
LOCK_TIMEOUT_MS = 5_000
IDLE_TRANSACTION_TIMEOUT_MS = 30_000
RESTED_S = 0.1
POOL_SIZE, POOL_OVERFLOW, POOL_TIMEOUT_S = 10, 10, 5
WRITE_ATTEMPTS = 4
# Constraints need names that a migration can speak of.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
RETRYABLE_SQLSTATES = frozenset({"40001", "40P01"})  # serialization failure, deadlock
# A standby that is not promoted yet, and a transaction that the server ended for idling: neither is the caller's fault.
PASSING_SQLSTATES = frozenset({"25006", "25P03"})


class Words(TypeDecorator[str]):
    """Text in which empty is NULL on every database (some domestic databases store '' as NULL)."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value or None


class Named(TypeDecorator[StrEnum]):
    """A StrEnum kept as its value in plain text: no native enum types, so that adding a value needs no migration."""

    impl = String(40)
    cache_ok = True

    def __init__(self, names: type[StrEnum]) -> None:
        super().__init__()
        self.names = names

    def process_bind_param(self, value: StrEnum | str | None, dialect: Dialect) -> str | None:
        return None if value is None else self.names(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        return None if value is None else self.names(value)


def named(names: type[StrEnum]) -> Any:
    """The column type of a StrEnum, for `Field(sa_type=…)`."""
    return Named(names)


class JsonText(TypeDecorator[Any]):
    """Plain values as canonical JSON text; no vendor JSON type or operator is used."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else canonical_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


def canonical_json(value: Any) -> str:
    """One text for one value: sorted keys, no spaces, no NaN."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


class Database:
    """Hands out sessions: `reading()` for a snapshot, `writing()` for one transaction that commits at the end."""

    def __init__(self, url: str) -> None:
        self.engine = make_engine(url)
        self._writer = self.engine.execution_options(grid_write=True)
        self._glancer = (
            self.engine if self.is_sqlite else self.engine.execution_options(isolation_level="AUTOCOMMIT")
        )
        self._turn = threading.RLock()

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for reads; nothing is kept."""
        with _translated(), Session(self.engine, expire_on_commit=False, autoflush=False) as session:
            yield session

    @contextmanager
    def glancing(self) -> Iterator[Session]:
        """A session for a read or two that need no common snapshot: no transaction to begin and end."""
        with _translated(), Session(self._glancer, expire_on_commit=False, autoflush=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """One transaction: commits when the block ends, rolls back when it raises."""
        opened = Session(self._writer, expire_on_commit=False)
        with self._own_turn(), _translated(), opened as session, session.begin():
            yield session

    def write(self, work: Callable[[Session], Result]) -> Result:
        """Run `work` in one transaction, again when the database asks for it (deadlock, cut connection)
        or another transaction won a race for a unique key, whose result the second run will then find.

        `work` may run several times and must have no effect outside its session.
        """
        for attempt in range(1, WRITE_ATTEMPTS + 1):
            try:
                with (
                    self._own_turn(),
                    Session(self._writer, expire_on_commit=False) as session,
                    session.begin(),
                ):
                    return work(session)
            except DBAPIError as error:
                lost_race = attempt == 1 and isinstance(error, IntegrityError)
                if attempt == WRITE_ATTEMPTS or not (lost_race or is_retryable(error)):
                    raise _as_ours(error) from error
                time.sleep(0.05 * 2**attempt)
            except PoolTimeout as error:
                raise _busy(error) from error
        raise AssertionError("unreachable")

    @contextmanager
    def _own_turn(self) -> Iterator[None]:
        """Of this process, one thread at a time asks SQLite for its one writer's place: SQLite lets the others sleep
        and look again, so under load some would sleep for ever. PostgreSQL queues by itself."""
        if not self.is_sqlite:
            yield
            return
        has_turn = self._turn.acquire(timeout=BUSY_TIMEOUT_MS / 1000)
        try:
            yield
        finally:
            if has_turn:
                self._turn.release()

    def now(self, session: Session) -> datetime:
        """The database's clock, the one that timers are measured by."""
        if self.is_sqlite:
            return datetime.now(UTC)
        value = session.execute(text("SELECT clock_timestamp()")).scalar_one()
        assert isinstance(value, datetime)
        return value.astimezone(UTC)

    def dispose(self) -> None:
        self.engine.dispose()


def is_retryable(error: DBAPIError) -> bool:
    """True when nothing was committed and the same transaction may succeed if run again."""
    if error.connection_invalidated:
        return True
    return getattr(error.orig, "sqlstate", None) in RETRYABLE_SQLSTATES


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise _as_ours(error) from error
    except PoolTimeout as error:
        raise _busy(error) from error


def _busy(error: PoolTimeout) -> Unavailable:
    return Unavailable("系统繁忙,请稍后用同一内容重试(不会重复登记)", cause=str(error))


def _as_ours(error: DBAPIError) -> Exception:
    passing = getattr(error.orig, "sqlstate", None) in PASSING_SQLSTATES or error.connection_invalidated
    if isinstance(error, OperationalError | InterfaceError) or passing:
        return Unavailable("数据库暂时不可用,请稍后用同一内容重试(不会重复登记)", cause=str(error.orig))
    return error


def make_engine(url: str) -> Engine:
    """An engine for SQLite or PostgreSQL with our session settings."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite_engine(url)
    if parsed.get_backend_name() != "postgresql":
        raise SettingsError(f"不支持的数据库 {parsed.get_backend_name()},请用 sqlite:/// 或 postgresql://")
    options = (
        f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={LOCK_TIMEOUT_MS} "
        f"-c idle_in_transaction_session_timeout={IDLE_TRANSACTION_TIMEOUT_MS} -c timezone=UTC"
    )
    engine = sqlalchemy.create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        pool_timeout=POOL_TIMEOUT_S,
        pool_recycle=1800,
        hide_parameters=True,
        connect_args={"options": options, "connect_timeout": 5},
    )
    _ping_the_rested(engine)
    return engine


def _ping_the_rested(engine: Engine) -> None:
    """Ask a connection that has rested whether it still stands (a failover may have cut it); one just used was heard."""

    @event.listens_for(engine, "checkin")
    def _note(_connection: Any, record: Any) -> None:
        record.info["used_at_s"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _ping(connection: Any, record: Any, _fairy: object) -> None:
        if time.monotonic() - record.info.get("used_at_s", 0.0) < RESTED_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error


def _sqlite_engine(url: str) -> Engine:
    engine = sqlalchemy.create_engine(
        url, module=sqlite, hide_parameters=True, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000}
    )
    journal = "WAL" if wal_is_safe() else "DELETE"

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where we say, see _begin
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            f"journal_mode={journal}",
            "synchronous=FULL",
            "foreign_keys=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if not connection.get_execution_options().get("grid_write", False):
            connection.exec_driver_sql("BEGIN")
            return
        raw: Any = connection.connection.driver_connection
        raw.execute("PRAGMA busy_timeout=0")
        try:
            if not _got_its_turn(raw):
                connection.exec_driver_sql("BEGIN IMMEDIATE")  # fails in the way that is translated
        finally:
            raw.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")

    return engine


def _got_its_turn(connection: Any) -> bool:
    """Begin writing as soon as nobody else does, within the busy timeout.

    SQLite lets those who have waited longest look most rarely (every 100 ms), so that among many processes some would
    wait for ever. Here all look equally often.
    """
    give_up_at_s = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while time.monotonic() < give_up_at_s:
        try:
            connection.execute("BEGIN IMMEDIATE")
            return True
        except sqlite.OperationalError as error:
            if error.sqlite_errorcode != SQLITE_BUSY:
                return False
        time.sleep(random.uniform(*LOOKS_S))  # noqa: S311
    return False


def wal_is_safe() -> bool:
    """False for SQLite versions whose WAL reset may corrupt a file that several processes share."""
    return tuple(int(part) for part in sqlite.sqlite_version.split(".")) >= SAFE_WAL_VERSION
