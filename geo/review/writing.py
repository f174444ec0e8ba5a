"""A mended border set on disk: one GeoJSON per level, the originals untouched beside it, and who they are."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import shapely

from geo.borders import LEVELS
from geo.errors import GeoError
from geo.reading import BorderFeature, BorderFile
from geo.review.repairing import Proposal


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
    if folder.exists() and any(folder.iterdir()):
        raise GeoError(f"输出目录 {folder} 不是空的,请换一个,以免覆盖。")
    written = write_features(mended, folder)
    originals = folder / "originals"
    originals.mkdir()
    for file, source in zip(files, sources, strict=True):
        shutil.copyfile(source, originals / f"{file.sha256[:16]}-{source.name}")
    record = {
        "originals": [{"name": f.name, "sha256": f.sha256} for f in files],
        "repairs": [p.to_json() for p in chosen],
    }
    (folder / "repairs.json").write_text(
        json.dumps(record, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
    )
    return [*written, folder / "repairs.json"]


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
