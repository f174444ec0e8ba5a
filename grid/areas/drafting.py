"""A draft made from the borders in force by one change by hand: split, merge, redraw."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import shapely
from sqlmodel import Session

from geo.borders import AreaShape
from grid.areas import generations, redrawing
from grid.areas.generations import NewGeneration
from grid.database import Database
from grid.errors import InputError
from grid.models import Generation
from grid.permissions import Actor

Work = Callable[[Session, Sequence[AreaShape]], list[AreaShape]]


def split(code: str, line: str, names: Sequence[str]) -> Work:
    """Cut a grid along a line into grids of these names, from west to east, with fresh codes."""
    drawn = shapely.LineString(read_points(line, least=2))

    def work(session: Session, areas: Sequence[AreaShape]) -> list[AreaShape]:
        codes = redrawing.next_codes(session, _parent(areas, code), len(names))
        return redrawing.split(areas, code, drawn, list(zip(codes, names, strict=True)))

    return work


def merge(codes: Sequence[str], name: str) -> Work:
    """Make one grid of several, with a fresh code."""

    def work(session: Session, areas: Sequence[AreaShape]) -> list[AreaShape]:
        (fresh,) = redrawing.next_codes(session, _parent(areas, codes[0]), 1)
        return redrawing.merge(areas, codes, fresh, name)

    return work


def redraw(code: str, ground: str) -> Work:
    """Give the ground inside a polygon to a grid."""
    polygon = shapely.Polygon(read_points(ground, least=3))
    if not polygon.is_valid:
        raise InputError("画出的范围自己和自己相交,请重新画", {"points": "线不能交叉"})
    return lambda _, areas: redrawing.give(areas, code, polygon)


def draft(
    database: Database,
    instance_path: Path,
    label: str,
    work: Work,
    actor: Actor | None,
    now: datetime,
    ask: Callable[[], object] = lambda: None,
) -> Generation:
    """Store the changed set as a draft; no other version may have this label.

    `ask` asks for the index of a large set; it is built without being asked for as well, only later.
    """

    def store(session: Session) -> Generation:
        active = generations.active_generation(session)
        if active is None or active.id is None:
            raise InputError("还没有启用的边界,请先导入")
        shapes = work(session, generations.areas_of(session, active.id))
        overlays = generations.overlays_of(session, active.id)
        new = NewGeneration(label, shapes, overlays, synthetic=active.synthetic)
        return generations.create_draft(session, new, actor, now)

    made = database.write(store)
    generations.index_soon(database, made.id or 0, instance_path, ask)
    return made


def read_points(text: str, *, least: int) -> list[tuple[float, float]]:
    """`lon,lat;lon,lat;…` in WGS-84."""
    try:
        found = [
            (float(a), float(b)) for a, b in (pair.split(",") for pair in text.split(";") if pair.strip())
        ]
    except ValueError:
        raise InputError("点应写成 经度,纬度;经度,纬度;…(WGS-84)", {"points": "格式不对"}) from None
    if len(found) < least:
        raise InputError(f"至少要 {least} 个点,请在地图上依次点出", {"points": "点太少"})
    return found


def _parent(areas: Sequence[AreaShape], code: str) -> str:
    old = next((area for area in areas if area.code == code), None)
    if old is None:
        raise InputError(f"现行边界里没有编码 {code}", {"code": "没有这个编码"})
    return old.parent or code
