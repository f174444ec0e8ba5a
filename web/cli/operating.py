"""`flask ops …`: back up, bring back, prove, anchor."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click
from flask import Flask
from sqlalchemy import inspect

from dispatch.engine.health import checking
from dispatch.upkeep import anchors, backup, verifying
from grid import schema
from grid.errors import GridError
from web.cli.standing import Spoken
from web.service.context import database, moment, settings

STANDARD = "-"
ARCHIVE = click.argument("archive", type=click.Path(dir_okay=False, allow_dash=True))

ops = Spoken("ops", help="Keep what is kept: back up, restore, verify.")


def register(app: Flask) -> None:
    """Add the group to `flask …`."""
    app.cli.add_command(ops)


@ops.command("backup")
@ARCHIVE
def back_up(archive: str) -> None:
    """Write database and photos of one instant to ARCHIVE (`-` for a pipe) while everything goes on."""
    _refuse_tableless()
    with _written_whole(archive) as stream:
        manifest = backup.write(database(), settings(), stream, moment())
    rows = sum(manifest.counts.values())
    click.echo(
        f"已备份:{rows} 行,{len(manifest.files)} 个文件(其中工单 {manifest.counts['ticket']} 件)。", err=True
    )
    click.echo(
        "备份含有个人信息且未加密:请加密保存,例如 flask ops backup - | gpg -e -r 收件人 > 备份.gpg", err=True
    )
    if manifest.missing_photos:
        click.secho(
            f"有 {len(manifest.missing_photos)} 张照片缺失或损坏,未进入备份,例如 {manifest.missing_photos[0]}",
            fg="yellow",
            err=True,
        )


@ops.command("restore")
@ARCHIVE
def restore(archive: str) -> None:
    """Bring ARCHIVE (`-` for a pipe) back into an empty database and photo store, then prove it."""
    with _opened(archive) as stream:
        found = backup.restore(database(), settings(), stream)
    click.echo(f"已恢复 {found.manifest.made_at} 的备份。{found.proof.summary()}")
    _refuse_wrong(found.proof)
    if not schema.is_current(database()):
        click.secho("备份来自较早的版本:启动前请运行 flask migrate。", fg="yellow")


@ops.command("verify")
@click.argument("archive", required=False, type=click.Path(dir_okay=False, allow_dash=True))
@click.option("--photos/--no-photos", default=True, help="Also read every photo and compare its hash.")
@click.option(
    "--anchors", "folder", type=click.Path(file_okay=False, path_type=Path), help="A copy of the anchors."
)
def verify(archive: str | None, photos: bool, folder: Path | None) -> None:
    """Prove the running installation, or that ARCHIVE is whole."""
    if archive is not None:
        with _opened(archive) as stream:
            manifest = backup.check(stream)
        click.echo(
            f"备份完整:{manifest.made_at},工单 {manifest.counts['ticket']} 件,{len(manifest.files)} 个文件。"
        )
        return
    _refuse_tableless()
    proof = verifying.verify(database(), settings(), with_photos=photos, anchor_folder=folder)
    verifying.record(database(), proof, moment())
    click.echo(proof.summary())
    _refuse_wrong(proof)


@ops.command("anchor")
def anchor() -> None:
    """Write the ends of all chains that grew to `instance/anchors`; keep a copy where it cannot be rewritten."""
    _refuse_tableless()
    folder = anchors.folder_of(settings())
    with database().reading() as session:
        written = anchors.write(session, folder, moment())
    click.echo(f"已锚定 {written} 条历史的末端({folder})。")


@ops.command("check")
def check() -> None:
    """Look at everything that running needs, and name every trouble at once with its cure."""
    found = checking.troubles(settings())
    if found:
        raise click.ClickException("\n".join(["需要处理:", *found]))
    click.echo("一切就绪。")


def _refuse_tableless() -> None:
    with database().reading() as session:
        if not inspect(session.connection()).has_table("ticket"):
            raise click.ClickException("数据库还没有表:请检查 DATABASE_URL,新装的请先运行 flask migrate。")


def _refuse_wrong(proof: verifying.Proof) -> None:
    if not proof.holds:
        raise click.ClickException("\n".join([proof.summary(), *proof.wrong[:50]]))


@contextmanager
def _written_whole(archive: str) -> Iterator[IO[bytes]]:
    """A file that has its name only once it is complete."""
    if archive == STANDARD:
        yield sys.stdout.buffer
        return
    path = Path(archive)
    if path.exists():
        raise click.ClickException(f"{path} 已存在,不覆盖:请换一个名字")
    aside = path.with_name(f"{path.name}.part")
    try:
        with aside.open("xb") as file:
            aside.chmod(0o600)
            yield file
        aside.rename(path)
    except OSError as error:
        raise click.ClickException(f"{path} 不能写入({error.strerror}):请检查目录、权限和磁盘空间") from error
    finally:
        aside.unlink(missing_ok=True)


@contextmanager
def _opened(archive: str) -> Iterator[IO[bytes]]:
    if archive == STANDARD:
        yield sys.stdin.buffer
        return
    try:
        with Path(archive).open("rb") as file:
            yield file
    except OSError as error:
        raise GridError(f"{archive} 不能读取({error.strerror}):请检查路径") from error
