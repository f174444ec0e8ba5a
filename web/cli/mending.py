"""`flask grid repair` and `simplify`: border files made from border files, the originals untouched."""

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import click

from geo.borders import LEVEL_LABELS, Level
from geo.errors import GeoError
from geo.mending.covering import RULES
from geo.mending.proposals import KINDS, Proposal
from geo.mending.proposing import apply, levels_are_clean, propose
from geo.mending.showing import proposals_fragment
from geo.mending.writing import write_repair, write_simplified
from geo.review.page import whole_page
from web.cli.reading import FILE, read_all, reading_options, say

_SHOWN = 20
FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command("repair")
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--rule", type=click.Choice(list(RULES)), default="longest_border", help="重叠和缝隙归谁。")
@click.option("--gap-width", "gap_width_m", default=30.0, help="窄于多少米的缝隙填补。")
@click.option("--snap", "snap_m", default=0.1, help="多少米以内的顶点对齐。")
@click.option("--choose", multiple=True, help="执行这一条建议(编号),可多次。")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(list(KINDS)), help="执行这一类的全部建议。")
@click.option("--all", "choose_all", is_flag=True, help="执行全部建议。")
@click.option("--skip", multiple=True, help="不执行这一条(配合 --kind、--all),可多次。")
@click.option("--out", type=FOLDER, help="结果写到这个空目录。")
@click.option(
    "--html", type=click.Path(dir_okay=False, path_type=Path), help="把带前后对照图的建议写到这个文件。"
)
@reading_options
def repair(
    files: tuple[Path, ...],
    rule: str,
    gap_width_m: float,
    snap_m: float,
    choose: tuple[str, ...],
    kinds: tuple[str, ...],
    choose_all: bool,
    skip: tuple[str, ...],
    out: Path | None,
    html: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """逐条列出修复建议及其影响;选中的才执行,结果写到 --out,原文件一个字节不动。"""
    read = read_all(files, given)
    features = [f for file in read for f in file.features]
    try:
        proposals = propose(features, rule=rule, gap_width_m=gap_width_m, snap_m=snap_m, progress=say)
        chosen = {p.id for p in proposals if choose_all or p.kind in kinds} | set(choose)
        _refuse_unknown(skip, proposals)
        chosen -= set(skip)
        written, clean = [], levels_are_clean(features)
        if chosen:
            if out is None:
                raise GeoError("请用 --out 指定一个空目录来放修复后的文件。")
            say("执行选中的修复")
            mended = apply(features, proposals, chosen)
            written = write_repair(read, files, mended, [p for p in proposals if p.id in chosen], out)
            clean = levels_are_clean(mended)
    except GeoError as error:
        raise click.ClickException(str(error)) from error
    if html:
        html.write_text(whole_page("边界修复建议", proposals_fragment(features, proposals)), encoding="utf-8")
    if as_json:
        plain = {
            "proposals": [p.to_json() for p in proposals],
            "chosen": sorted(chosen),
            "written": [str(p) for p in written],
            "clean": clean,
        }
        click.echo(json.dumps(plain, ensure_ascii=False, indent=2))
        return
    _print(proposals, chosen)
    click.echo(
        f"已写出 {len(written)} 个文件。" if written else "尚未执行。" if proposals else "没有需要修复的。"
    )
    for level, tiles in clean.items():
        state = "无缝无叠" if tiles else "仍有重叠、缝隙或不相接的边"
        click.echo(f"{LEVEL_LABELS[Level(level)]}:{state}")


@click.command("simplify")
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option(
    "--zoom",
    "zooms",
    multiple=True,
    type=click.IntRange(0, 22),
    help="网页地图的缩放级,可多次;默认 8 10 12 14 16。",
)
@click.option("--out", required=True, type=FOLDER, help="结果写到这个空目录,每个缩放级一个子目录。")
@reading_options
def simplify(files: tuple[Path, ...], zooms: tuple[int, ...], out: Path, as_json: bool, **given: Any) -> None:
    """为地图按缩放级简化边界:误差不过半个像素,相邻区域仍共用同一条边,不裂缝、不重叠。"""
    read = read_all(files, given)
    features = [f for file in read for f in file.features]
    say("简化边界")
    try:
        made = write_simplified(features, zooms or (8, 10, 12, 14, 16), out)
    except GeoError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps([m.to_json() for m in made], ensure_ascii=False, indent=2))
        return
    for copy in made:
        share = copy.vertices / max(copy.vertices_before, 1)
        click.echo(
            f"{copy.path}:{copy.areas} 个区域,{copy.vertices:,} 个顶点(原来的 {share:.0%}),"
            f"误差不过 {copy.tolerance_m:,.1f} 米{'' if copy.clean else ',原边界有重叠或缝隙,逐个简化'}"
        )


def _refuse_unknown(skip: Sequence[str], proposals: Sequence[Proposal]) -> None:
    unknown = set(skip) - {p.id for p in proposals}
    if unknown:
        raise GeoError(f"没有编号为 {'、'.join(sorted(unknown))} 的修复建议,请重新生成建议。")


def _print(proposals: Sequence[Proposal], chosen: Collection[str]) -> None:
    for kind, label in KINDS.items():
        some = [p for p in proposals if p.kind == kind]
        if not some:
            continue
        total_m2 = sum(p.moved_m2 for p in some)
        click.secho(f"{label} {len(some)} 条,增减共 {total_m2:,.1f} m²", bold=True)
        for proposal in some[:_SHOWN]:
            mark = "✓" if proposal.id in chosen else " "
            click.echo(f"[{mark}] {proposal.id}  {proposal.message} 增减 {proposal.moved_m2:,.1f} m²")
        if len(some) > _SHOWN:
            click.echo(f"    另有 {len(some) - _SHOWN} 条,用 --json 或 --html 看全。")
