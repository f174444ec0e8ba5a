"""Which column is the code, the name, the parent: given, or guessed from names in use and shown."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from geo.borders import Level

_KNOWN: dict[str, tuple[str, ...]] = {
    "code": ("code", "编码", "网格编码", "区划代码", "代码", "grid_code", "gridcode", "bm", "wgbm",
             "xzqdm", "adcode", "区划编码", "统计代码", "dm", "bianma"),
    "name": ("name", "名称", "网格名称", "区划名称", "mc", "wgmc", "xzqmc", "grid_name", "gridname",
             "fullname"),
    "parent": ("parent", "parentcode", "parent_code", "上级编码", "上级", "上级代码", "所属社区编码",
               "sjbm", "pcode", "parentid", "sssq"),
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


def choose_columns(given: Mapping[str, str] | None, seen: Iterable[str]) -> Columns:
    """The given columns, and a guess for the rest among those the file has."""
    folded = {name.strip().lower(): name for name in reversed(list(seen))}
    chosen: dict[str, str] = dict(given or {})
    guessed = []
    for meaning, names in _KNOWN.items():
        if meaning not in chosen:
            found = next((folded[n] for n in names if n in folded), None)
            if found is not None:
                chosen[meaning] = found
                guessed.append(meaning)
    return Columns(**chosen, guessed=tuple(guessed))


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
