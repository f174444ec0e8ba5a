"""Who belongs to whom: missing parents, missing levels, children outside, parents not covered, codes, names."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import shapely

from geo.borders import LEVELS, Level
from geo.reading import BorderFeature
from geo.review.findings import Finding, level_label
from geo.review.surfaces import Sheet, polygonal, united, width_m

_LEAST_M2 = 1.0
_FORMATS = {
    Level.CITY: r"\d{4}0{8}|\d{4}|\d{6}",
    Level.DISTRICT: r"\d{6}(0{6})?",
    Level.STREET: r"\d{6}(?!000)\d{3}(000)?",
    Level.COMMUNITY: r"\d{6}(?!000)\d{3}(?!000)\d{3}",
    Level.GRID: r"\d{6}\d{3}\d{3}(?!000)\d{3}|\d{12}(?!00)\d{2}",
    Level.UNIT: r"\d{12}\d{2,8}",
}
_CODE_LENGTH = {Level.CITY: 4, Level.DISTRICT: 6, Level.STREET: 9, Level.COMMUNITY: 12}


def padded(code: str) -> str:
    """A division code in its 12-digit form."""
    return code.ljust(12, "0") if code.isdigit() and len(code) < 12 else code


def parent_of(feature: BorderFeature, known: Mapping[str, BorderFeature]) -> str | None:
    """The parent's code as the set knows it: given, or the longest known code that its own digits name."""
    if feature.parent:
        return feature.parent if feature.parent in known else padded(feature.parent)
    code = feature.code or ""
    for cut in (12, 9, 6, 4):
        above = padded(code[:cut])
        if len(code) >= cut and above != code and above in known:
            return above
    return None


def tree_findings(features: Sequence[BorderFeature]) -> Iterator[Finding]:
    """Parents that are missing and levels that are skipped."""
    known = {f.code: f for f in features if f.code}
    levels = sorted({f.level for f in features if f.level}, key=LEVELS.index)
    absent: dict[tuple[Level, str], list[str]] = defaultdict(list)
    outlines_missing: dict[str, list[str]] = defaultdict(list)
    for feature in features:
        if not feature.code or not feature.level:
            continue
        above = parent_of(feature, known)
        if above is None and feature.parent is None:
            continue
        parent = known.get(above or "")
        if parent is None:
            target = outlines_missing if feature.level == levels[0] or _level_absent(above, known) else absent
            key = above or ""
            if target is outlines_missing:
                outlines_missing[key].append(feature.code)
            else:
                absent[feature.level, key].append(feature.code)
    for code, children in outlines_missing.items():
        yield Finding(
            "outline_missing", f"上级 {code} 没有边界文件,{len(children)} 个下级只能互相核对。", None, (code,)
        )
    for (level, code), children in absent.items():
        message = f"上级 {code} 不在这批文件里,涉及 {len(children)} 个{level_label(level)}。"
        yield Finding("parent_missing", message, str(level), (code, *children[:5]))
    yield from _skipped_levels(features, known)


def _level_absent(code: str | None, known: Mapping[str, BorderFeature]) -> bool:
    """Whether an outline is merely not given: its siblings or its own children are all that is there."""
    return bool(code) and code not in known and code is not None and code.endswith("000")


def _skipped_levels(
    features: Sequence[BorderFeature], known: Mapping[str, BorderFeature]
) -> Iterator[Finding]:
    skipped: dict[tuple[str, str], list[str]] = defaultdict(list)
    for feature in features:
        parent = known.get(parent_of(feature, known) or "")
        if parent is None or not feature.level or not parent.level or not feature.code:
            continue
        for level in LEVELS[LEVELS.index(parent.level) + 1 : LEVELS.index(feature.level)]:
            skipped[str(level), str(feature.level)].append(feature.code)
    for (above, below), codes in skipped.items():
        message = f"{len(codes)} 个{level_label(below)}之上没有{level_label(above)}这一级(如三亚、东莞),按缺级处理。"
        yield Finding("level_missing", message, above, tuple(codes[:5]))


def nesting_findings(
    children: Sheet, parents: Sheet, parent_codes: Sequence[str | None]
) -> Iterator[Finding]:
    """Children that reach outside their parent, and ground of the parent that no child covers."""
    place = {code: i for i, code in enumerate(parents.codes)}
    members: dict[int, list[int]] = defaultdict(list)
    for i, code in enumerate(parent_codes):
        if code in place:
            members[place[code]].append(i)
    for p, inside in sorted(members.items()):
        whole = parents.plane[p]
        drawn = children.plane[inside]
        together = united(drawn, clean=children.clean)
        if shapely.equals_exact(together, whole, tolerance=0.01, normalize=True):
            continue
        astray = shapely.area(shapely.difference(together, whole)) >= _LEAST_M2
        outside = polygonal(shapely.difference(drawn, whole)) if astray else ()
        for i, beyond in zip(inside, outside, strict=False):
            if beyond.area >= _LEAST_M2 and width_m(beyond) > 0.02:
                share = beyond.area / children.plane[i].area
                message = (
                    f"{children.who(i)}超出上级{parents.who(p)} {beyond.area:,.1f} 平方米({share:.1%})。"
                )
                yield children.finding(
                    "outside_parent", message, (children.codes[i], parents.codes[p]), beyond
                )
        rest = polygonal(shapely.difference(whole, together))[0]
        if rest.area >= _LEAST_M2 and width_m(rest) > 0.02:
            message = (
                f"{parents.who(p)}有 {rest.area:,.1f} 平方米({rest.area / whole.area:.2%})没有下级覆盖。"
            )
            yield parents.finding("parent_not_covered", message, (parents.codes[p],), rest)


def code_findings(
    features: Sequence[BorderFeature], divisions: Mapping[str, str] | None
) -> Iterator[Finding]:
    """Codes doubled, misshapen, or not what the division table says."""
    seen: dict[str, int] = defaultdict(int)
    for feature in features:
        seen[feature.code or ""] += 1
    for written, count in seen.items():
        if not written:
            yield Finding("no_code", f"有 {count} 个要素没有编码,请补上;列名特别的请指出哪一列是编码。")
        elif count > 1:
            message = f"编码 {written} 出现 {count} 次,编码必须唯一。"
            yield Finding("duplicate_code", message, None, (written,))
    for feature in features:
        code, level = feature.code, feature.level
        if not code:
            continue
        if level is None:
            yield Finding("no_level", f"{feature.name}({code})的层级无法从编码看出,请指定。", None, (code,))
            continue
        if not re.fullmatch(_FORMATS[level], code):
            yield Finding(
                "code_format",
                f"{feature.name}的编码 {code} 不符合{level_label(level)}编码格式。",
                str(level),
                (code,),
            )
        elif divisions:
            yield from _against_table(feature, code, level, divisions)


def _against_table(
    feature: BorderFeature, code: str, level: Level, divisions: Mapping[str, str]
) -> Iterator[Finding]:
    digits = _CODE_LENGTH.get(level, 12)
    official = padded(code[:digits])
    if official not in divisions:
        if official[:6].ljust(12, "0") in divisions and (digits <= 9 or official[:9] + "000" in divisions):
            message = f"{feature.name}的编码 {code} 不在区划表里,可能已撤并。"
            yield Finding("code_unknown", message, str(level), (code,))
        return
    name = divisions[official]
    if level in _CODE_LENGTH and feature.name and not _same_name(feature.name, name):
        yield Finding(
            "name_differs", f"{code} 在文件里叫“{feature.name}”,区划表里叫“{name}”。", str(level), (code,)
        )


def _same_name(one: str, other: str) -> bool:
    def bare(name: str) -> str:
        return re.sub(r"(街道办事处|街道|地区办事处|地区|居委会|村委会|社区|镇|乡|区|县|市)$", "", name)

    return one == other or bare(bare(one)) == bare(bare(other))


def name_findings(features: Sequence[BorderFeature]) -> Iterator[Finding]:
    """Names carried by more than one area of a level: legal, and a trap for whoever joins by name."""
    named: dict[tuple[str, str], list[str]] = defaultdict(list)
    for feature in features:
        if feature.name and feature.level and feature.code:
            named[str(feature.level), feature.name].append(feature.code)
    for (level, name), codes in named.items():
        if len(codes) > 1:
            yield Finding(
                "name_repeats",
                f"{len(codes)} 个{level_label(level)}都叫“{name}”,请以编码为准。",
                level,
                tuple(codes),
            )


def label_findings(features: Sequence[BorderFeature]) -> Iterator[Finding]:
    """Label points written the wrong way round, and those outside their own area."""
    turned: list[str] = []
    for feature in features:
        if feature.label is None or not feature.code:
            continue
        a, b = feature.label
        straight, swapped = shapely.Point(a, b), shapely.Point(b, a)
        if np.isfinite([a, b]).all():
            distance = shapely.distance(feature.geometry, [straight, swapped])
            if distance[1] < distance[0]:
                turned.append(feature.code)
            label = swapped if distance[1] < distance[0] else straight
            if distance.min() > 0 and not _covers(feature.geometry, label):
                yield Finding(
                    "label_outside", f"{feature.name}({feature.code})的标注点在界外。", str(feature.level),
                    (feature.code,), None, None, round(label.x, 6), round(label.y, 6),
                )  # fmt: skip
    if turned:
        yield Finding(
            "label_swapped", f"{len(turned)} 个标注点写成了(纬度、经度)顺序,只影响标注,已按正确顺序核对。",
            None, tuple(turned[:5]),
        )  # fmt: skip


def _covers(geometry: Any, point: Any) -> bool:
    try:
        return bool(shapely.covers(geometry, point))
    except shapely.GEOSException:
        return bool(shapely.covers(shapely.make_valid(geometry), point))
