"""From a border set to an index file."""

from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.borders import LEVELS, AreaShape, Level, OverlayShape, checked_areas
from geo.errors import BadBorders
from geo.index.cells import build_cells
from geo.index.edges import collect_edges
from geo.index.file import write_file
from geo.index.keys import set_keys
from geo.index.layout import pack_text
from geo.index.sets import Overlapping, pack_sets
from geo.index.shapes import PER_DEGREE, Rings, on_lattice

_MAX_SPAN = 1 << 30
Ints = NDArray[np.int64]

_KEY_BITS = 60  # two digits of a Python integer


def build(areas: list[AreaShape], overlays: list[OverlayShape], path: Path, *, generation: str) -> None:
    """Write the index of these areas and overlays to `path`."""
    parents = checked_areas(areas)
    has_children = set(parents)
    leaves = [i for i in range(len(areas)) if i not in has_children]
    uppers = [i for i in range(len(areas)) if i in has_children and areas[i].geometry is not None]
    overlays = sorted(overlays, key=lambda o: (-o.priority, o.code))
    drawn = _lattice([areas[i].geometry for i in leaves], [areas[i].code for i in leaves])
    drawn_uppers = _lattice([areas[i].geometry for i in uppers], [areas[i].code for i in uppers])
    drawn_overlays = _lattice([o.geometry for o in overlays], [o.code for o in overlays])
    clean = bool(shapely.is_valid(drawn).all()) and bool(shapely.coverage_is_valid(drawn))
    rows, owner = Rings.of(drawn, [areas[i].code for i in leaves]).edges()
    uneven = _uneven((rows, owner), leaves, drawn_uppers, uppers, parents)
    kept = [k for k, i in enumerate(uppers) if i in uneven]
    tops = [k for k, i in enumerate(uppers) if parents[i] < 0 and i not in uneven]
    whole = drawn_uppers[tops] if len(tops) == parents.count(-1) else drawn
    outline = _outline(whole)
    labels = (
        [areas[i].code for i in leaves] + [areas[uppers[k]].code for k in kept] + [o.code for o in overlays]
    )
    others = np.concatenate([drawn_uppers[kept], drawn_overlays])
    more_rows, more_owners = Rings.of(others, labels[len(leaves) :]).edges()
    rows, owner = np.concatenate([rows, more_rows]), np.concatenate([owner, more_owners + len(leaves)])
    rings = Rings.of(np.concatenate([drawn, others]), labels)
    origin = rings.xy.min(axis=0) - 1
    rings.xy -= origin
    rows -= np.tile(origin, 2)
    width, height = (int(v) for v in rings.xy.max(axis=0))
    if max(width, height) > _MAX_SPAN:
        raise BadBorders("边界跨度超过一百度,坐标很可能有误,请检查经纬度顺序和坐标系。")
    leaf_bits, keys, strength = _keys(len(leaves), len(labels), clean)
    edges = collect_edges(rows, owner, keys, len(leaves) + len(kept))
    del drawn, drawn_uppers, drawn_overlays, rows, owner, others
    cells = build_cells(edges, width=width, height=height, leaf_bits=leaf_bits)
    cells.set_at.setdefault(0, (-1, -1))
    overlapping = Overlapping(rings, keys, 0 if leaf_bits == 0 else len(leaves), leaf_bits)
    set_key, set_at, set_shape = pack_sets(overlapping.holding_each(cells.set_at))
    header = {
        "format": 1,
        "generation": generation,
        "origin": origin.tolist(),
        "width": width,
        "height": height,
        "leaves": len(leaves),
        "leaf_bits": leaf_bits,
        "clean": clean,
        "overlap_strength": strength,
        "uneven": [areas[uppers[k]].code for k in kept],
        "shift": cells.shift,
        "columns": cells.columns,
        "area_edges": edges.area_edges,
    }
    shape_area = leaves + [uppers[k] for k in kept] + [-1 - o for o in range(len(overlays))]
    arrays = {
        **_area_arrays(areas, parents),
        **_overlay_arrays(overlays),
        "shape_area": np.array(shape_area, dtype=np.int32),
        "shape_key": keys,
        "ring_xy": rings.xy.astype(np.int32),
        "ring_at": rings.ring_at.astype(np.int32),
        "part_at": rings.part_at.astype(np.int32),
        "shape_at": rings.shape_at.astype(np.int32),
        "edge_line": edges.line.astype(np.int32),
        "edge_key": edges.key,
        "coarse": cells.coarse,
        "cells": cells.cells,
        "face_key": cells.face_key,
        "base_key": cells.base_key,
        "record_at": cells.record_at,
        "records": cells.records,
        "set_key": set_key,
        "set_at": set_at,
        "set_shape": set_shape,
        "outline": np.frombuffer(shapely.to_wkb(outline), dtype=np.uint8),
    }
    write_file(path, header, arrays)


def _lattice(geometries: list[Any], labels: list[str]) -> NDArray[Any]:
    array = np.array(geometries, dtype=object)
    missing = shapely.is_missing(array) if len(array) else np.zeros(0, dtype=bool)
    for i in np.flatnonzero(missing):
        raise BadBorders("最末一级区域没有边界,请补上多边形。", feature=labels[i])
    if not np.isfinite(shapely.get_coordinates(array)).all():
        raise BadBorders("边界里有不是数字的坐标,请修复后再导入。")
    return on_lattice(array) if len(array) else array


def _uneven(
    of_leaves: tuple[Ints, Ints],
    leaves: list[int],
    drawn_uppers: NDArray[Any],
    uppers: list[int],
    parents: list[int],
) -> set[int]:
    """Upper areas whose own outline is not, edge for edge, the sum of the leaves below them."""
    print_of = dict.fromkeys(uppers, 0)
    for shape, area in zip(_fingerprints(*of_leaves, len(leaves)), leaves, strict=True):
        while (area := parents[area]) >= 0:
            if area in print_of:
                print_of[area] ^= shape
    of_uppers = Rings.of(drawn_uppers, [""] * len(uppers)).edges()
    for shape, area in zip(_fingerprints(*of_uppers, len(uppers)), uppers, strict=True):
        print_of[area] ^= shape
    return {area for area, left in print_of.items() if left}


def _fingerprints(rows: Ints, owner: Ints, shapes: int) -> list[int]:
    """XOR of a 64-bit hash of each edge: shared edges cancel, so a sum of areas has its outline's print."""
    if not shapes:
        return []
    one, other = ((rows[:, k] << 31 ^ rows[:, k + 1]).view(np.uint64) for k in (0, 2))
    mixed = np.minimum(one, other) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ mixed >> np.uint64(29)) + np.maximum(one, other)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(32)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(29)
    starts = np.searchsorted(owner, np.arange(shapes))
    return [int(v) for v in np.bitwise_xor.reduceat(mixed, starts)]


def _keys(leaves: int, shapes: int, clean: bool) -> tuple[int, NDArray[np.int64], int]:
    """Leaves that tile cleanly are numbered in the low bits; everything that may overlap gets set keys."""
    if not clean:
        keys, strength = set_keys(shapes, bits=_KEY_BITS)
        return 0, keys, strength
    leaf_bits = leaves.bit_length()
    others, strength = set_keys(shapes - leaves, bits=_KEY_BITS - leaf_bits)
    numbers = np.arange(1, leaves + 1, dtype=np.int64)
    return leaf_bits, np.concatenate([numbers, others << leaf_bits]), strength


def _area_arrays(areas: list[AreaShape], parents: list[int]) -> dict[str, NDArray[Any]]:
    at, blob = pack_text([f"{_flat(a.code)}\t{_flat(a.name)}" for a in areas])
    return {
        "area_parent": np.array(parents, dtype=np.int32),
        "area_level": np.array([LEVELS.index(Level(a.level)) for a in areas], dtype=np.uint8),
        "area_text_at": at,
        "area_text": blob,
    }


def _overlay_arrays(overlays: list[OverlayShape]) -> dict[str, NDArray[Any]]:
    at, blob = pack_text([f"{_flat(o.code)}\t{_flat(o.name)}\t{_flat(o.kind)}" for o in overlays])
    priorities = np.array([o.priority for o in overlays], dtype=np.int32)
    return {"overlay_rank": priorities, "overlay_text_at": at, "overlay_text": blob}


def _flat(text: str) -> str:
    return " ".join(text.split())


def _outline(drawn: NDArray[Any]) -> Any:
    """What the areas cover together with its holes filled, in degrees."""
    union = shapely.union_all(shapely.make_valid(drawn))
    parts = shapely.get_parts(union)
    parts = parts[shapely.get_type_id(parts) == 3]
    filled = shapely.union_all(shapely.polygons(shapely.get_exterior_ring(parts)))
    return shapely.transform(filled, lambda xy: xy / PER_DEGREE)
