"""`flask grid check`, `repair` and `diff`: border files looked over before anything is imported."""

import csv
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
from flask import Flask

from geo.borders import LEVELS
from geo.errors import GeoError
from geo.reading import BorderFile, read_borders
from geo.review.checking import check_borders
from geo.review.differing import diff_borders
from geo.review.findings import KINDS, CheckReport
from geo.review.page import proposals_fragment, report_fragment, whole_page
from geo.review.repairing import RULES, Proposal, apply, propose
from geo.review.writing import write_repair
from web.cli.standing import grid_group

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_COLOURS = {"error": "red", "warning": "yellow", "note": "blue"}
_SHOWN = 10


def register(app: Flask) -> None:
    """Add the commands to the `grid` group."""
    for command in COMMANDS:
        grid_group.add_command(command)


def _reading_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """How the files are to be read; whatever is not given is taken from the file or asked for."""
    options: tuple[Callable[[Callable[..., Any]], Callable[..., Any]], ...] = (
        click.option("--frame", default=None, help="wgs84、cgcs2000、gcj02、bd09,或三度带的 EPSG 号。"),
        click.option(
            "--level", type=click.Choice([str(level) for level in LEVELS]), help="文件里全是这一级。"
        ),
        click.option("--layer", help="多图层文件里的图层名。"),
        click.option("--encoding", help="Shapefile 属性表的编码,如 GBK。"),
        click.option("--swapped", is_flag=True, help="文件里纬度在前。"),
        click.option(
            "--column", "columns", multiple=True, metavar="意义=列名", help="如 code=网格编码,可多次。"
        ),
        click.option("--json", "as_json", is_flag=True, help="输出 JSON。"),
    )
    for option in options:
        command = option(command)
    return command


def _read_all(paths: Sequence[Path], given: dict[str, Any]) -> list[BorderFile]:
    columns = dict(pair.split("=", 1) for pair in given["columns"] if "=" in pair)
    files = []
    with click.progressbar(paths, label="读取", file=sys.stderr) as bar:
        for path in bar:
            try:
                files.append(
                    read_borders(
                        path,
                        frame=given["frame"],
                        level=given["level"],
                        columns=columns,
                        layer=given["layer"],
                        encoding=given["encoding"],
                        swapped=given["swapped"],
                    )
                )
            except GeoError as error:
                raise click.ClickException(str(error)) from error
    return files


def _say(step: str) -> None:
    click.echo(f"{step}…", err=True)


@click.command("check")
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--former", multiple=True, type=FILE, help="现行边界文件,用来发现坐标系标错。")
@click.option("--divisions", multiple=True, type=FILE, help="区划表 CSV(code,name),可多次。")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="把带图的报告写到这个文件。")
@_reading_options
def check(
    files: tuple[Path, ...],
    former: tuple[Path, ...],
    divisions: tuple[Path, ...],
    html: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """检查边界文件:重叠、缝隙、碎片、上下级、编码、坐标系。有必须解决的问题时返回 1。"""
    read = _read_all(files, given)
    before = [a for path in former for a in read_borders(path).areas()]
    report = check_borders(read, former=before, divisions=_division_names(divisions), progress=_say)
    if html:
        _say("准备修复建议")
        page = whole_page("边界检查报告", report_fragment(report), proposals_fragment(_proposals(read)))
        html.write_text(page, encoding="utf-8")
    if as_json:
        click.echo(json.dumps(report.to_json(), ensure_ascii=False, indent=2))
    else:
        _print_report(report)
    if not report.usable:
        raise click.exceptions.Exit(1)


@click.command("repair")
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--rule", type=click.Choice(list(RULES)), default="longest_border", help="重叠归谁。")
@click.option("--gap-width", "gap_width_m", default=30.0, help="窄于多少米的缝隙填补。")
@click.option("--snap", "snap_m", default=0.1, help="多少米以内的顶点对齐。")
@click.option("--choose", multiple=True, help="执行这一条建议(编号),可多次。")
@click.option("--all", "choose_all", is_flag=True, help="执行全部建议。")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="结果写到这个空目录。")
@_reading_options
def repair(
    files: tuple[Path, ...],
    rule: str,
    gap_width_m: float,
    snap_m: float,
    choose: tuple[str, ...],
    choose_all: bool,
    out: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """列出修复建议及其影响;选中的才执行,结果写到 --out,原文件一个字节不动。"""
    read = _read_all(files, given)
    features = [f for file in read for f in file.features]
    _say("计算修复建议")
    try:
        proposals = propose(features, rule=rule, gap_width_m=gap_width_m, snap_m=snap_m)
        chosen = {p.id for p in proposals} if choose_all else set(choose)
        mended = apply(features, proposals, chosen)
        written = []
        if chosen:
            if out is None:
                raise GeoError("请用 --out 指定一个空目录来放修复后的文件。")
            written = write_repair(read, files, mended, [p for p in proposals if p.id in chosen], out)
    except GeoError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        plain = {"proposals": [p.to_json() for p in proposals], "written": [str(p) for p in written]}
        click.echo(json.dumps(plain, ensure_ascii=False, indent=2))
        return
    for proposal in proposals:
        mark = "✓" if proposal.id in chosen else " "
        areas = len(proposal.effects)
        click.echo(f"[{mark}] {proposal.id}  {proposal.message} {areas} 个区域,{proposal.moved_m2:,.1f} m²")
    click.echo(
        "没有需要修复的。"
        if not proposals
        else f"已写出 {len(written)} 个文件。"
        if written
        else "尚未执行。"
    )


@click.command("diff")
@click.argument("before", type=click.Path(exists=True, path_type=Path))
@click.argument("after", type=click.Path(exists=True, path_type=Path))
@click.option("--weights", type=FILE, help="CSV(code,weight):人口或日均件数,按面积折算。")
@_reading_options
def diff(before: Path, after: Path, weights: Path | None, as_json: bool, **given: Any) -> None:
    """比较两套边界(文件或目录):拆分、合并、调整、改名,面积和权重从谁到谁。"""
    sides = [
        [a for file in _read_all(_files_in(side), given) for a in file.areas()] for side in (before, after)
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


COMMANDS = (check, repair, diff)


def _proposals(files: Sequence[BorderFile]) -> list[Proposal]:
    try:
        return propose([f for file in files for f in file.features])
    except GeoError as error:
        click.echo(f"修复建议未能算出:{error}", err=True)
        return []


def _print_report(report: CheckReport) -> None:
    for level, numbers in report.levels.items():
        click.echo(f"{level}: {int(numbers['count'])} 个,{numbers['area_m2'] / 1e6:,.3f} km²")
    for kind, count in report.counts().items():
        label, severity = KINDS[kind]
        click.secho(f"{label} {count} 项", fg=_COLOURS[severity])
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
