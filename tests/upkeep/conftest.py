"""A town with real photos, and another place to bring it back to."""

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dispatch.record.evidence import photos
from grid.database import Database
from grid.settings import Settings
from tests.services import PostgresCluster
from tests.town import Town
from tests.web.pictures import picture


@pytest.fixture(autouse=True)
def real_photos(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the town would only write a row, store a photo."""

    def photo(town: Town, _name: str = "") -> str:
        its = town.world.settings
        return photos.store(town.database, its, picture(), town.worker.actor, town.now).sha256

    monkeypatch.setattr(Town, "photo", photo)


@pytest.fixture
def settings(town: Town) -> Settings:
    return town.world.settings


@pytest.fixture
def take_photo(town: Town) -> Callable[[int], str]:
    """Store a real photo; another number makes another one."""

    def take(number: int) -> str:
        return photos.store(
            town.database, town.world.settings, picture(number), town.worker.actor, town.now
        ).sha256

    return take


@pytest.fixture
def elsewhere(
    town: Town, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[tuple[Database, Settings]]:
    """An empty database of the same kind and an empty folder."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    name, cluster = None, None
    if town.database.is_sqlite:
        url = f"sqlite:///{folder / 'restored.db'}"
    else:
        cluster: PostgresCluster = request.getfixturevalue("postgres")
        name = cluster.new_database()
        url = cluster.url(name)
    database = Database(url)
    yield database, replace(town.world.settings, instance_path=folder, database_url=url, photo_url="")
    database.dispose()
    if cluster and name:
        cluster.drop_database(name)


def as_stream(data: bytes) -> io.BytesIO:
    return io.BytesIO(data)
