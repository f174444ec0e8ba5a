"""The invented city as features, clean."""

import pytest
import shapely

from geo.borders import Level
from geo.inventing import City
from geo.reading import BorderFeature
from tests.geo.borders.making import features_of


@pytest.fixture(scope="module")
def features(city: City) -> list[BorderFeature]:
    return features_of(city)


@pytest.fixture(scope="module")
def grid(features: list[BorderFeature]) -> int:
    """A grid well inside its city."""
    middle = shapely.Point(104.2, 35.6)
    return min(
        (i for i, f in enumerate(features) if f.level == Level.GRID),
        key=lambda i: shapely.distance(features[i].geometry, middle),
    )
