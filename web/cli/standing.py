"""`flask database …` keeps the tables, `flask grid …` brings the standing world in."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from flask import Flask
from flask.cli import AppGroup
from sqlmodel import Session, col, select

from dispatch import duties
from dispatch.insight.linting.beginning import begin
from dispatch.insight.linting.findings import Finding
from dispatch.insight.linting.stored import troubles_of_borders
from dispatch.seeding import seed
from grid import accounts, rulesets, schema
from grid.areas import beginning, following, generations
from grid.errors import GridError
from grid.importing.borders import BorderImport, read_border_files, read_names
from grid.importing.organisations import import_organisations
from grid.importing.report import ImportReport
from grid.importing.sheets import Sheet, read_sheet
from grid.importing.staff import import_staff
from grid.models import Account, Generation
from web.service.context import database, moment, settings, world

MOST_TROUBLES = 30
FILE = click.Path(exists=False, dir_okay=False, path_type=Path)


def register(app: Flask) -> None:
    """Add the two groups to `flask …`."""
    app.cli.add_command(database_group)
    app.cli.add_command(grid_group)


class Spoken(AppGroup):
    """A group that says our own errors as one sentence."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except GridError as error:
            raise click.ClickException(error.message) from error


database_group = Spoken("database", help="Keep the database's tables up to date.")
grid_group = Spoken("grid", help="Bring the standing world in: rules, borders, organisations, staff.")


@database_group.command("upgrade")
def upgrade() -> None:
    """Apply the migrations that are missing."""
    schema.upgrade(settings().database_url)
    click.echo("数据库已是最新版本。")


@database_group.command("check")
def check() -> None:
    """Say whether migrations are missing, in the database or in the code."""
    if not schema.is_current(database()):
        raise click.ClickException("数据库不是最新版本,请运行 flask database upgrade")
    different = schema.differences(settings().database_url)
    if different:
        raise click.ClickException(f"代码中的表与迁移不一致,请补写迁移:{different}")
    click.echo("数据库与代码一致。")


@grid_group.command("seed")
def seed_command() -> None:
    """Put the shipped categories, rules and calendar into an empty installation."""
    found = database().write(lambda session: seed(session, moment()))
    years = "、".join(str(year) for year in found.calendar_years) or "无"
    click.echo(
        f"类别 {found.categories} 条,规则版本 {found.ruleset_version or '未变'},新增日历年份 {years}。"
    )
    if found.newer_rules_offered:
        click.secho("随系统提供的规则比已发布的新:不会自动覆盖,请对照后自行发布。", fg="yellow")


@grid_group.command("first-administrator")
def first_administrator() -> None:
    """Make the single-use link with which the first administrator is created."""
    token = database().write(lambda session: accounts.make_first_administrator_link(session, moment()))
    if token is None:
        raise click.ClickException("已经有系统管理员,请用管理员账号登录")
    click.echo(f"{settings().base_url}/first/{token}")


@grid_group.command("import")
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--frame", help="Frame of the coordinates: wgs84, cgcs2000, gcj02 or bd09. Never guessed.")
@click.option("--level", help="Level of every feature, where neither a column nor the code says it.")
@click.option("--names", type=FILE, help="CSV (code,name) of upper areas that the files lack.")
@click.option("--label", help="Name of this version of the borders; by default the date and time.")
@click.option("--draft", is_flag=True, help="Store and index it, but do not put it in force.")
@click.option("--synthetic", is_flag=True, help="Mark these borders as made up.")
def import_borders(
    files: tuple[Path, ...],
    frame: str | None,
    level: str | None,
    names: Path | None,
    label: str | None,
    draft: bool,
    synthetic: bool,
) -> None:
    """Read boundary files as one complete set and put it in force; all or nothing."""
    if not frame:
        raise click.ClickException(
            "没有给出坐标系,不能猜(错了会派错单)。请加 --frame wgs84、cgcs2000、gcj02 或 bd09"
        )
    found = read_border_files(files, frame=frame, level=level, names=_names(names))
    if found.report.is_right:
        _store(found, label, draft=draft, synthetic=synthetic)
    _tell(found.report)


def _store(found: BorderImport, label: str | None, *, draft: bool, synthetic: bool) -> None:
    now = moment()
    new = generations.NewGeneration(
        label=label or now.astimezone(settings().zone).strftime("%Y-%m-%d %H:%M:%S"),
        areas=found.areas,
        overlays=found.overlays,
        source=";".join(found.checksums),
        synthetic=synthetic,
    )
    if draft:
        made = database().write(lambda session: generations.create_draft(session, new, None, now))
        generations.write_index(database(), made.id or 0, settings().instance_path)
    else:
        made = beginning.put_in_force(
            database(), new, settings().instance_path, None, now, now.astimezone(settings().zone).date()
        )
    found.report.written = True
    state = "已存为草稿" if draft else "已启用"
    click.echo(f"边界版本“{made.label}”(编号 {made.id}){state}。")


def _names(path: Path | None) -> dict[str, str]:
    if path is None:
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            return read_names((row["code"], row["name"]) for row in csv.DictReader(lines))
    except (OSError, UnicodeDecodeError, KeyError) as error:
        raise click.ClickException(f"{path}:应是 UTF-8 的 CSV,首行有 code,name 两列") from error


@grid_group.command("activate")
@click.argument("generation_id", type=int)
@click.option(
    "--accept-gaps", is_flag=True, help="Begin although rules in force would not hold in these borders."
)
def activate(generation_id: int, accept_gaps: bool) -> None:
    """Put a draft of borders in force now, where the rules in force hold in it."""
    troubles = _troubles(generation_id)
    for finding in troubles[:MOST_TROUBLES]:
        click.echo(f"  [{finding.label}] {finding.sentence}")
    if troubles and not accept_gaps:
        raise click.ClickException(
            f"现行规则在这套边界里新出现 {len(troubles)} 处问题;请先改规则,或加 --accept-gaps 确认知悉"
        )
    now = moment()
    on = now.astimezone(settings().zone).date()
    made = database().write(lambda session: beginning.activate(session, generation_id, None, now, on))
    click.echo(f"边界版本“{made.label}”已启用。")
    with database().reading() as session:
        for one in following.done(session, made):
            click.echo(f"  {one.who}:{one.former} → {'、'.join(one.codes) or '需要人工处理'}")
        alone = following.without_worker(session, generation_id, on)
    if alone:
        click.echo(f"没有网格员的网格 {len(alone)} 个:{generations.listed(code for code, _ in alone)}")


def _troubles(generation_id: int) -> list[Finding]:
    """Where the rules in force would not hold; nothing while there are none, or no such borders."""
    with database().reading() as session:
        if rulesets.in_force(session, moment()) is None or session.get(Generation, generation_id) is None:
            return []
        on = moment().astimezone(settings().zone).date()
        standing = world().refresh(session, at_once=True)
        return troubles_of_borders(database(), session, standing, generation_id, on)


@grid_group.command("import-organisations")
@click.argument("file", type=FILE)
def import_organisations_command(file: Path) -> None:
    """Add and update organisations from CSV or XLSX."""
    kinds = duties.organisation_kinds()
    _tell(_imported(file, lambda session, sheet: import_organisations(session, sheet, kinds, None, moment())))


@grid_group.command("import-staff")
@click.argument("file", type=FILE)
@click.option("--links", is_flag=True, help="Print a single-use password link for every account without one.")
def import_staff_command(file: Path, links: bool) -> None:
    """Add accounts and posts from CSV or XLSX, one row per post."""
    report = _imported(file, lambda session, sheet: import_staff(session, sheet, None, moment()))
    _tell(report)
    if links:
        for line in database().write(_password_links):
            click.echo(line)


@grid_group.command("import-responsibilities")
@click.argument("file", type=FILE)
@click.option("--draft", is_flag=True, help="Store it as a draft, to be linted and rehearsed first.")
@click.option("--accept-gaps", is_flag=True, help="Begin although the linter asks for a tick.")
@click.option("--only-good", is_flag=True, help="Take the right rows although others are wrong.")
def import_responsibilities_command(file: Path, draft: bool, accept_gaps: bool, only_good: bool) -> None:
    """Check who answers for what, and begin it as the next set of rules where the linter lets it through."""
    report = _imported(
        file,
        lambda s, sheet: duties.import_duties(s, sheet, None, moment(), only_good=only_good),
    )
    head, *rest = report.lines()
    for line in rest:
        click.echo(line)
    if not report.written:
        raise click.ClickException(head)
    click.echo(head)
    if not draft:
        version = report.details["ruleset_version"]
        begin(database(), world(), version, None, moment(), ticked=accept_gaps)
        click.echo(f"第 {version} 版规则已启用。")


def _imported(file: Path, work: Callable[[Session, Sheet], ImportReport]) -> ImportReport:
    sheet = read_sheet(file)
    return database().write(lambda session: work(session, sheet))


def _password_links(session: Session) -> list[str]:
    waiting = session.exec(
        select(Account).where(col(Account.password_hash).is_(None), col(Account.disabled_at).is_(None))
    ).all()
    return [
        f"{account.login}\t{settings().base_url}/password/"
        + accounts.make_password_link(session, account, None, moment())
        for account in waiting
    ]


def _tell(report: ImportReport) -> None:
    head, *rest = report.lines()
    for line in rest:
        click.echo(line)
    if not report.is_right:
        raise click.ClickException(head)
    click.echo(head)
