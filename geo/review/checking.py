"""The check of a border set: every kind of dirt we know of, with its place, its size and who is concerned."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.borders import LEVELS, AreaShape, Level
from geo.outline import in_china
from geo.reading import BorderFeature, BorderFile, Problem
from geo.review.findings import KINDS, CheckedFile, CheckReport, Finding, level_label
from geo.review.kinship import (
    code_findings,
    label_findings,
    name_findings,
    nesting_findings,
    parent_of,
    tree_findings,
)
from geo.review.partition import partitions
from geo.review.shifting import frame_findings
from geo.review.surfaces import Sheet, gaps, loose_parts, overlaps

Progress = Callable[[str], None]
_NAMED = 5
_OUTLINES = 12  # of a level, enough to see whether its children are shifted as a whole


def check_borders(
    files: Sequence[BorderFile],
    *,
    former: Sequence[AreaShape] = (),
    divisions: Mapping[str, str] | None = None,
    progress: Progress = lambda step: None,
) -> CheckReport:
    """Check some files as one border set.

    `former` are the areas of the generation in force, `divisions` names by 12-digit code. Overlays (features
    with a kind) may overlap as they like and are only checked for validity.
    """
    features = [f for file in files for f in file.features]
    areas = [f for f in features if not f.kind]
    findings: list[Finding] = list(_file_findings(files))
    progress("核对环与坐标")
    findings += _ring_findings(features)
    progress("核对编码、名称与上下级")
    for some in (
        code_findings(areas, divisions),
        name_findings(areas),
        tree_findings(areas),
        label_findings(areas),
    ):
        findings += some
    sheets, filling = _sheets(areas), _filling(areas)
    for level, sheet in sheets.items():
        progress(f"核对{level_label(level)}的重叠与缝隙")
        for some in (overlaps(sheet), gaps(sheet, filling[level]), loose_parts(sheet)):
            findings += some
    progress("核对上下级的覆盖")
    findings += _nesting(areas, sheets)
    progress("核对坐标系")
    findings += _frames(areas, former)
    order = list(KINDS)
    findings.sort(key=lambda f: (order.index(f.kind), -(f.area_m2 or 0.0), f.codes))
    return CheckReport(
        tuple(_summary(file) for file in files),
        {
            level: {"count": len(sheet.codes), "area_m2": round(float(shapely.area(sheet.plane).sum()), 1)}
            for level, sheet in sheets.items()
        },
        tuple(findings),
        _drawn(areas),
    )


def _summary(file: BorderFile) -> CheckedFile:
    columns = {
        m: getattr(file.columns, m) for m in ("code", "name", "parent", "level", "kind", "priority", "label")
    }
    return CheckedFile(
        file.name, file.sha256, str(file.frame), len(file.features), columns, file.columns.guessed
    )


def _drawn(areas: Sequence[BorderFeature]) -> dict[str, dict[str, Any]]:
    shapes: dict[str, dict[str, Any]] = {}
    for area in areas:
        shapes.setdefault(str(area.level or "grid"), {})[area.code or f"#{area.number}"] = area.geometry
    return {str(level): shapes[level] for level in LEVELS if level in shapes}


def _file_findings(files: Sequence[BorderFile]) -> Iterator[Finding]:
    for file in files:
        alike: dict[str, list[Problem]] = {}
        for problem in file.problems:
            alike.setdefault(problem.message, []).append(problem)
        for message, some in alike.items():
            kind = "flattened" if "三维" in message else "swapped" if "写反" in message else "unusable"
            codes = tuple(p.code for p in some if p.code)[:_NAMED]
            yield Finding(kind, f"{file.name}{_which(some)}:{message}。", None, codes)
        for notice in file.notices:
            kind = "no_code" if "认不出编码列" in notice else "read_as"
            yield Finding(kind, f"{file.name}:{notice.rstrip('。')}。")


def _which(problems: Sequence[Problem]) -> str:
    """Which features share a problem."""
    numbers = [p.feature + 1 for p in problems if p.feature is not None]
    if not numbers:
        return ""
    listed = "、".join(str(n) for n in numbers[:_NAMED])
    if len(numbers) == 1:
        return f"第 {listed} 个要素"
    return f"有 {len(numbers)} 个要素(第 {listed}{' 等' if len(numbers) > _NAMED else ''}个)"


def _ring_findings(features: Sequence[BorderFeature]) -> Iterator[Finding]:
    drawn = np.array([f.geometry for f in features], dtype=object)
    for i in np.flatnonzero(~shapely.is_valid(drawn)).tolist() if len(drawn) else []:
        feature, reason = features[i], str(shapely.is_valid_reason(drawn[i]))
        lon, lat = (
            [float(v) for v in reason.split("[")[1].rstrip("]").split()[:2]]
            if "[" in reason
            else (None, None)
        )
        message = f"{_who(feature)}的边界自相交或破损。"
        yield Finding(
            "broken_ring", message, str(feature.level or ""), (feature.code or "",), lon=lon, lat=lat
        )
    for feature in features:
        west, south, east, north = feature.geometry.bounds
        if (
            not in_china(lon=west, lat=south)
            and in_china(lon=south, lat=west)
            and in_china(lon=north, lat=east)
        ):
            yield Finding(
                "swapped", f"{_who(feature)}不在国内,经纬度对调后才在,多半写反了。", None,
                (feature.code or "",),
            )  # fmt: skip


def _who(feature: BorderFeature) -> str:
    return f"{feature.name or '无名'}({feature.code or f'#{feature.number}'})"


def _sheets(areas: Sequence[BorderFeature]) -> dict[str, Sheet]:
    sheets = {}
    for level in LEVELS:
        members = [a for a in areas if a.level == level]
        if members:
            codes = [a.code or f"#{a.number}" for a in members]
            drawn = np.array([a.geometry for a in members], dtype=object)
            sheets[str(level)] = Sheet.of(str(level), codes, [a.name or "无名" for a in members], drawn)
    return sheets


def _filling(areas: Sequence[BorderFeature]) -> dict[str, NDArray[Any]]:
    """By level, the areas of higher levels that none hang on: they cover the ground themselves."""
    tiling = [areas[i] for i in next(iter(partitions(areas)), [])]
    found = {}
    for number, level in enumerate(LEVELS):
        above = [a.geometry for a in tiling if a.level in LEVELS[:number]]
        found[str(level)] = np.array(above, dtype=object)
    return found


def _nesting(areas: Sequence[BorderFeature], sheets: Mapping[str, Sheet]) -> Iterator[Finding]:
    known = {a.code: a for a in areas if a.code}
    by_pair: dict[tuple[Level, Level], list[tuple[int, str]]] = {}
    running: dict[Level, int] = {}
    for area in areas:
        if area.level is None:
            continue
        index = running[area.level] = running.get(area.level, -1) + 1
        parent = known.get(parent_of(area, known) or "")
        if parent is not None and parent.level is not None and parent is not area:
            by_pair.setdefault((area.level, parent.level), []).append((index, parent.code or ""))
    for (level, above), members in by_pair.items():
        if LEVELS.index(above) < LEVELS.index(level):
            codes: list[str | None] = [None] * len(sheets[str(level)].codes)
            for index, code in members:
                codes[index] = code
            upper = sheets[str(above)]
            if upper.epsg != sheets[str(level)].epsg:
                continue
            yield from nesting_findings(sheets[str(level)], upper, codes)


def _frames(areas: Sequence[BorderFeature], former: Sequence[AreaShape]) -> Iterator[Finding]:
    mine = {a.code: a.geometry for a in areas if a.code}
    before = {a.code: a.geometry for a in former if a.geometry is not None}
    if before:
        yield from frame_findings(mine, before, against="现行边界")
    known = {a.code: a for a in areas if a.code}
    children: dict[str, dict[str, list[Any]]] = {}
    for area in areas:
        above = parent_of(area, known)
        if above in known and above != area.code:
            children.setdefault(str(known[above].level), {}).setdefault(above, []).append(area.geometry)
    for level, of_level in children.items():
        sums = {
            code: shapely.union_all(shapely.make_valid(np.array(drawn, dtype=object)))
            for code, drawn in list(of_level.items())[:_OUTLINES]
        }
        yield from frame_findings(sums, mine, against=f"{level_label(level)}轮廓")
