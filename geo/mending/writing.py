"""A mended border set on disk: one GeoJSON per level, the originals untouched beside it, and who they are."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from geo.borders import LEVELS
from geo.errors import GeoError
from geo.index.shapes import is_clean
from geo.mending.covering import made_valid
from geo.mending.proposals import Proposal
from geo.mending.proposing import levels_are_clean
from geo.reading import BorderFeature, BorderFile
from geo.simplifying import half_pixel_m, middle_lat, simplify_for_zooms


def write_features(features: Sequence[BorderFeature], folder: Path) -> list[Path]:
    """One file per level, and one of overlays, with the columns that `read_borders` guesses."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for level in (*LEVELS, None):
        members = [f for f in features if (f.level == level if level else f.kind or f.level is None)]
        members = [f for f in members if level is None or not f.kind]
        if members:
            path = folder / f"{level or 'overlays'}.geojson"
            path.write_text(_collection(members), encoding="utf-8")
            written.append(path)
    return written


def write_repair(
    files: Sequence[BorderFile],
    sources: Sequence[Path],
    mended: Sequence[BorderFeature],
    chosen: Sequence[Proposal],
    folder: Path,
) -> list[Path]:
    """The mended files, the originals under their checksums, and a record of what was done."""
    _refuse_full(folder)
    written = write_features(mended, folder)
    originals = folder / "originals"
    originals.mkdir()
    for file, source in zip(files, sources, strict=True):
        shutil.copyfile(source, originals / f"{file.sha256[:16]}-{source.name}")
    record = {
        "originals": [{"name": f.name, "sha256": f.sha256} for f in files],
        "repairs": [p.to_json() for p in chosen],
        "clean": levels_are_clean(mended),
    }
    (folder / "repairs.json").write_text(
        json.dumps(record, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
    )
    return [*written, folder / "repairs.json"]


@dataclass(frozen=True)
class SimplifiedCopy:
    """One file of a simplified level, and how much lighter it is."""

    path: Path
    zoom: int
    level: str
    areas: int
    vertices: int
    vertices_before: int
    tolerance_m: float
    clean: bool

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "path": str(self.path)}


def write_simplified(
    features: Sequence[BorderFeature], zooms: Sequence[int], folder: Path
) -> list[SimplifiedCopy]:
    """A subfolder for each zoom with one file per level, and one of overlays."""
    _refuse_full(folder)
    groups = [(level, [f for f in features if f.level == level and not f.kind]) for level in LEVELS]
    made = []
    for level, members in (*groups, ("overlays", [f for f in features if f.kind])):
        if not members:
            continue
        drawn = made_valid(np.array([f.geometry for f in members], dtype=object))
        clean = level != "overlays" and is_clean(drawn)
        for zoom, copies in simplify_for_zooms(drawn, zooms, tiling=clean).items():
            path = folder / f"z{zoom}" / f"{level}.geojson"
            path.parent.mkdir(parents=True, exist_ok=True)
            light = [replace(f, geometry=g) for f, g in zip(members, copies, strict=True)]
            path.write_text(_collection(light), encoding="utf-8")
            before, after = (int(shapely.get_num_coordinates(some).sum()) for some in (drawn, copies))
            tolerance_m = half_pixel_m(zoom=zoom, lat=middle_lat(drawn))
            made.append(
                SimplifiedCopy(
                    path, zoom, str(level), len(members), after, before, round(tolerance_m, 2), clean
                )
            )
    return made


def _refuse_full(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise GeoError(f"输出目录 {folder} 不是空的,请换一个,以免覆盖。")


def _collection(features: Sequence[BorderFeature]) -> str:
    rows = ",\n".join(
        json.dumps({"type": "Feature", "properties": _properties(f)}, ensure_ascii=False)[:-1]
        + f', "geometry": {shapely.to_geojson(f.geometry)}}}'
        for f in features
    )
    return f'{{"type": "FeatureCollection", "features": [\n{rows}\n]}}\n'


def _properties(feature: BorderFeature) -> dict[str, Any]:
    plain = {"code": feature.code, "name": feature.name, "parent": feature.parent}
    if feature.level:
        plain["level"] = str(feature.level)
    if feature.kind:
        plain |= {"kind": feature.kind, "priority": str(feature.priority)}
    return plain
