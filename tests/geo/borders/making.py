"""Border features made from the invented city, and the dirt put into them."""

from dataclasses import replace

from geo.borders import Level
from geo.files.columns import Columns
from geo.frames import Frame
from geo.inventing import City
from geo.reading import BorderFeature, BorderFile, Problem


def features_of(city: City) -> list[BorderFeature]:
    return [
        BorderFeature(i, a.code, a.name, a.parent, Level(a.level), a.geometry)
        for i, a in enumerate(city.areas)
    ]


def as_file(features: list[BorderFeature], *problems: Problem) -> BorderFile:
    return BorderFile("city.geojson", "0" * 64, Frame.WGS84, Columns(), tuple(features), problems)


def changed(features: list[BorderFeature], index: int, **values) -> list[BorderFeature]:
    return [replace(f, **values) if i == index else f for i, f in enumerate(features)]
