"""Which column is the code, the name, the parent: given, or guessed from names in use and shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from geo.borders import Level

_KNOWN: dict[str, tuple[str, ...]] = {
    "code": ("code", "编码", "网格编码", "区划代码", "代码", "grid_code", "gridcode", "bm", "wgbm",
             "xzqdm", "adcode", "区划编码", "统计代码", "dm", "bianma", "行政区划代码", "行政代码", "街道代码",
             "社区代码", "社区编码", "网格代码", "网格编号", "编号"),
    "name": ("name", "名称", "网格名称", "区划名称", "mc", "wgmc", "xzqmc", "grid_name", "gridname",
             "fullname", "街道名称", "社区名称", "街道名", "社区名", "网格名", "区县名称"),
    "parent": ("parent", "parentcode", "parent_code", "上级编码", "上级", "上级代码", "所属社区编码",
               "sjbm", "pcode", "parentid", "sssq", "上级区划代码", "所属街道编码", "所属区县代码"),
    "level": ("level", "层级", "级别"),
    "kind": ("kind", "类型"),
    "priority": ("priority", "优先级"),
    "label": ("labelpoint", "label_point", "label", "标注点"),
}  # fmt: skip


@dataclass(frozen=True)
class Columns:
    """Column of each meaning, None where there is none; `guessed` says which were not given."""

    code: str | None = None
    name: str | None = None
    parent: str | None = None
    level: str | None = None
    kind: str | None = None
    priority: str | None = None
    label: str | None = None
    guessed: tuple[str, ...] = ()


def choose_columns(given: Mapping[str, str] | None, rows: Sequence[Mapping[str, Any]]) -> Columns:
    """The given columns, and a guess for the rest: by the names in use, then by what stands in them."""
    seen = dict.fromkeys(key for row in rows for key in row if isinstance(key, str))
    folded = {name.strip().lower(): name for name in reversed(list(seen))}
    chosen: dict[str, str] = dict(given or {})
    guessed = []
    for meaning, names in _KNOWN.items():
        if meaning not in chosen:
            found = next((folded[n] for n in names if n in folded), None)
            if found is None and meaning in _BY_CONTENT:
                free = [name for name in seen if name not in chosen.values()]
                found = _by_content(meaning, free, chosen, rows)
            if found is not None:
                chosen[meaning] = found
                guessed.append(meaning)
    return Columns(**chosen, guessed=tuple(guessed))


def no_code_column(rows: Sequence[Mapping[str, Any]]) -> str:
    """What to say when no column looks like a code."""
    seen = list(dict.fromkeys(str(key)[:40] for row in rows for key in row))
    listed = "、".join(seen[:12]) or "没有任何列"
    return f"认不出编码列(文件里有:{listed}),请指出哪一列是编码,或先补上编码。"


_BY_CONTENT = ("code", "name", "parent")


def _by_content(
    meaning: str, free: Sequence[str], chosen: Mapping[str, str], rows: Sequence[Mapping[str, Any]]
) -> str | None:
    """The first column in which every row has what the meaning asks for."""
    if not rows:
        return None
    codes = [as_text(row.get(chosen["code"]), limit=40) or "" for row in rows] if "code" in chosen else []
    for column in free:
        cells = [as_text(row.get(column), limit=40) or "" for row in rows]
        if meaning == "code":
            fits = len(set(cells)) == len(cells) and all(level_of_code(cell) for cell in cells)
        elif meaning == "parent":
            fits = bool(codes) and all(_is_above(a, c) for a, c in zip(cells, codes, strict=True))
        else:
            fits = all(any("\u4e00" <= sign <= "\u9fff" for sign in cell) for cell in cells)
            fits = fits and (len(set(cells)) > len(cells) / 2 or len(free) == 1)
        if fits:
            return column
    return None


def _is_above(code: str, below: str) -> bool:
    """Whether one code is the beginning of another that goes on."""
    stem = code.rstrip("0") if len(code) == 12 else code
    return level_of_code(code) is not None and code != below and len(stem) >= 2 and below.startswith(stem)


def as_text(value: Any, *, limit: int) -> str | None:
    """A cell as trimmed text; whole floats lose their `.0`, empty is None."""
    if value is None or isinstance(value, bool | list | dict):
        return None
    if isinstance(value, float):
        if value != value:
            return None
        value = int(value) if value.is_integer() else value
    text = " ".join(str(value)[: limit * 2].split())[:limit]
    return text or None


def level_of_code(code: str | None) -> Level | None:
    """Level that a division or grid code speaks of (12 digits padded, or 6, 9, 14, 15 and more)."""
    if code is None or not (code.isascii() and code.isdigit()):
        return None
    if len(code) == 12:
        for zeros, level in (("00000000", Level.CITY), ("000000", Level.DISTRICT), ("000", Level.STREET)):
            if code.endswith(zeros):
                return level
        return Level.COMMUNITY
    if len(code) > 15:
        return Level.UNIT
    return {4: Level.CITY, 6: Level.DISTRICT, 9: Level.STREET, 14: Level.GRID, 15: Level.GRID}.get(len(code))


def label_point(value: Any) -> tuple[float, float] | None:
    """A pair of numbers as it stands, in whatever order it was written."""
    if isinstance(value, list) and len(value) == 2 and all(type(v) in (int, float) for v in value):
        return float(value[0]), float(value[1])
    return None
