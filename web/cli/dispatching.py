"""`flask dispatch …` tells, checks and documents what happens to tickets."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click
from flask import Flask
from flask.cli import AppGroup
from sqlmodel import Session, col, select

from dispatch.insight.metrics.periods import Period
from dispatch.insight.reports import bulletins, documents
from dispatch.insight.rollups import rebuilding
from dispatch.record import auditing, recalculating
from dispatch.record.codes import read_code
from dispatch.record.models import Ticket, TicketCode
from dispatch.record.reading import telling
from dispatch.rules.describing import document
from grid import calendar
from grid.auditing import record_change
from grid.errors import GridError
from grid.models import Category
from grid.permissions import ROLES, role_scopes
from web.service.context import database, moment, settings, world
from web.shown.labels import masked

PAGE = Path("docs/workflow.md")

dispatch_group = AppGroup("dispatch", help="Tell, check and document what happens to tickets.")


def register(app: Flask) -> None:
    """Add the group to `flask …`."""
    app.cli.add_command(dispatch_group)


@dispatch_group.command("document")
@click.option("--to", type=click.Path(dir_okay=False, path_type=Path), default=PAGE, show_default=True)
def document_command(to: Path) -> None:
    """Write the workflow's rows down as a page."""
    to.write_text(workflow_page(), "utf-8")
    click.echo(f"已写入 {to}。")


def workflow_page() -> str:
    """The page of the workflow, with the roles that hold each permission."""
    return document(lambda verb: [role.label for role in ROLES.values() if role_scopes(role.key, verb)])


@dispatch_group.command("explain")
@click.argument("code")
def explain(code: str) -> None:
    """Print a ticket's whole story with every reason and every day of its clocks."""
    with database().reading() as session:
        standing = world().refresh(session)
        query = (
            select(Ticket)
            .join(TicketCode, col(TicketCode.ticket_id) == col(Ticket.id))
            .where(col(TicketCode.code) == read_code(code))
        )
        ticket = session.exec(query).first()
        if ticket is None:
            raise click.ClickException(f"没有找到工单 {code},请核对编号")
        for line in telling.story(session, ticket, standing, masked):
            click.echo(line)


@dispatch_group.command("audit")
def audit() -> None:
    """Verify every chain and every ticket against its history; ends with 1 when anything does not hold."""
    with database().reading() as session:
        findings = list(auditing.audit(session))
    for found in findings:
        click.echo(f"{found.code}:{found.what}", err=True)
    if findings:
        raise click.ClickException(f"共 {len(findings)} 处不符")
    click.echo("全部工单的历史、摘要、责任单位和时钟都相符。")


@dispatch_group.command("calendar")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--source", required=True, help="Name and number of the official notice.")
def import_calendar(file: Path, source: str) -> None:
    """Import an official notice (CSV: date,kind,name) and recompute the ends that were estimated."""
    moment_ = moment()

    def work(session: Session) -> int:
        changed = calendar.put_days(session, calendar.read_notice(file.read_text("utf-8-sig"), source))
        after = {"days": len(changed), "source": source}
        record_change(session, None, "calendar", file.name, "import", after=after, now=moment_)
        return len(changed)

    try:
        days = database().write(work)
    except GridError as error:
        raise click.ClickException(error.message) from error
    moved = recalculating.recalculate(database(), world(), moment_)
    click.echo(f"日历更新 {days} 天,{moved} 件工单的到期时间有变化。")


@dispatch_group.command("preverify")
@click.argument("code")
@click.argument("switch", type=click.Choice(["on", "off"]))
def preverify(code: str, switch: str) -> None:
    """Whether public reports of a category are verified on site by a grid worker before they are filed."""
    moment_ = moment()

    def work(session: Session) -> str:
        category = session.get(Category, code)
        if category is None or not category.leaf:
            raise click.ClickException(f"没有类别 {code},请填写具体小类的编码")
        if category.urgent and switch == "on":
            raise click.ClickException(f"“{category.name}”是紧急类,先派后核,不能设为先核实")
        before = {"preverify": category.preverify}
        category.preverify = switch == "on"
        after = {"preverify": category.preverify}
        record_change(session, None, "category", code, "update", before=before, after=after, now=moment_)
        return category.name

    name = database().write(work)
    click.echo(f"“{name}”:公众反映的{'先派网格员核实,再受理' if switch == 'on' else '直接受理'}。")


@dispatch_group.command("recalculate")
def recalculate() -> None:
    """Recompute the ends of open clocks that were estimated, after an official calendar was imported."""
    moved = recalculating.recalculate(database(), world(), moment())
    click.echo(f"重算完成,{moved} 件工单的到期时间有变化。")


@dispatch_group.command("rebuild-figures")
@click.option("--processes", type=click.IntRange(min=1), default=1, show_default=True)
def rebuild_figures(processes: int) -> None:
    """Count every ticket's history anew: after a restored dump, or in doubt. Figures are short of it meanwhile."""
    counted = rebuilding.rebuild(database(), settings().zone, moment(), processes=processes)
    click.echo(f"统计已重建,共 {counted} 件工单。")


@dispatch_group.command("bulletin")
@click.argument("about")
@click.argument("month", type=click.DateTime(["%Y-%m"]))
@click.option("--to", type=click.Path(file_okay=False, path_type=Path), required=True)
def bulletin(about: str, month: datetime, to: Path) -> None:
    """Make the bulletin of `city`, `area:CODE` or `organisation:CODE` for a month, as Word and as a workbook."""
    period = Period.month(month.year, month.month)

    def make(session: Session) -> dict[str, Any]:
        world().refresh(session)
        return bulletins.make(session, world(), about, period, moment()).content

    said = database().write(make)
    to.mkdir(parents=True, exist_ok=True)
    stem = to / f"{about.replace(':', '-')}-{month:%Y-%m}"
    stem.with_suffix(".docx").write_bytes(documents.as_docx(said, settings().instance_path))
    stem.with_suffix(".xlsx").write_bytes(documents.workbook(said))
    click.echo(f"{said['title']}:{stem}.docx、{stem}.xlsx")
