"""`flask up` keeps the whole service running; `web`, `work` and `sweep` are the parts it starts."""

import fcntl
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event, Thread

import click
import segno
from flask import Flask, current_app
from flask.cli import ScriptInfo, with_appcontext

from dispatch.engine import jobs, sweeper
from dispatch.engine.health import checking, tracing
from dispatch.engine.parts import redis_server
from dispatch.engine.parts.sockets import announce_ready
from dispatch.engine.parts.supervising import Part, Supervisor
from grid import logs
from grid.settings import Settings
from web.cli.lan import certificates
from web.cli.lan import front as lan_front
from web.cli.lan.front import Front
from web.cli.preparing import prepare, read_settings
from web.service.serving import serve

log = logging.getLogger(__name__)
_WITHOUT_REDIS = "：登记和派单照常，缩略图、导入等后台任务要等它。"


def register(app: Flask) -> None:
    """Add the running commands to `flask …`."""
    for command in (up, web, work, sweep):
        app.cli.add_command(command)


@click.command()
@click.option("--demo", is_flag=True, help="Fill an empty database with the synthetic city first.")
@click.option(
    "--lan", is_flag=True, help="HTTPS with a certificate of its own, for phones of the local network."
)
@click.option(
    "--address",
    default=lan_front.own_address,
    help="This machine's address there, if the found one is wrong.",
)
@click.pass_context
def up(context: click.Context, demo: bool, lan: bool, address: str) -> None:
    """Start web, workers, sweeper and Redis under one process, until Ctrl-C."""
    settings = read_settings()
    front = Front(address, settings.port, settings.instance_path / "lan") if lan else None
    if front:
        os.environ.update(GRID_BASE_URL=front.url, GRID_SECURE_COOKIES="1")
        settings = read_settings()
    if demo:
        settings = replace(settings, demo=True)
    with _only_one(settings.instance_path / "run"):
        for host, port in _doors(settings, front):
            _refuse_taken_port(host, port, settings.port)
        if demo:
            click.echo("正在准备演示城市（首次约需半分钟）……")
        logins = prepare(settings)
        redis_part, environment = _redis(settings)
        rows = _rows(settings, _app_factory(context), redis_part, has_redis="REDIS_URL" in environment)
        if front:
            _make_certificate(front)
            rows.append([Part("lan", lambda: front.serve(announce_ready))])
        supervisor = Supervisor(
            rows,
            run_folder=settings.instance_path / "run",
            log_folder=settings.instance_path / "log",
            environment=environment,
            tell=_tell,
        )
        supervisor.run(lambda ready: _greet(settings, ready, logins, front))
        click.echo("已全部停止。")


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Hold the lock of this instance: two supervisors would fight over its sockets."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "up.lock").open("a+") as lock:
        try:
            # Of this process alone: the copies of it that run the parts do not hold it.
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            raise click.ClickException(
                f"{folder.parent} 已有一个实例在运行（进程 {lock.read().strip() or '未知'}）："
                "请先停止它，或用 GRID_INSTANCE_PATH 指定另一个数据目录。"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _doors(settings: Settings, front: Front | None) -> list[tuple[str, int]]:
    """Every port that is about to be opened."""
    found = [(settings.host, settings.port)]
    return [*found, ("0.0.0.0", front.secure_port), ("0.0.0.0", front.plain_port)] if front else found  # noqa: S104


def _refuse_taken_port(host: str, port: int, base_port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            raise click.ClickException(
                f"无法使用 {host}:{port}（{getattr(error, 'strerror', error)}）："
                f"请停掉占用它的程序，或换一个端口，例如 GRID_PORT={base_port + 1}。"
            ) from error


def _redis(settings: Settings) -> tuple[Part | None, dict[str, str]]:
    """Return the embedded Redis, if one is to be started, and the environment for all parts."""
    environment = {
        **os.environ,
        "GRID_INSTANCE_PATH": str(settings.instance_path),
        "GRID_DEMO": "1" if settings.demo else "0",
        "PYTHONUNBUFFERED": "1",
    }
    if settings.redis_url:
        if not redis_server.answers(settings.redis_url):
            click.secho(
                f"REDIS_URL 指定的 Redis 没有应答（地址或密码有误，或尚未启动）{_WITHOUT_REDIS}", fg="yellow"
            )
        return None, {**environment, "REDIS_URL": settings.redis_url}
    try:
        plan = redis_server.plan(settings.instance_path / "redis")
    except redis_server.RedisMissingError as error:
        click.secho(f"{error}{_WITHOUT_REDIS}", fg="yellow")
        return None, environment
    ready = partial(redis_server.answers, plan.url)
    part = Part("redis", plan.argv, ready, death_signal=signal.SIGTERM, remedy=plan.start_empty)
    return part, {**environment, "REDIS_URL": plan.url}


def _rows(
    settings: Settings, create_app: Callable[[], Flask], redis_part: Part | None, *, has_redis: bool
) -> list[Sequence[Part]]:
    workers = [Part(f"worker-{number}", _work) for number in range(1, settings.workers + 1)]
    behind = [Part("sweeper", _sweep), *(workers if has_redis else [])]
    return [*([[redis_part]] if redis_part else []), behind, [Part("web", lambda: _web(create_app()))]]


def _make_certificate(front: Front) -> None:
    try:
        certificates.authority(front.folder)
    except certificates.CertificateError as error:
        raise click.ClickException(str(error)) from error


def _greet(
    settings: Settings, ready: dict[str, bool], logins: Sequence[str], front: Front | None = None
) -> None:
    states = [f"{name} {'运行中' if is_ready else '未就绪'}" for name, is_ready in ready.items()]
    click.echo(f"\n{settings.city_name}网格治理与 12345 派单已启动")
    click.echo(f"  地址  {settings.base_url}")
    click.echo(f"  部件  {' · '.join(states)}（日志在 {settings.instance_path / 'log'}）")
    for line in logins:
        click.echo(f"  {line}")
    if front:
        click.echo(f"  手机  先用手机打开 {front.plain_url} 安装证书（只对内网地址有效），再打开上面的地址")
        segno.make(front.plain_url).terminal(out=sys.stdout, compact=True)
    click.echo("按 Ctrl-C 停止。\n")


def _tell(sentence: str) -> None:
    click.secho(f"{time.strftime('%H:%M:%S')} {sentence}", fg="yellow")


def _app_factory(context: click.Context) -> Callable[[], Flask]:
    """Return what makes the application anew: the one loaded here knows neither Redis nor its own process."""
    path = context.ensure_object(ScriptInfo).app_import_path
    return lambda: ScriptInfo(app_import_path=path).load_app()


@click.command()
@with_appcontext
def web() -> None:
    """Serve pages and API (waitress); after a stop signal, requests in progress are finished."""
    _web(current_app._get_current_object())  # type: ignore[attr-defined]


@click.command()
def work() -> None:
    """Carry out heavy jobs from Redis until a stop signal."""
    _work()


@click.command()
def sweep() -> None:
    """Fire due timers and drain the outbox until a stop signal."""
    _sweep()


def _web(app: Flask) -> None:
    logs.set_up()
    settings = read_settings()
    # The application itself refuses what is too large, in words; this only bounds what is read before it can.
    _name_troubles(settings)
    limit = 2 * (app.config.get("MAX_CONTENT_LENGTH") or settings.max_photo_bytes)
    serve(app, host=settings.host, port=settings.port, max_body_bytes=limit, on_ready=announce_ready)


def _work() -> None:
    _run_until_stopped(jobs.work)


def _sweep() -> None:
    _run_until_stopped(sweeper.run)


def _run_until_stopped(part: Callable[[Settings, Event], None]) -> None:
    logs.set_up()
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    announce_ready()
    settings = read_settings()
    _name_troubles(settings)
    tracing.start(settings)
    part(settings, stop)
    tracing.stop()


def _name_troubles(settings: Settings) -> None:
    """Write everything that is wrong with the configuration into the log, all at once; the start does not wait."""

    def look() -> None:
        for trouble in checking.troubles(settings):
            log.warning("%s", trouble)

    Thread(target=look, name="check", daemon=True).start()
