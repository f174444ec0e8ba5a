"""Boundary files to one border set: every feature checked, nothing accepted unless all is right."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import shapely

from geo.borders import LEVEL_LABELS, LEVELS, AreaShape, Level, OverlayShape
from geo.errors import GeoError
from geo.frames import Frame
from geo.reading import BorderFile, read_borders
from geo.review.checking import check_borders
from geo.review.findings import ERROR, KINDS
from geo.review.kinship import parent_of
from geo.zones import checked_system
from grid.importing.report import ImportReport, Problem

LONGEST_CODE = 32
EXAMPLES = 3
OWN_KINDS = frozenset({"parent_missing", "outline_missing"})  # judged here, where the list of names is known


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
    try:
        system = checked_system(frame)
    except GeoError as error:
        found.report.problems.append(Problem(str(error)))
        return found
    files = [file for path in paths if (file := _read(path, system, level, found.report)) is not None]
    return _gather(files, found, names or {})


def border_set(files: Sequence[BorderFile], names: Mapping[str, str] | None = None) -> BorderImport:
    """The same of files that were read already, mended or not."""
    return _gather(files, BorderImport(ImportReport("边界")), names or {})


def _gather(files: Sequence[BorderFile], found: BorderImport, names: Mapping[str, str]) -> BorderImport:
    found.checksums = [file.sha256 for file in files]
    found.report.count("文件", len(files))
    _report_findings(files, found.report)
    _take(files, found)
    _add_missing_parents(found, names)
    if not found.areas and found.report.is_right:
        found.report.problems.append(Problem("文件里没有一个区域,请检查文件和层级"))
    return found


def read_names(rows: Iterable[tuple[str, str]]) -> dict[str, str]:
    """A list of division codes as `names`: 6- and 9-digit codes also in their 12-digit spelling."""
    names: dict[str, str] = {}
    for code, name in rows:
        names[code] = name
        if code.isdigit() and len(code) < 12:
            names.setdefault(code.ljust(12, "0"), name)
    return names


def _read(path: Path, frame: Frame | int, level: str | None, report: ImportReport) -> BorderFile | None:
    try:
        file = read_borders(path, frame=frame, level=level)
    except (GeoError, ValueError) as error:
        report.problems.append(Problem(str(error)))
        return None
    report.remarks += [Problem(notice, file=file.name) for notice in file.notices]
    return file


def _report_findings(files: Sequence[BorderFile], report: ImportReport) -> None:
    """What the check of the whole set found: errors one by one, the rest by kind with some examples."""
    where: dict[str, list[str]] = {}
    for file in files:
        for code in file.codes:
            if code and file.name not in where.setdefault(code, []):
                where[code].append(file.name)
    shown: dict[str, int] = {}
    for finding in check_borders(files).findings:
        if finding.kind in OWN_KINDS:
            continue
        code = finding.codes[0] if finding.codes else None
        told = Problem(finding.message, file="、".join(where.get(code or "", ())) or None, feature=code)
        if finding.severity == ERROR:
            report.problems.append(told)
            continue
        shown[finding.kind] = shown.get(finding.kind, 0) + 1
        if shown[finding.kind] <= EXAMPLES:
            report.remarks.append(told)
    for kind, number in shown.items():
        if number > EXAMPLES:
            report.remarks.append(Problem(f"另有 {number - EXAMPLES} 处{KINDS[kind][0]}"))


def _take(files: Sequence[BorderFile], found: BorderImport) -> None:
    known = {f.code: f for file in files for f in file.features if f.code}
    for feature in known.values():
        code, name = str(feature.code), feature.name or str(feature.code)
        if len(code) > LONGEST_CODE or shapely.area(feature.geometry) == 0:
            message = f"编码超过 {LONGEST_CODE} 个字符" if len(code) > LONGEST_CODE else "面积为零,请补画边界"
            found.report.problems.append(Problem(message, feature=code[:40]))
        elif feature.kind:
            shape = OverlayShape(code, name, feature.kind, feature.priority, feature.geometry)
            found.overlays.append(shape)
            found.report.count("叠加面")
        elif feature.level is not None:
            above = parent_of(feature, known)
            found.areas.append(AreaShape(code, name, feature.level, above, feature.geometry))
            found.report.count(LEVEL_LABELS[feature.level])


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
            message = f"{named}编码 {code} 不在这些文件里,也不在名称表里,请一并导入、更正或在名称表里补上"
            found.report.problems.append(Problem(message, feature=children[0].code))
        elif level < 0:
            found.report.problems.append(Problem(f"{named}“{names[code]}”没有更高的层级可放,请检查编码"))
        else:
            found.areas.append(AreaShape(code, names[code], LEVELS[level], None, None))
            found.report.remarks.append(Problem(f"“{names[code]}”({code})没有边界,由下级区域合成"))
            found.report.count(LEVEL_LABELS[LEVELS[level]])
