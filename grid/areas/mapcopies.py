"""Copies of a generation's borders for maps, one file per level and zoom, made once and then only read.

They are kept compressed, as browsers take them: a city's grids are tens of megabytes.
"""

import gzip
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import shapely
from sqlmodel import Session, select

from geo.borders import Level
from geo.simplifying import simplify_for_zooms
from grid.errors import NotFound
from grid.models import Area, Generation

FOLDER = "maps"
ZOOMS = range(8, 18)
LEVELS = (Level.DISTRICT, Level.STREET, Level.COMMUNITY, Level.GRID)
SQUEEZED = 6  # of 9: harder takes much longer and saves little


def map_copy(session: Session, instance_path: Path, generation: Generation, level: str, zoom: int) -> Path:
    """The file of one level at one zoom; made at the first question.

    Raises
    ------
    NotFound
        There is no such level or zoom.
    """
    if level not in LEVELS or zoom not in ZOOMS:
        raise NotFound("没有这一级或这个缩放的地图")
    path = _path(instance_path, generation, level, zoom)
    if not path.exists():
        _write(path, _features(session, generation.id or 0, Level(level), zoom))
    return path


def draw_next(session: Session, instance_path: Path, generation: Generation) -> bool:
    """Make the first copy that is missing, so that nobody waits for it; False when all are there."""
    for level in LEVELS:
        for zoom in ZOOMS:
            if not _path(instance_path, generation, level, zoom).exists():
                map_copy(session, instance_path, generation, level, zoom)
                return True
    return False


def _path(instance_path: Path, generation: Generation, level: str, zoom: int) -> Path:
    name = f"{generation.id}-{(generation.checksum or '')[:12]}-{level}-{zoom}.geojson.gz"
    return instance_path / FOLDER / name


def _features(session: Session, generation_id: int, level: Level, zoom: int) -> Iterator[str]:
    """The features one by one as text; a city has tens of thousands."""
    query = select(Area).where(Area.generation_id == generation_id, Area.level == level)
    areas = session.exec(query.order_by(Area.code)).all()
    if not areas:
        return
    drawn = np.asarray(shapely.from_wkb([area.wkb for area in areas]), dtype=object)
    light = simplify_for_zooms(drawn, [zoom])[zoom]
    shapes = shapely.to_geojson(shapely.set_precision(light, 10.0 ** -_digits(zoom), mode="pointwise"))
    for area, shape in zip(areas, shapes, strict=True):
        said = {"code": area.code, "name": area.name, "parent": area.parent_code}
        properties = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
        yield f'{{"type":"Feature","geometry":{shape},"properties":{properties}}}'


def _digits(zoom: int) -> int:
    """Of a degree, so that a corner is off by a small part of a pixel."""
    return 4 if zoom <= 9 else 5 if zoom <= 12 else 6


def _write(path: Path, features: Iterator[str]) -> None:
    """In one step, so that nobody reads half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    body = f'{{"type":"FeatureCollection","features":[{",".join(features)}]}}'
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(gzip.compress(body.encode(), SQUEEZED, mtime=0))
    os.chmod(file.name, 0o600)
    os.replace(file.name, path)
