"""`flask grid import-assets …`: the registers; `flask grid split …`: borders redrawn by command, as drafts."""

from collections.abc import Callable
from pathlib import Path

import click
from flask import Flask
from sqlmodel import Session

from grid.areas import drafting
from grid.importing.report import ImportReport
from grid.importing.sheets import Sheet, read_sheet
from grid.registers import importing
from web.cli.standing import grid_group
from web.service.context import database, moment, settings

FILE = click.Path(exists=False, dir_okay=False, path_type=Path)
FRAME = click.option("--frame", required=True, type=click.Choice(["wgs84", "cgcs2000", "gcj02", "bd09"]))


def register(app: Flask) -> None:
    """The commands hang on the group of `standing`."""


def _bring_in(file: Path, work: Callable[[Session, Sheet], ImportReport]) -> None:
    sheet = read_sheet(file)
    report = database().write(lambda session: work(session, sheet))
    head, *rest = report.lines()
    for line in rest:
        click.echo(line)
    if not report.is_right:
        raise click.ClickException(head)
    click.echo(head)


@grid_group.command("import-assets")
@click.argument("file", type=FILE)
@FRAME
def import_assets(file: Path, frame: str) -> None:
    """Components with their owners (部件台账), from CSV or XLSX."""
    _bring_in(file, lambda s, sheet: importing.import_assets(s, sheet, frame, None, moment()))


@grid_group.command("import-bindings")
@click.argument("file", type=FILE)
def import_bindings(file: Path) -> None:
    """Enforcement teams and officers bound to grids; takes the place of the present bindings."""
    _bring_in(file, lambda s, sheet: importing.import_bindings(s, sheet, None, moment()))


@grid_group.command("import-roster")
@click.argument("file", type=FILE)
def import_roster(file: Path) -> None:
    """Who is on shift when."""
    _bring_in(file, lambda s, sheet: importing.import_roster(s, sheet, None, moment()))


@grid_group.command("import-places")
@click.argument("file", type=FILE)
@FRAME
def import_places(file: Path, frame: str) -> None:
    """Names of places (地名库) from CSV or XLSX, or points of a GeoJSON with `name` and `kind`."""
    if file.suffix.lower() in (".geojson", ".json"):
        _bring_in_points(file, frame)
        return
    _bring_in(file, lambda s, sheet: importing.import_places(s, sheet, frame, None, moment()))


def _bring_in_points(file: Path, frame: str) -> None:
    sheet = importing.places_of_geojson(file.name, file.read_bytes())
    report = database().write(lambda s: importing.import_places(s, sheet, frame, None, moment()))
    click.echo("\n".join(report.lines()))


@grid_group.command("split")
@click.argument("code")
@click.option("--line", required=True, help="lon,lat points of the cut, `;` between them.")
@click.option("--names", required=True, help="Names of the new grids from west to east, `;` between them.")
@click.option("--label", help="Name of the draft.")
def split(code: str, line: str, names: str, label: str | None) -> None:
    """Cut a grid along a line; the new set is stored as a draft with fresh codes."""
    parts = [name.strip() for name in names.split(";") if name.strip()]
    _draft(drafting.split(code, line, parts), label or f"拆分 {code}")


@grid_group.command("merge")
@click.argument("codes", nargs=-1, required=True)
@click.option("--name", required=True)
@click.option("--label", help="Name of the draft.")
def merge(codes: tuple[str, ...], name: str, label: str | None) -> None:
    """Make one grid of several; the new set is stored as a draft with a fresh code."""
    _draft(drafting.merge(codes, name), label or f"合并 {'、'.join(codes)}")


@grid_group.command("redraw")
@click.argument("code")
@click.option("--ground", required=True, help="lon,lat corners of the ground it gets, `;` between them.")
@click.option("--label", help="Name of the draft.")
def redraw(code: str, ground: str, label: str | None) -> None:
    """Give the ground inside a polygon to a grid; codes stay, the new set is stored as a draft."""
    _draft(drafting.redraw(code, ground), label or f"调整 {code}")


def _draft(work: drafting.Work, label: str) -> None:
    now = moment()
    label = f"{label} {now.astimezone(settings().zone):%Y-%m-%d %H:%M:%S}"
    made = drafting.draft(database(), settings().instance_path, label, work, None, now)
    click.echo(
        f"边界版本“{made.label}”(编号 {made.id})已存为草稿;先演练,再用 flask grid activate {made.id} 启用。"
    )
