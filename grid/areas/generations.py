"""Dated versions of the whole area set: drafted, indexed, made active at an instant, kept for ever.

The index file in `instance/` is made from the rows and can be made again wherever it is missing.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import shapely
from sqlmodel import Session, col, func, select

from geo.borders import AreaShape, Level, OverlayShape, build_index, checked_areas
from geo.errors import GeoError
from geo.zones import square_metres
from grid.auditing import record_change, values_of
from grid.database import Database
from grid.errors import InputError, NotFound
from grid.models import Area, Generation, GenerationState, OverlayArea
from grid.permissions import Actor

INDEX_FOLDER = "borders"
MOST_AT_ONCE = 2_000  # areas whose index takes less than a second


@dataclass(frozen=True)
class NewGeneration:
    """A complete border set; areas without a geometry are the sum of those below them."""

    label: str
    areas: Sequence[AreaShape]
    overlays: Sequence[OverlayShape] = ()
    source: str | None = None
    synthetic: bool = False


def create_draft(session: Session, new: NewGeneration, actor: Actor | None, now: datetime) -> Generation:
    """Store a border set as a draft.

    Raises
    ------
    InputError
        Doubled codes, unknown parents, levels in the wrong order.
    """
    if session.exec(select(Generation).where(Generation.label == new.label)).first() is not None:
        raise InputError(f"已有名为“{new.label}”的边界版本,请换一个名称", {"label": "已被使用"})
    try:
        parents = checked_areas(list(new.areas))
    except GeoError as error:
        raise InputError(str(error)) from error
    reused = retired_codes(session) & {area.code for area in new.areas}
    if reused:
        raise InputError(f"编码 {listed(reused)} 已在以前的边界版本中作废,作废的编码永不复用,请换新的顺序码")
    drawn = _drawn(new.areas, parents)
    blobs = [bytes(blob) for blob in shapely.to_wkb(drawn)]
    overlay_blobs = [bytes(shapely.to_wkb(overlay.geometry)) for overlay in new.overlays]
    generation = Generation(
        label=new.label,
        state=GenerationState.DRAFT,
        synthetic=new.synthetic,
        source=new.source,
        checksum=_checksum([*blobs, *overlay_blobs]),
        created_at=now,
    )
    session.add(generation)
    session.flush()
    assert generation.id is not None
    sizes = square_metres(drawn)
    for area, blob, size in zip(new.areas, blobs, sizes, strict=True):
        session.add(
            Area(
                generation_id=generation.id,
                code=area.code,
                name=area.name,
                level=Level(area.level),
                parent_code=area.parent,
                wkb=blob,
                area_m2=round(float(size), 1),
            )
        )
    for overlay, blob in zip(new.overlays, overlay_blobs, strict=True):
        session.add(
            OverlayArea(
                generation_id=generation.id,
                code=overlay.code,
                name=overlay.name,
                kind=overlay.kind,
                priority=overlay.priority,
                wkb=blob,
            )
        )
    summary = {**values_of(generation), "areas": len(new.areas), "overlays": len(new.overlays)}
    record_change(session, actor, "generation", new.label, "draft", after=summary, now=now)
    return generation


def write_index(database: Database, generation_id: int, instance_path: Path) -> Path:
    """Build the generation's index file from its rows; runs outside a write transaction, it may take seconds."""
    with database.reading() as session:
        generation = session.get(Generation, generation_id)
        if generation is None:
            raise NotFound(f"没有编号为 {generation_id} 的边界版本")
        areas, overlays = areas_of(session, generation_id), overlays_of(session, generation_id)
    name = f"{INDEX_FOLDER}/{generation_id}-{(generation.checksum or '')[:12]}.index"
    _build(areas, overlays, instance_path / name, generation_id)
    if generation.index_file != name:
        database.write(lambda session: _set_index_file(session, generation_id, name))
    return instance_path / name


def index_here(session: Session, generation: Generation, instance_path: Path) -> Path | None:
    """The index file of a generation that has one; made from the rows where this machine has not got it yet."""
    if generation.index_file is None or generation.id is None:
        return None
    path = instance_path / generation.index_file
    if not path.exists():
        _build(areas_of(session, generation.id), overlays_of(session, generation.id), path, generation.id)
    return path


def _build(areas: list[AreaShape], overlays: list[OverlayShape], path: Path, generation_id: int) -> None:
    try:
        build_index(areas, overlays, path, generation=str(generation_id))
    except GeoError as error:
        raise InputError(str(error)) from error


def index_soon(
    database: Database, generation_id: int, instance_path: Path, ask: Callable[[], object]
) -> None:
    """The index of a new draft: a small one at once, a large one by whoever takes the work that `ask` asks for."""
    with database.reading() as session:
        areas = select(func.count()).select_from(Area).where(Area.generation_id == generation_id)
        large = session.exec(areas).one() > MOST_AT_ONCE
    if large:
        ask()
    else:
        write_index(database, generation_id, instance_path)


def without_index(session: Session) -> list[int]:
    """Drafts that still wait for their index."""
    query = select(col(Generation.id)).where(
        Generation.state == GenerationState.DRAFT, col(Generation.index_file).is_(None)
    )
    return [found for found in session.exec(query.order_by(col(Generation.id))) if found is not None]


def ensure_index(database: Database, instance_path: Path) -> Path | None:
    """The active generation's index, made anew where this machine has not got it; None without a generation."""
    with database.reading() as session:
        generation = active_generation(session)
    if generation is None or generation.id is None:
        return None
    if generation.index_file and (instance_path / generation.index_file).exists():
        return instance_path / generation.index_file
    return write_index(database, generation.id, instance_path)


def retired_codes(session: Session) -> set[str]:
    """Codes that some generation in force had once and the present one has no more: they are never used again."""
    active = active_generation(session)
    if active is None:
        return set()
    past = select(Area.code).join(Generation, col(Generation.id) == col(Area.generation_id))
    once = set(session.exec(past.where(Generation.state == GenerationState.RETIRED).distinct()).all())
    return once - set(session.exec(select(Area.code).where(Area.generation_id == active.id)).all())


def listed(codes: Iterable[str]) -> str:
    """The first few of them, for a sentence."""
    known = sorted(codes)
    return "、".join(known[:5]) + ("…" if len(known) > 5 else "")


def active_generation(session: Session) -> Generation | None:
    """The generation in force."""
    return session.exec(select(Generation).where(Generation.state == GenerationState.ACTIVE)).one_or_none()


def last_with(session: Session, code: str) -> int | None:
    """The retired generation that had this code last."""
    query = (
        select(Generation.id)
        .join(Area, col(Area.generation_id) == col(Generation.id))
        .where(Area.code == code, Generation.state == GenerationState.RETIRED)
        .order_by(col(Generation.active_to).desc(), col(Generation.id).desc())
    )
    return session.exec(query.limit(1)).first()


def areas_of(session: Session, generation_id: int) -> list[AreaShape]:
    """A generation's areas, parents before children as they came."""
    rows = session.exec(
        select(Area).where(Area.generation_id == generation_id).order_by(col(Area.code))
    ).all()
    drawn = shapely.from_wkb([row.wkb for row in rows])
    return [
        AreaShape(row.code, row.name, row.level, row.parent_code, geometry)
        for row, geometry in zip(rows, drawn, strict=True)
    ]


def overlays_of(session: Session, generation_id: int) -> list[OverlayShape]:
    """A generation's overlays."""
    rows = session.exec(select(OverlayArea).where(OverlayArea.generation_id == generation_id)).all()
    return [
        OverlayShape(row.code, row.name, row.kind, row.priority, shapely.from_wkb(row.wkb)) for row in rows
    ]


def _set_index_file(session: Session, generation_id: int, name: str) -> None:
    generation = session.get_one(Generation, generation_id)
    generation.index_file = name
    session.add(generation)


def _drawn(areas: Sequence[AreaShape], parents: Sequence[int]) -> Any:
    """Every area's geometry, uppers without one put together from those below, the deepest first."""
    depth = [0] * len(areas)
    for position in range(len(areas)):
        step = position
        while (step := parents[step]) >= 0:
            depth[position] += 1
    drawn = [area.geometry for area in areas]
    below: dict[int, list[Any]] = {}
    for position in sorted(range(len(areas)), key=lambda p: -depth[p]):
        if drawn[position] is None:
            if position not in below:
                raise InputError(f"区域 {areas[position].code} 没有边界,下面也没有区域,请补上多边形")
            drawn[position] = shapely.union_all(below[position])
        below.setdefault(parents[position], []).append(drawn[position])
    return drawn


def _checksum(blobs: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for blob in blobs:
        digest.update(hashlib.sha256(blob).digest())
    return digest.hexdigest()
