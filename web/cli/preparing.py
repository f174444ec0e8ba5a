"""What a start does before any part runs: migrations, the shipped rows, the demo city or the first administrator."""

from datetime import UTC, datetime

import click
from alembic.util.exc import CommandError
from flask import Flask
from sqlalchemy.exc import OperationalError

from dispatch.demo import creating
from dispatch.seeding import seed
from grid import accounts, schema
from grid.areas.generations import ensure_index
from grid.database import Database
from grid.errors import Conflict, SettingsError, Unavailable
from grid.settings import Settings, load_settings


def register(app: Flask) -> None:
    """Add the preparing commands to `flask …`."""
    app.cli.add_command(migrate)


@click.command()
def migrate() -> None:
    """Bring the database to the newest migration and put in shipped rows that are missing."""
    for line in prepare(read_settings()):
        click.echo(line)


def read_settings() -> Settings:
    """Return the settings, or end with everything that is wrong with them."""
    try:
        return load_settings()
    except SettingsError as error:
        raise click.ClickException(f"设置有误：\n{error.message}") from error
    except OSError as error:
        raise click.ClickException(
            f"数据目录 {error.filename} 不可用（{error.strerror}）：请改正权限，或用 GRID_INSTANCE_PATH 指定可写的目录。"
        ) from error


def prepare(settings: Settings) -> list[str]:
    """Make the database ready for this version; return what to tell about signing in."""
    database = Database(settings.database_url)
    try:
        schema.upgrade(settings.database_url)
        _refuse_lacking(schema.lacking(database))
        now = datetime.now(UTC)
        database.write(lambda session: seed(session, now))
        if settings.demo:
            return creating.create(database, settings, now).lines()
        ensure_index(database, settings.instance_path)
        return _first_steps(settings, database, now)
    except Conflict as error:
        raise click.ClickException(error.message) from error
    except CommandError as error:
        raise click.ClickException(
            f"数据库的结构不属于这个版本的程序（{error}）：请换用与它相配的程序版本，或恢复升级前的备份。"
        ) from error
    except (OperationalError, Unavailable) as error:
        reason = error.orig if isinstance(error, OperationalError) else error.details.get("cause")
        raise click.ClickException(
            f"数据库不能用：{str(reason).strip()}\n请检查 DATABASE_URL、数据库是否已启动，以及磁盘是否可写。"
        ) from error
    finally:
        database.dispose()


def _refuse_lacking(lacking: list[str]) -> None:
    if lacking:
        raise click.ClickException(
            f"数据库是首次发布前的某个版本建立的，缺 {lacking[0]} 等 {len(lacking)} 处，不能升级：请换用当时的程序；"
            "数据只是试用的，可删除数据库（默认在 instance/ 里）后重新启动。"
        )


def _first_steps(settings: Settings, database: Database, now: datetime) -> list[str]:
    token = database.write(lambda session: accounts.make_first_administrator_link(session, now))
    if token is None:
        return []
    return [f"首次使用：打开 {settings.base_url}/first/{token} 建立系统管理员（一次有效，7 天内）。"]
