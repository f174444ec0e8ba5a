"""Photos in an S3-compatible store: the same promises, over HTTP, against a real server on loopback."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer
from s3fs import S3FileSystem

from dispatch.engine.health import checking
from dispatch.record.evidence import photos, shelves, thumbnails
from dispatch.record.models import StoredPhoto
from grid.errors import Unavailable
from grid.settings import Settings
from tests.engine.photos.test_taking import jpeg
from tests.services import free_port
from tests.town import MONDAY, Town


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty bucket of this test's own; what the server keeps outlives it within the process."""
    started = ThreadedMotoServer(ip_address="127.0.0.1", port=free_port(), verbose=False)
    started.start()
    host, port = started.get_host_and_port()
    address = f"http://{host}:{port}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "grid")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a secret of this test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    name = f"photos-{uuid4().hex}"
    drivers_forget()
    boto3.client("s3").create_bucket(Bucket=name)
    yield name
    started.stop()


def drivers_forget() -> None:
    """The address is read when a driver is made, and drivers are kept for the whole process."""
    S3FileSystem.clear_instance_cache()


@pytest.fixture
def settings(town: Town, bucket: str) -> Settings:
    return replace(town.world.settings, photo_url=f"s3://{bucket}/city")


def objects(bucket: str) -> set[str]:
    found = boto3.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])
    return {one["Key"] for one in found}


def test_a_photo_is_kept_read_checked_and_collected(town: Town, settings: Settings, bucket: str) -> None:
    data = jpeg()
    photo = photos.store(town.database, settings, data, None, MONDAY)
    thumbnails.make(town.database, settings, MONDAY)
    assert len(objects(bucket)) == 3
    assert all(key.startswith("city/") for key in objects(bucket))
    with town.database.reading() as session:
        photo = session.get_one(StoredPhoto, photo.sha256)
    assert photos.read_original(settings, photo) == data
    assert len(photos.read_served(settings, photo, thumb=True)) < len(photos.read_served(settings, photo))
    assert {path.partition("/")[0] for path, _ in photos.files_of(settings, photo)} == {
        "original",
        "served",
        "thumb",
    }
    (key,) = [key for key in objects(bucket) if "/served/" in key]
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=b"half")
    with pytest.raises(Unavailable, match="损坏"):
        photos.read_served(settings, photo)
    assert photos.collect(town.database, settings, now=datetime.now(UTC) + timedelta(days=2)) >= 1
    assert objects(bucket) == set()


def test_what_another_process_removed_is_not_believed_to_be_there(
    town: Town, settings: Settings, bucket: str
) -> None:
    data = jpeg()
    photos.collect(town.database, settings, now=MONDAY)
    photo = photos.store(town.database, settings, data, None, MONDAY)
    for key in objects(bucket):
        boto3.client("s3").delete_object(Bucket=bucket, Key=key)
    with pytest.raises(Unavailable):
        photos.read_served(settings, photo)
    photos.store(town.database, settings, data, None, MONDAY)
    assert photos.read_original(settings, photo) == data


def test_a_store_that_is_away_refuses_in_words_and_is_named_at_start(
    town: Town, settings: Settings, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    its = replace(settings, instance_path=tmp_path)
    assert not any("GRID_PHOTO_URL" in trouble for trouble in checking.troubles(its))
    assert objects(bucket) == set(), "the probe left something"
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    drivers_forget()
    with pytest.raises(Unavailable, match="暂时不可用"):
        photos.store(town.database, its, jpeg(), None, MONDAY)
    assert town.worker.reports(photos=(town.photo(),)).state == "dispatched"
    assert any("GRID_PHOTO_URL" in trouble for trouble in checking.troubles(its))


def test_a_store_whose_program_is_not_installed_is_named(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(*_: object, **__: object) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(shelves.fsspec.core, "url_to_fs", absent)
    found = checking.troubles(replace(settings, instance_path=tmp_path))
    assert any("grid12345[s3]" in trouble for trouble in found)
