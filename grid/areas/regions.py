"""The atomic regions of a generation: its finest areas cut by every overlay that lies across them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from sqlmodel import Session

from geo.borders import AreaShape, OverlayShape
from grid.areas.generations import areas_of, overlays_of

LEAST_DEGREES2 = 1e-12  # about a hundredth of a square metre: what is thinner is the rounding of a border

Region = tuple[tuple[str, ...], tuple[str, ...]]
Piece = tuple[Any, tuple[str, ...]]


def atomic_regions(session: Session, generation_id: int) -> tuple[list[Region], list[str], dict[str, str]]:
    """Regions as (areas from narrow to wide, overlays by priority); overlays by priority; names of all."""
    areas, overlays = areas_of(session, generation_id), overlays_of(session, generation_id)
    overlays.sort(key=lambda overlay: (-overlay.priority, overlay.code))
    names = {area.code: area.name for area in areas} | {overlay.code: overlay.name for overlay in overlays}
    return _cut(areas, overlays), [overlay.code for overlay in overlays], names


def _cut(areas: Sequence[AreaShape], overlays: Sequence[OverlayShape]) -> list[Region]:
    by_code = {area.code: area for area in areas}
    parents = {area.parent for area in areas}
    leaves = [area for area in areas if area.code not in parents]
    touching: list[list[int]] = [[] for _ in leaves]
    if overlays and leaves:
        tree = shapely.STRtree([overlay.geometry for overlay in overlays])
        pairs = tree.query(np.array([leaf.geometry for leaf in leaves], dtype=object), predicate="intersects")
        for leaf, overlay in pairs.T.tolist():
            touching[leaf].append(overlay)
    found: list[Region] = []
    for leaf, across in zip(leaves, touching, strict=True):
        chain = _chain(leaf, by_code)
        pieces: list[Piece] = [(leaf.geometry, ())]
        for number in sorted(across):
            pieces = _divided(pieces, overlays[number])
        found += list(dict.fromkeys((chain, held) for _, held in pieces))
    return found


def _divided(pieces: Sequence[Piece], overlay: OverlayShape) -> list[Piece]:
    """Each piece in two, where the overlay's border goes through it."""
    out: list[Piece] = []
    for piece, held in pieces:
        inside = shapely.intersection(piece, overlay.geometry)
        outside = shapely.difference(piece, overlay.geometry)
        if shapely.area(inside) > LEAST_DEGREES2:
            out.append((inside, (*held, overlay.code)))
        if shapely.area(outside) > LEAST_DEGREES2 or shapely.area(inside) <= LEAST_DEGREES2:
            out.append((outside, held))
    return out


def _chain(leaf: AreaShape, by_code: dict[str, AreaShape]) -> tuple[str, ...]:
    chain, area = [leaf.code], leaf
    while area.parent is not None and area.parent in by_code:
        area = by_code[area.parent]
        chain.append(area.code)
    return tuple(chain)
