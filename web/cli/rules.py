"""`flask dispatch lint` and `rehearse`: a set of rules held against the city, and against past tickets."""

from datetime import datetime

import click
from flask import Flask
from sqlmodel import Session

from dispatch.insight.linting.beginning import begin
from dispatch.insight.linting.findings import Linted, Weight
from dispatch.insight.linting.stored import lint_version
from dispatch.insight.rehearsing import running
from dispatch.insight.tables import Rehearsal, RehearsalState
from grid.errors import GridError
from web.cli.dispatching import dispatch_group
from web.service.context import database, moment, settings, world

MOST_SHOWN = 30
MARKS = {Weight.ERROR: "错误", Weight.TICK: "待确认", Weight.REMARK: "提示"}
DAY = click.DateTime(formats=["%Y-%m-%d"])


@dispatch_group.command("lint")
@click.option("--version", "version", type=int, help="A set of rules; the one in force without it.")
@click.option("--generation", type=int, help="Borders to hold it against; those in force without it.")
def lint_command(version: int | None, generation: int | None) -> None:
    """Look for gaps, conflicts, shadowed rows, dead and forbidden owners; ends with 1 on errors."""
    with database().reading() as session:
        standing = world().refresh(session)
        on = moment().astimezone(settings().zone).date()
        found = lint_version(
            database(), session, standing, version or standing.ruleset_version, on, generation
        )
    click.echo(
        f"检查 {found.rules} 条规则 × {found.categories} 个小类 × {found.regions} 个区域:{summary(found)}"
    )
    for weight, mark in MARKS.items():
        findings = found.of(weight)
        for finding in findings[:MOST_SHOWN]:
            click.echo(f"  [{mark}·{finding.label}] {finding.sentence}")
        if len(findings) > MOST_SHOWN:
            click.echo(f"  [{mark}] 另有 {len(findings) - MOST_SHOWN} 处")
    if not found.may_begin:
        raise click.ClickException("有错误,这一版规则不能启用")


def summary(found: Linted) -> str:
    """The counts in one line."""
    counts: dict[str, int] = {}
    for finding in found.findings:
        counts[finding.label] = counts.get(finding.label, 0) + 1
    return "、".join(f"{label} {number}" for label, number in counts.items()) or "没有发现问题"


@dispatch_group.command("rehearse")
@click.argument("version", type=int)
@click.option("--from", "from_", type=DAY, required=True, help="First day of past tickets, 2026-01-01.")
@click.option("--to", type=DAY, help="Last day; today without it.")
@click.option("--generation", type=int, help="A draft of borders to place the tickets in.")
@click.option("--csv", "target", type=click.Path(dir_okay=False), help="Where to write the moved tickets.")
def rehearse_command(
    version: int, from_: datetime, to: datetime | None, generation: int | None, target: str | None
) -> None:
    """Replay past tickets with a set of rules: how many would go elsewhere, from whom to whom."""
    to_on = to.date() if to else moment().astimezone(settings().zone).date()

    def ask(session: Session) -> Rehearsal:
        return running.ask(session, version, from_.date(), to_on, None, moment(), generation)

    try:
        key = database().write(ask).id
        running.run_waiting(database(), world(), moment)
    except GridError as error:
        raise click.ClickException(error.message) from error
    with database().reading() as session:
        done = session.get_one(Rehearsal, key)
    if done.state is not RehearsalState.DONE:
        raise click.ClickException(done.error or "演练正由别的进程进行,请稍后在页面上查看")
    result = done.result or {}
    click.echo(f"{done.from_on} 至 {done.to_on} 的 {result['total']} 件工单,{result['moved']} 件会派到别处:")
    for row in result["matrix"][:MOST_SHOWN]:
        click.echo(f"  {row['from_name']} → {row['to_name']}:{row['number']} 件")
    if target:
        with open(target, "w", encoding="utf-8", newline="") as file:
            file.write(running.unpacked(done))
        click.echo(f"已写入 {target}。")


@dispatch_group.command("rules")
@click.option("--activate", "version", type=int, help="Put this version in force now (a former one: undo).")
@click.option(
    "--accept-gaps", is_flag=True, help="What lint wants ticked is known: gaps, dead owners, many rules gone."
)
def rules_command(version: int | None, accept_gaps: bool) -> None:
    """Say which set of rules is in force, or put another one in force after the linter has agreed."""
    now = moment()
    with database().reading() as session:
        standing = world().refresh(session)
        click.echo(f"第 {standing.ruleset_version} 版规则正在生效。")
        if version is None:
            return
    try:
        begin(database(), world(), version, None, now, ticked=accept_gaps)
    except GridError as error:
        raise click.ClickException(error.message) from error
    click.echo(f"第 {version} 版已启用;要撤回,再启用原来的版本。")


def register(app: Flask) -> None:
    """The commands hang on the group of `dispatching`."""
