"""Everything that running needs, looked at together: each trouble in a sentence with its cure."""

import errno
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import redis
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlmodel import Session

from dispatch.record.evidence.photos import shelf_of
from dispatch.upkeep.keeping import LEAST_FREE_BYTES, free_bytes
from grid import schema
from grid.database import Database, wal_is_safe
from grid.errors import GridError, SettingsError, Unavailable
from grid.settings import Settings

PING_S = 2.0
REASONS = {
    errno.EROFS: "磁盘是只读的:请改为可写挂载",
    errno.EACCES: "没有写入权限:请把目录交给运行本服务的用户",
    errno.ENOSPC: "磁盘已满:请清理或扩容",
    errno.EDQUOT: "超过了磁盘配额:请清理或提高配额",
}


def troubles(settings: Settings) -> list[str]:
    """What keeps, or will keep, the service from running well; empty when nothing does."""
    return [trouble for look in LOOKS for trouble in look(settings)]


def _folders(settings: Settings) -> Iterator[str]:
    folders = {"数据目录 GRID_INSTANCE_PATH": settings.instance_path}
    photos = urlsplit(settings.photo_url)
    if photos.scheme == "file":
        folders["照片目录 GRID_PHOTO_URL"] = Path(photos.path)
    else:
        yield from _distant_photos(settings)
    for name, folder in folders.items():
        reason = _refuses_to_be_written(folder)
        if reason:
            yield f"{name}({folder}):{reason}。"
    if any(free < LEAST_FREE_BYTES for free in free_bytes(settings).values()):
        yield f"剩余空间不足 {LEAST_FREE_BYTES // 10**9} GB:请清理或扩容,满了以后照片存不下。"


def _distant_photos(settings: Settings) -> Iterator[str]:
    """A store of photos elsewhere takes a file, gives it back and forgets it."""
    probe = f"probe/{uuid.uuid4().hex}"
    try:
        shelf = shelf_of(settings)
        shelf.write(probe, probe.encode())
        shelf.read(probe)
        shelf.remove(probe)
    except SettingsError as error:
        yield error.message
    except Unavailable as error:
        cause = error.details.get("cause", "读不回刚写的文件")
        yield f"照片存储 GRID_PHOTO_URL 不能用({cause}):请检查地址、AWS_ENDPOINT_URL 和访问密钥。"


def _refuses_to_be_written(folder: Path) -> str | None:
    probe = folder / f".probe-{uuid.uuid4().hex}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with probe.open("wb") as file:
            file.write(b"\0" * 4096)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return REASONS.get(error.errno or 0, f"不能写入({error.strerror})")
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)
    return None


def _database(settings: Settings) -> Iterator[str]:
    database = Database(settings.database_url)
    try:
        with database.reading() as session:
            yield from _migrations(session)
            yield from _server(session) if not database.is_sqlite else _file()
    except Unavailable as error:
        cause = str(error.details.get("cause", "")).strip()
        yield f"数据库不能用({cause}):请检查 DATABASE_URL、数据库是否已启动、磁盘是否可写。"
    except GridError as error:
        yield error.message
    finally:
        database.dispose()


def _migrations(session: Session) -> Iterator[str]:
    wanted = ScriptDirectory(str(schema.MIGRATIONS))
    found = schema.revision_of(session)
    if found is None:
        yield "数据库还没有表:请运行 flask migrate。"
    elif found not in {script.revision for script in wanted.walk_revisions()}:
        yield f"数据库的结构({found})比程序新:请换用与它相配的程序版本,或恢复升级前的备份。"
    elif found not in wanted.get_heads():
        yield f"数据库的结构({found})比程序旧:请运行 flask migrate。"


def _server(session: Session) -> Iterator[str]:
    def shown(name: str) -> str:
        return str(session.execute(text(f"SHOW {name}")).scalar_one())

    if shown("synchronous_commit") == "off":
        yield "PostgreSQL 的 synchronous_commit 是 off,已答复的工单可能在断电时丢失:请改为 on。"
    if shown("fsync") == "off":
        yield "PostgreSQL 的 fsync 是 off,断电可能损坏整个数据库:请改为 on。"
    followers = session.execute(text("SELECT count(*) FROM pg_stat_replication")).scalar_one()
    if shown("synchronous_standby_names") and not followers:
        yield (
            "PostgreSQL 在等同步备库,而没有备库连接,所有提交都会一直等待:请恢复备库,"
            "或清除 synchronous_standby_names(见 deploy/postgresql)。"
        )
    if shown("server_encoding") != "UTF8":
        yield "数据库的编码不是 UTF8,中文会出错:请用 UTF8 新建数据库。"


def _file() -> Iterator[str]:
    if not wal_is_safe():
        yield "SQLite 低于 3.51.3,已改用较慢而安全的回滚日志:请安装 pysqlite3,或改用 PostgreSQL。"


def redis_troubles(settings: Settings) -> Iterator[str]:
    """What is wrong with Redis, with its cure."""
    if not settings.redis_url:
        return
    try:
        with redis.Redis.from_url(settings.redis_url, socket_timeout=PING_S) as client:
            client.ping()
            policy = client.config_get("maxmemory-policy").get("maxmemory-policy")
    except redis.AuthenticationError:
        yield "Redis 要密码,或密码不对:请在 REDIS_URL 写上 redis://:密码@主机:6379/0。"
    except redis.ResponseError as error:
        if "NOAUTH" in str(error):
            yield "Redis 要密码:请在 REDIS_URL 写上 redis://:密码@主机:6379/0。"
    except (redis.RedisError, OSError, ValueError) as error:
        yield f"Redis 没有应答({type(error).__name__}):请检查 REDIS_URL;登记、派单、计时照常,耗时工作要等它。"
    else:
        if policy not in (None, "noeviction"):
            yield f"Redis 的 maxmemory-policy 是 {policy},内存紧张时会悄悄丢掉任务:请改为 noeviction。"


LOOKS: tuple[Callable[[Settings], Iterator[str]], ...] = (_folders, _database, redis_troubles)
