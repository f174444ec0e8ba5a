"""Thumbnails come after the upload, by whoever works; until then, and when one is lost, the photo itself is shown."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image
from sqlmodel import select

from dispatch.engine import standing_work
from dispatch.engine.outbox import Tools
from dispatch.record.evidence import photos, pictures, shelves, thumbnails
from dispatch.record.models import StoredPhoto
from dispatch.record.world import World
from grid.errors import Unavailable
from grid.settings import Settings
from tests.engine.photos.test_taking import jpeg
from tests.town import MONDAY, Town


@pytest.fixture
def settings(town: Town, tmp_path: Path) -> Settings:
    return replace(town.world.settings, photo_url=f"file://{tmp_path / 'photos'}")


def kept(town: Town) -> list[StoredPhoto]:
    with town.database.reading() as session:
        return list(session.exec(select(StoredPhoto).order_by(StoredPhoto.stored_at)))


def longest_side(data: bytes) -> int:
    return max(Image.open(io.BytesIO(data)).size)


def test_whoever_works_makes_them_once(
    town: Town, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thumbnails, "BATCH", 2)
    for side in (900, 1000, 1100):
        photos.store(town.database, settings, jpeg((side, 600)), None, MONDAY + timedelta(seconds=side))
    assert [longest_side(photos.read_served(settings, one, thumb=True)) for one in kept(town)] == [
        900,
        1000,
        1100,
    ]
    tools = Tools(town.database, World(settings), {}, lambda _: town.now)
    assert standing_work.make_thumbnails(tools) == 3
    assert {longest_side(photos.read_served(settings, one, thumb=True)) for one in kept(town)} == {480}
    assert {longest_side(photos.read_served(settings, one)) for one in kept(town)} == {900, 1000, 1100}
    assert standing_work.make_thumbnails(tools) == 0


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:200])])
def test_a_lost_or_half_one_gives_way_to_the_photo(
    town: Town, settings: Settings, spoil: Callable[[Path], object]
) -> None:
    photos.store(town.database, settings, jpeg(), None, MONDAY)
    thumbnails.make(town.database, settings, MONDAY)
    (photo,) = kept(town)
    (small,) = Path(settings.photo_url.removeprefix("file://")).glob("thumb/*/*")
    spoil(small)
    assert photos.read_served(settings, photo, thumb=True) == photos.read_served(settings, photo)


def test_a_lost_photo_is_passed_over_and_a_store_that_is_away_is_asked_again(
    town: Town, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = photos.store(town.database, settings, jpeg((700, 500)), None, MONDAY)
    photos.store(town.database, settings, jpeg(), None, MONDAY + timedelta(seconds=1))
    for path in Path(settings.photo_url.removeprefix("file://")).glob(f"served/*/{lost.served_sha256}*"):
        path.unlink()

    def away(*_: object) -> bytes:
        raise Unavailable("照片存储暂时不可用", cause="TimeoutError")

    with monkeypatch.context() as patch:
        patch.setattr(shelves.Shelf, "read", away)
        assert thumbnails.make(town.database, settings, MONDAY) == 0
    assert thumbnails.make(town.database, settings, MONDAY) == 2
    assert thumbnails.make(town.database, settings, MONDAY) == 0
    assert len(list(Path(settings.photo_url.removeprefix("file://")).glob("thumb/*/*"))) == 1


def test_the_small_copy_is_upright_and_small(settings: Settings) -> None:
    prepared = pictures.prepare(settings, jpeg((4000, 3000)))
    small = pictures.small_copy(prepared.served)
    assert Image.open(io.BytesIO(small)).size == (480, 360)
    assert len(small) < len(prepared.served) / 4
