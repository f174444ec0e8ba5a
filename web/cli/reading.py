"""How border commands read their files: the options they share, progress on stderr, errors as one sentence."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from geo.borders import LEVELS
from geo.errors import GeoError
from geo.reading import BorderFile, read_borders

# kind of finding: the option by which a command reads the file otherwise
CURES = {"swapped": "--swapped", "no_code": "--column code=列名", "no_level": "--level"}
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def reading_options(command: Callable[..., Any]) -> Callable[..., Any]:
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


def read_all(paths: Sequence[Path], given: dict[str, Any]) -> list[BorderFile]:
    """The files as border files; a file that is refused ends the command with its sentence."""
    columns = _columns(given["columns"])
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


def say(step: str) -> None:
    """A step of the work, on stderr."""
    click.echo(f"{step}…", err=True)


def _columns(pairs: Sequence[str]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise click.BadParameter(f"“{pair}”应写成 意义=列名,如 code=网格编码。", param_hint="--column")
    return dict(pair.split("=", 1) for pair in pairs)
