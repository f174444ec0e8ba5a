"""Boundary files to one border set: every feature checked, nothing accepted unless all is right."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import shapely

from geo.borders import LEVEL_LABELS, LEVELS, AreaShape, Level, OverlayShape
from geo.errors import GeoError
from geo.reading import BorderFeature, BorderFile, read_borders
from grid.importing.report import ImportReport, Problem

LONGEST_CODE = 32


@dataclass
class BorderImport:
    """What the files hold together, and the report; usable only when the report is right."""

    report: ImportReport
    areas: list[AreaShape] = field(default_factory=list)
    overlays: list[OverlayShape] = field(default_factory=list)
    checksums: list[str] = field(default_factory=list)


def read_border_files(
    paths: Sequence[Path],
    *,
    frame: str,
    level: str | None = None,
    names: Mapping[str, str] | None = None,
) -> BorderImport:
    """Read and check boundary files as one set.

    `names` maps codes of upper areas that the files lack to their names: they are put together from what lies
    below them. A parent that is neither in the files nor in `names` is an unknown code.
    """
    found = BorderImport(ImportReport("边界"))
    seen: dict[str, str] = {}
    for path in paths:
        file = _read(path, frame, level, found.report)
        if file is None:
            continue
        found.checksums.append(file.sha256)
        found.report.count("文件")
        for feature in file.features:
            _take(feature, file.name, seen, found)
    _add_missing_parents(found, names or {})
    if not found.areas and found.report.is_right:
        found.report.problems.append(Problem("文件里没有一个区域,请检查文件和 --level"))
    return found


def read_names(rows: Iterable[tuple[str, str]]) -> dict[str, str]:
    """A list of division codes as `names`: 6- and 9-digit codes also in their 12-digit spelling."""
    names: dict[str, str] = {}
    for code, name in rows:
        names[code] = name
        if code.isdigit() and len(code) < 12:
            names.setdefault(code.ljust(12, "0"), name)
    return names


def _read(path: Path, frame: str, level: str | None, report: ImportReport) -> BorderFile | None:
    try:
        file = read_borders(path, frame=frame, level=level)
    except GeoError as error:
        report.problems.append(Problem(str(error)))
        return None
    except OSError as error:
        report.problems.append(Problem(f"读不了这个文件({error.strerror}),请检查路径", file=path.name))
        return None
    for problem in file.problems:
        where = problem.code or (None if problem.feature is None else f"#{problem.feature}")
        target = report.remarks if "已只取" in problem.message else report.problems
        target.append(Problem(problem.message, file=file.name, feature=where))
    return file


def _take(feature: BorderFeature, file: str, seen: dict[str, str], found: BorderImport) -> None:
    spot = feature.code or f"#{feature.number}"
    wrong = list(_wrong(feature, file, seen))
    found.report.problems += [Problem(message, file=file, feature=spot) for message in wrong]
    if wrong or feature.code is None:
        return
    seen[feature.code] = file
    name = feature.name or feature.code
    if feature.kind:
        overlay = OverlayShape(feature.code, name, feature.kind, feature.priority, feature.geometry)
        found.overlays.append(overlay)
        found.report.count("叠加面")
        return
    assert feature.level is not None
    found.areas.append(AreaShape(feature.code, name, feature.level, feature.parent, feature.geometry))
    found.report.count(LEVEL_LABELS[feature.level])


def _wrong(feature: BorderFeature, file: str, seen: Mapping[str, str]) -> Iterable[str]:
    if feature.code is None:
        yield "没有编码,请在编码列补上"
        return
    if len(feature.code) > LONGEST_CODE:
        yield f"编码超过 {LONGEST_CODE} 个字符"
    if feature.code in seen:
        other = seen[feature.code]
        yield (
            f"编码重复(在 {other} 已出现),编码必须唯一" if other != file else "编码在本文件重复,编码必须唯一"
        )
    if feature.level is None and not feature.kind:
        yield "看不出层级,请用 --level 指明,或在“层级”列填写"
    if not shapely.is_valid(feature.geometry):
        reason = shapely.is_valid_reason(feature.geometry)
        yield f"边界自相交或环有错({reason}),请在制图软件中修复后再导入"
    elif shapely.is_empty(feature.geometry) or shapely.area(feature.geometry) == 0:
        yield "面积为零,请补画边界"


def _add_missing_parents(found: BorderImport, names: Mapping[str, str]) -> None:
    """Upper areas that only the name list knows, and a word for each code that nobody knows."""
    known = {area.code for area in found.areas}
    below: dict[str, list[AreaShape]] = {}
    for area in found.areas:
        if area.parent is not None and area.parent not in known:
            below.setdefault(area.parent, []).append(area)
    for code, children in sorted(below.items()):
        level = min(LEVELS.index(Level(area.level)) for area in children) - 1
        named = f"{len(children)} 个区域({'、'.join(area.name for area in children[:3])}…)的上级"
        if code not in names:
            message = (
                f"{named}编码 {code} 不在这些文件里,也不在名称表里,请一并导入、更正或用 --names 给出名称"
            )
            found.report.problems.append(Problem(message, feature=children[0].code))
        elif level < 0:
            found.report.problems.append(Problem(f"{named}“{names[code]}”没有更高的层级可放,请检查编码"))
        else:
            found.areas.append(AreaShape(code, names[code], LEVELS[level], None, None))
            found.report.remarks.append(Problem(f"“{names[code]}”({code})没有边界,由下级区域合成"))
            found.report.count(LEVEL_LABELS[LEVELS[level]])
