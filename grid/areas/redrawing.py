"""A border set changed by hand: an area split along a line, areas merged, ground given from one to another.

Every change is worked out on the finest areas; what lies above is put together from them again. Where a new line
ends on an old border, its neighbours get the same corner, so that the set tiles as cleanly as before.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import shapely
from shapely.ops import split as split_along
from sqlmodel import Session, col, select

from geo.borders import LEVELS, AreaShape, Level
from grid.errors import InputError
from grid.models import Area

STEP_DEGREES = 1e-7  # the lattice of the index
REACH_DEGREES = 3e-7
SERIAL_DIGITS = 3


def split(
    areas: Sequence[AreaShape], code: str, line: Any, parts: Sequence[tuple[str, str]]
) -> list[AreaShape]:
    """Cut an area along a line that crosses it; `parts` are codes and names, from west to east.

    Raises
    ------
    InputError
        There is no such area, it is not one of the finest, or the line does not cut it into that many parts.
    """
    old = _finest(areas, code)
    pieces = [piece for piece in split_along(old.geometry, line).geoms if piece.area > STEP_DEGREES**2 * 100]
    if len(pieces) != len(parts):
        raise InputError(
            f"这条线把“{old.name}”分成了 {len(pieces)} 块,而给出的是 {len(parts)} 个网格;"
            "请让线从一侧边界穿到另一侧,并给出同样多的编码和名称",
            {"line": "与网格数不一致"},
        )
    made = [
        AreaShape(new, name, old.level, old.parent, _on_lattice(piece))
        for (new, name), piece in zip(parts, west_to_east(pieces), strict=True)
    ]
    return _changed(areas, {code}, made)


def west_to_east(pieces: Iterable[Any]) -> list[Any]:
    """The parts of a cut in the order in which they are named."""
    return sorted(pieces, key=lambda piece: (round(piece.centroid.x, 7), -piece.centroid.y))


def merge(areas: Sequence[AreaShape], codes: Sequence[str], code: str, name: str) -> list[AreaShape]:
    """Make one area of several that touch.

    Raises
    ------
    InputError
        Fewer than two, of different parents, or not touching.
    """
    old = [_finest(areas, one) for one in dict.fromkeys(codes)]
    if len(old) < 2 or len({(one.parent, one.level) for one in old}) != 1:
        raise InputError("请选择同一上级下的至少两个网格来合并", {"codes": "不能合并"})
    whole = shapely.union_all([one.geometry for one in old])
    if whole.geom_type != "Polygon":
        raise InputError("这些网格不相邻,不能合并成一个", {"codes": "不相邻"})
    made = AreaShape(code, name, old[0].level, old[0].parent, _on_lattice(whole))
    return _changed(areas, {one.code for one in old}, [made])


def give(areas: Sequence[AreaShape], code: str, ground: Any) -> list[AreaShape]:
    """Redraw: the ground inside a polygon now belongs to this area, whoever had it; codes stay.

    Raises
    ------
    InputError
        The ground is nobody's, or it would leave nothing of another area.
    """
    taker = _finest(areas, code)
    leaves = _leaves(areas)
    touched: list[Any] = [
        a for a in leaves if a.code != code and shapely.area(a.geometry.intersection(ground)) > 0
    ]
    if not touched:
        raise InputError("画出的范围里没有别的网格的地,边界没有变化", {"ground": "没有变化"})
    pieces = [a.geometry.intersection(ground) for a in touched]
    made = [replace(taker, geometry=_on_lattice(shapely.union_all([taker.geometry, *pieces])))]
    for area in touched:
        rest = _on_lattice(area.geometry.difference(ground))
        if rest.is_empty or rest.area <= STEP_DEGREES**2 * 100:
            raise InputError(f"“{area.name}”会什么都不剩,请改用合并", {"ground": "范围太大"})
        made.append(replace(area, geometry=rest))
    return _changed(areas, {code, *(a.code for a in touched)}, made)


def next_codes(session: Session, parent_code: str, number: int) -> list[str]:
    """Codes below an area that no generation has ever used."""
    used = session.exec(
        select(Area.code).where(col(Area.code).startswith(parent_code, autoescape=True))
    ).all()
    serials = [
        int(code[len(parent_code) :])
        for code in used
        if len(code) == len(parent_code) + SERIAL_DIGITS and code[len(parent_code) :].isdigit()
    ]
    first = max(serials, default=0) + 1
    if first + number > 10**SERIAL_DIGITS:
        raise InputError(f"{parent_code} 下的顺序码用完了(最多 999),请先整理编码")
    return [f"{parent_code}{serial:0{SERIAL_DIGITS}d}" for serial in range(first, first + number)]


def _leaves(areas: Iterable[AreaShape]) -> list[Any]:
    known = list(areas)
    parents = {area.parent for area in known}
    return [area for area in known if area.code not in parents]


def _finest(areas: Sequence[AreaShape], code: str) -> Any:
    for area in _leaves(areas):
        if area.code == code:
            return area
    if any(area.code == code for area in areas):
        raise InputError(f"{code} 下面还有网格,请改下面的网格,上级会自动重算", {"code": "不是末级"})
    raise InputError(f"现行边界里没有编码 {code}", {"code": "没有这个编码"})


def _changed(areas: Sequence[AreaShape], gone: set[str], made: Sequence[AreaShape]) -> list[AreaShape]:
    """The set with the changed areas in it: corners shared with the neighbours, uppers to be put together anew."""
    corners = shapely.multipoints(
        np.unique(np.vstack([shapely.get_coordinates(a.geometry) for a in made]), axis=0)
    )
    around = shapely.union_all([a.geometry for a in made]).buffer(REACH_DEGREES)
    uppers = {area.parent for area in areas}
    out = []
    for area in areas:
        if area.code in gone:
            continue
        if area.code in uppers:
            out.append(replace(area, geometry=None))
        elif shapely.intersects(area.geometry, around):
            out.append(replace(area, geometry=_with_corners(area.geometry, corners)))
        else:
            out.append(area)
    out += made
    return sorted(out, key=lambda a: (LEVELS.index(Level(a.level)), a.code))


def _with_corners(geometry: Any, corners: Any) -> Any:
    """The same area with the corners that lie on its border as corners of its own."""
    near = shapely.intersection(corners, geometry.boundary.buffer(REACH_DEGREES))
    return geometry if near.is_empty else shapely.snap(geometry, near, REACH_DEGREES)


def _on_lattice(geometry: Any) -> Any:
    return shapely.transform(geometry, lambda xy: np.round(xy / STEP_DEGREES) * STEP_DEGREES)
