"""One made-up city and its index for the whole folder."""

import os
from pathlib import Path

import pytest

from geo.borders import build_index
from geo.inventing import DEMO, City, invent_city
from geo.locating import Locator


@pytest.fixture(scope="session")
def city() -> City:
    return invent_city(DEMO)


@pytest.fixture(scope="session")
def locator(city: City, tmp_path_factory: pytest.TempPathFactory) -> Locator:
    path = tmp_path_factory.mktemp("index") / "demo.idx"
    build_index(city.areas, city.overlays, path, generation="demo-1")
    return Locator.open(path)


@pytest.fixture(scope="session")
def real_data() -> Path:
    folder = os.environ.get("GRID_TEST_DATA")
    if not folder:
        pytest.skip("GRID_TEST_DATA is not set: the real borders are not part of the repository")
    return Path(folder)
