"""Photos: what is hostile is refused before it costs anything, what is served carries nothing along."""

import hashlib
import io
import json
import os
import resource
import shutil
import struct
import subprocess
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from sqlmodel import select

from dispatch.record.evidence import photos, pictures, shelves
from dispatch.record.models import StoredPhoto
from grid.errors import InputError, Unavailable
from grid.settings import Settings
from tests.town import MONDAY, Town

SCRIPT = b"<script>alert(1)</script>"


def jpeg(size: tuple[int, int] = (800, 600), **options: object) -> bytes:
    out = io.BytesIO()
    image = Image.effect_noise(size, 40).convert("RGB")
    image.save(out, "JPEG", **{"quality": 70, **options})
    return out.getvalue()


def exif(orientation: int | None = None) -> Image.Exif:
    data = Image.Exif()
    data[0x010F] = "Canary Phone"
    if orientation:
        data[0x0112] = orientation
    details = data.get_ifd(0x8769)
    details[0x9003], details[0x9011] = "2026:03:02 09:41:00", "+08:00"
    gps = data.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "N", (39.0, 54.0, 18.0), "E", (116.0, 24.0, 0.0)
    return data


def png_header(width: int, height: int, rows: bytes = b"") -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    data = zlib.compress(rows or b"\0" * ((width // 8 + 1) * height), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    url = f"file://{tmp_path / 'photos'}"
    return Settings(instance_path=tmp_path, secret_key="k" * 40, database_url="sqlite://", photo_url=url)


def files(settings: Settings) -> list[Path]:
    return [path for path in Path(settings.photo_url.removeprefix("file://")).rglob("*") if path.is_file()]


def hostile() -> dict[str, bytes]:
    whole = jpeg()
    gif = io.BytesIO()
    Image.new("L", (8, 8)).save(gif, "GIF")
    png = io.BytesIO()
    Image.effect_noise((400, 300), 40).save(png, "PNG")
    tiff = io.BytesIO()
    Image.new("L", (8, 8)).save(tiff, "TIFF")
    return {
        "nothing": b"",
        "text": b"hello",
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg">' + SCRIPT + b"</svg>",
        "html": b"<!doctype html>" + SCRIPT,
        "html that begins like a photo": b"\xff\xd8\xff\xe0" + SCRIPT,
        "gif": gif.getvalue(),
        "tiff": tiff.getvalue(),
        "pdf": b"%PDF-1.7\n%%EOF",
        "zip": b"PK\x05\x06" + b"\0" * 18,
        "cut in the header": whole[:40],
        "cut in half": whole[: len(whole) // 2],
        "png cut in half": png.getvalue()[: len(png.getvalue()) // 2],
        "169 million pixels": png_header(13000, 13000),
        "400 million pixels": png_header(20000, 20000, b"\0"),
        "a line of 60000": png_header(60000, 1),
        "no pixels": png_header(0, 0, b"\0"),
    }


def test_what_is_no_photo_is_refused_in_words_and_leaves_nothing(town: Town, settings: Settings) -> None:
    taken, sentences = {}, []
    for name, data in hostile().items():
        try:
            taken[name] = photos.store(town.database, settings, data, None, MONDAY)
        except InputError as refused:
            sentences.append(refused.fields["photos"])
    assert (taken, files(settings)) == ({}, [])
    assert all("照片" in sentence for sentence in sentences)


def test_a_pixel_bomb_costs_neither_memory_nor_time(settings: Settings) -> None:
    bomb = png_header(13000, 13000)
    assert len(bomb) < 30_000
    before_kb, began_s = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with pytest.raises(InputError):
        pictures.prepare(settings, bomb)
    assert time.process_time() - began_s < 2.0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 150_000


def test_too_many_bytes_are_refused_with_the_limit(settings: Settings) -> None:
    with pytest.raises(InputError, match="1 MB"):
        pictures.prepare(replace(settings, max_photo_bytes=1024 * 1024), b"x" * (1024 * 1024 + 1))


def test_a_large_camera_photo_is_taken_cheaply(settings: Settings) -> None:
    out = io.BytesIO()
    Image.new("RGB", (8000, 6000), "grey").save(out, "JPEG")
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    prepared = pictures.prepare(settings, out.getvalue())
    assert (prepared.width, prepared.height) == (8000, 6000)
    assert max(Image.open(io.BytesIO(prepared.served)).size) == 1600
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 150_000


def test_time_and_place_are_read_and_then_stripped(settings: Settings) -> None:
    prepared = pictures.prepare(settings, jpeg(exif=exif(), comment=b"canary comment"))
    assert prepared.captured.at == datetime(2026, 3, 2, 1, 41, tzinfo=UTC)
    assert prepared.captured.lon == pytest.approx(116.4)
    assert prepared.captured.lat == pytest.approx(39.905)
    for clean in (prepared.served, pictures.small_copy(prepared.served)):
        assert b"anary" not in clean
        opened = Image.open(io.BytesIO(clean))
        assert not opened.getexif()
        assert "comment" not in opened.info


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_exiftool_finds_nothing_but_the_picture(settings: Settings, tmp_path: Path, kind: str) -> None:
    if not shutil.which("exiftool"):
        pytest.skip("exiftool not found; to run this test: apt-get install libimage-exiftool-perl")
    out = io.BytesIO()
    notes = PngInfo()
    notes.add_text("Comment", "canary")
    options = {"JPEG": {"comment": b"canary"}, "PNG": {"pnginfo": notes}, "WEBP": {"xmp": b"<x>canary</x>"}}
    Image.effect_noise((640, 480), 20).convert("RGB").save(out, kind, exif=exif(), **options[kind])
    path = tmp_path / "clean.jpg"
    path.write_bytes(pictures.prepare(settings, out.getvalue()).served)
    tags = json.loads(subprocess.run(["exiftool", "-j", "-G", path], capture_output=True, check=True).stdout)[
        0
    ]
    groups = {name.partition(":")[0] for name in tags} - {"SourceFile"}
    assert groups <= {"ExifTool", "File", "JFIF", "Composite"}
    assert "canary" not in json.dumps(
        {k: v for k, v in tags.items() if not k.startswith(("SourceFile", "File:"))}
    )


def test_a_polyglot_loses_its_second_nature(settings: Settings) -> None:
    prepared = pictures.prepare(settings, jpeg(comment=SCRIPT) + SCRIPT + b"PK\x05\x06" + b"\0" * 18)
    assert b"<script" not in prepared.served
    assert b"PK\x05\x06" not in prepared.served


@pytest.mark.parametrize(
    ("orientation", "size"), [(1, (800, 600)), (3, (800, 600)), (6, (600, 800)), (8, (600, 800))]
)
def test_photos_stand_upright(settings: Settings, orientation: int, size: tuple[int, int]) -> None:
    prepared = pictures.prepare(settings, jpeg(exif=exif(orientation)))
    assert (prepared.width, prepared.height) == size
    assert Image.open(io.BytesIO(prepared.served)).size == size


def test_nonsense_from_the_camera_counts_as_nothing(settings: Settings) -> None:
    broken = Image.Exif()
    broken.get_ifd(0x8769)[0x9003] = "0000:00:00 00:00:00"
    broken.get_ifd(0x8825)[2] = (999.0, 0.0, 0.0)
    captured = pictures.prepare(settings, jpeg(exif=broken)).captured
    assert captured == pictures.Captured()


def test_the_same_bytes_are_kept_once_and_read_back_checked(town: Town, settings: Settings) -> None:
    data = jpeg(exif=exif())
    first = photos.store(town.database, settings, data, town.worker.actor, MONDAY)
    second = photos.store(town.database, settings, data, town.department.actor, MONDAY)
    assert first.sha256 == second.sha256 == hashlib.sha256(data).hexdigest()
    assert second.stored_by == town.worker.actor.account_id
    assert len(files(settings)) == 2
    assert all(path.stat().st_mode & 0o077 == 0 for path in files(settings))
    assert photos.read_original(settings, first) == data
    assert photos.read_served(settings, first)[:2] == b"\xff\xd8"
    (served,) = [path for path in files(settings) if "served" in path.parts]
    served.write_bytes(served.read_bytes()[:-1])
    with pytest.raises(Unavailable, match="损坏"):
        photos.read_served(settings, first)


def test_a_lost_file_comes_back_with_the_next_upload(town: Town, settings: Settings) -> None:
    data = jpeg()
    photo = photos.store(town.database, settings, data, None, MONDAY)
    for path in files(settings):
        path.unlink()
    with pytest.raises(Unavailable):
        photos.read_served(settings, photo)
    photos.store(town.database, settings, data, None, MONDAY)
    assert photos.read_original(settings, photo) == data


def test_the_same_photo_from_many_phones_at_once_is_one(town: Town, settings: Settings) -> None:
    data, rows = jpeg(), []
    threads = [
        threading.Thread(
            target=lambda: rows.append(photos.store(town.database, settings, data, None, MONDAY))
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({row.sha256 for row in rows}) == 1
    assert len(rows) == 8


def test_collecting_spares_what_a_ticket_shows_and_what_is_young(town: Town, settings: Settings) -> None:
    shown, forgotten, young = (
        photos.store(town.database, settings, jpeg((300 + n, 200)), None, MONDAY + timedelta(days=n * 2))
        for n in range(3)
    )
    town.worker.reports(photos=(shown.sha256,))
    stray = Path(settings.photo_url.removeprefix("file://"), "original", "ab", "ab" * 32 + ".half")
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes(b"half")
    old = time.time() - 10 * 86400
    for path in files(settings):
        os.utime(path, (old, old))
    photos.collect(town.database, settings, now=MONDAY + timedelta(days=4, hours=1))
    photos.collect(town.database, settings, now=datetime.now(UTC), grace=timedelta(days=9999))
    with town.database.reading() as session:
        left = {photo.sha256 for photo in session.exec(select(StoredPhoto))}
    assert {shown.sha256, young.sha256} <= left
    assert forgotten.sha256 not in left


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("cannot mount a tmpfs; to run this test: run it as root")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_refuses_the_photo_and_takes_the_next_when_there_is_room(
    town: Town, settings: Settings, small_disk: Path
) -> None:
    full = replace(settings, photo_url=f"file://{small_disk}")
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 4_150_000)
    with pytest.raises(Unavailable, match="已满"):
        photos.store(town.database, full, jpeg((1600, 1200)), None, MONDAY)
    assert [path for path in files(full) if path != ballast] == [], "no half-written file"
    assert town.worker.reports(photos=(town.photo(),)).state == "dispatched"
    ballast.unlink()
    assert photos.store(town.database, full, jpeg((1600, 1200)), None, MONDAY).bytes > 0


def test_a_kill_while_writing_leaves_no_photo_by_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def dies(_: int) -> None:
        raise Killed

    monkeypatch.setattr(shelves.os, "fsync", dies)
    shelf = shelves.Shelf(f"file://{tmp_path}")
    with pytest.raises(Killed):
        shelf.write("served/ab/abc.jpg", b"data")
    assert not shelf.has("served/ab/abc.jpg")


def test_any_store_that_fsspec_knows_will_do(town: Town, settings: Settings) -> None:
    away = replace(settings, photo_url="memory://photos")
    photo = photos.store(town.database, away, jpeg(), None, MONDAY)
    assert photos.read_served(away, photo)[:2] == b"\xff\xd8"
    assert photos.collect(town.database, away, now=datetime.now(UTC) + timedelta(days=2)) >= 1
