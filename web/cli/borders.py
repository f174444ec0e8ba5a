"""`flask grid check` and `diff`: border files looked over before anything is imported."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from flask import Flask

from geo.errors import GeoError
from geo.mending.proposing import propose
from geo.mending.showing import proposals_fragment
from geo.reading import BorderFile, read_borders
from geo.review.checking import check_borders
from geo.review.differing import diff_borders
from geo.review.findings import KINDS, CheckReport
from geo.review.page import report_fragment, whole_page
from web.cli.mending import repair, simplify
from web.cli.reading import CURES, FILE, read_all, reading_options, say
from web.cli.standing import grid_group

_COLOURS = {"error": "red", "warning": "yellow", "note": "blue"}
_SHOWN = 10


def register(app: Flask) -> None:
    """Add the commands to the `grid` group."""
    for command in COMMANDS:
        grid_group.add_command(command)


@click.command("check")
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--former", multiple=True, type=FILE, help="现行边界文件,用来发现坐标系标错。")
@click.option("--divisions", multiple=True, type=FILE, help="区划表 CSV(code,name),可多次。")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="把带图的报告写到这个文件。")
@reading_options
def check(
    files: tuple[Path, ...],
    former: tuple[Path, ...],
    divisions: tuple[Path, ...],
    html: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """检查边界文件:重叠、缝隙、碎片、上下级、编码、坐标系。有必须解决的问题时返回 1。"""
    read = read_all(files, given)
    before = [a for path in former for a in read_borders(path).areas()]
    report = check_borders(read, former=before, divisions=_division_names(divisions), progress=say)
    if html:
        say("准备修复建议")
        page = whole_page("边界检查报告", report_fragment(report), _proposals(read))
        html.write_text(page, encoding="utf-8")
    if as_json:
        click.echo(json.dumps(report.to_json(), ensure_ascii=False, indent=2))
    else:
        _print_report(report)
    if not report.usable:
        raise click.exceptions.Exit(1)


@click.command("diff")
@click.argument("before", type=click.Path(exists=True, path_type=Path))
@click.argument("after", type=click.Path(exists=True, path_type=Path))
@click.option("--weights", type=FILE, help="CSV(code,weight):人口或日均件数,按面积折算。")
@reading_options
def diff(before: Path, after: Path, weights: Path | None, as_json: bool, **given: Any) -> None:
    """比较两套边界(文件或目录):拆分、合并、调整、改名,面积和权重从谁到谁。"""
    sides = [
        [a for file in read_all(_files_in(side), given) for a in file.areas()] for side in (before, after)
    ]
    table = {code: float(weight) for code, weight in _rows(weights)} if weights else None
    found = diff_borders(*sides, weights=table)
    if as_json:
        click.echo(json.dumps(found.to_json(), ensure_ascii=False, indent=2))
        return
    for change in found.changes:
        if change.kind != "unchanged":
            click.echo(f"{change.label}:{change.message}")
    for transfer in found.transfers[:_SHOWN]:
        weight = "" if transfer.weight is None else f",权重 {transfer.weight:,.1f}"
        source, target = transfer.source or "(界外)", transfer.target or "(界外)"
        click.echo(f"  {source} → {target}:{transfer.area_m2:,.0f} m²{weight}")
    click.echo("、".join(f"{kind} {count}" for kind, count in found.counts().items()) or "没有区域。")


COMMANDS = (check, repair, diff, simplify)


def _proposals(files: Sequence[BorderFile]) -> str:
    features = [f for file in files for f in file.features]
    try:
        return proposals_fragment(features, propose(features, progress=say))
    except GeoError as error:
        click.echo(f"修复建议未能算出:{error}", err=True)
        return ""


def _print_report(report: CheckReport) -> None:
    for level, numbers in report.levels.items():
        click.echo(f"{level}: {int(numbers['count'])} 个,{numbers['area_m2'] / 1e6:,.3f} km²")
    for kind, count in report.counts().items():
        label, severity = KINDS[kind]
        click.secho(f"{label} {count} 项", fg=_COLOURS[severity])
        if kind in CURES:
            click.echo(f"  选项:{CURES[kind]}")
        for finding in [f for f in report.findings if f.kind == kind][:_SHOWN]:
            place = "" if finding.lon is None else f"({finding.lon}, {finding.lat})"
            click.echo(f"  {finding.message}{place}")
    click.echo("没有发现需要处理的问题。" if report.clean else "")


def _files_in(path: Path) -> list[Path]:
    known = (".geojson", ".gpkg", ".zip", ".kml")
    return [path] if path.is_file() else sorted(p for p in path.iterdir() if p.suffix.lower() in known)


def _rows(path: Path) -> list[tuple[str, str]]:
    with open(path, encoding="utf-8-sig", newline="") as source:
        rows = list(csv.reader(source))
    return [(row[0], row[1]) for row in rows if len(row) >= 2 and row[0].isdigit()]


def _division_names(paths: Sequence[Path]) -> dict[str, str] | None:
    names = {code.ljust(12, "0"): name for path in paths for code, name in _rows(path)}
    return names or None
