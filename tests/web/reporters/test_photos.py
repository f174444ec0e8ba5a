"""Photos: only pictures come in, only clean copies go out, and only to who may see the ticket."""

import io
from collections.abc import Callable
from uuid import uuid4

import pytest
from flask import Flask
from PIL import Image
from sqlmodel import select

from dispatch.record.evidence import pictures, thumbnails
from dispatch.record.models import StoredPhoto
from tests.services import missing
from tests.town import GARBAGE, IN_WEST, Town
from tests.web.conftest import Program, Visitor
from tests.web.pictures import bomb, picture, with_position


def upload(program: Program, data: bytes) -> str:
    answer = program.client.post(
        "/api/v1/photos",
        data=data,
        content_type="image/jpeg",
        headers={"Authorization": f"Bearer {program.token}"},
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json["sha256"])


def reported(program: Program, sha256: str) -> str:
    body = {
        "client_uuid": str(uuid4()),
        "category_code": GARBAGE,
        "frame": "wgs84",
        "photos": [sha256],
        **IN_WEST,
    }
    answer = program.calls("POST", "/tickets", body)
    assert answer.status_code == 201, answer.text
    return str(answer.json["code"])


def test_the_served_copy_is_only_the_picture(
    app: Flask, town: Town, program: Callable[[str], Program], visitor: Callable[[str], Visitor]
) -> None:
    worker = program("worker")
    original = with_position(size=(960, 720)) + b"<script>alert(1)</script>"
    sha256 = upload(worker, original)
    assert upload(worker, original) == sha256
    code = reported(worker, sha256)
    answer = visitor("department").sees(f"/tickets/{code}/photos/{sha256}")
    assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert b"secret words" not in answer.data
    assert b"<script" not in answer.data
    served = Image.open(io.BytesIO(answer.data))
    assert len(served.getexif()) == 0
    assert not {"comment", "exif", "xmp", "icc_profile", "photoshop"} & set(served.info)
    assert f"/tickets/{code}/photos/{sha256}?small=1" in visitor("department").sees(f"/tickets/{code}").text
    thumbnail = f"/tickets/{code}/photos/{sha256}?small=1"
    assert visitor("department").sees(thumbnail).data == answer.data, "until it is made, the photo itself"
    thumbnails.make(town.database, app.extensions["settings"], town.now)
    assert len(visitor("department").sees(thumbnail).data) < len(answer.data)
    with town.database.reading() as session:
        kept = session.get(StoredPhoto, sha256)
    assert kept
    assert kept.captured_lon == pytest.approx(116.405)
    assert kept.captured_at is not None


def test_a_photo_of_a_ticket_out_of_reach_does_not_exist(
    town: Town, program: Callable[[str], Program], visitor: Callable[[str], Visitor]
) -> None:
    worker = program("worker")
    sha256, other = upload(worker, picture(1)), upload(worker, picture(2))
    code = reported(worker, sha256)
    assert visitor("worker").sees(f"/tickets/{code}/photos/{sha256}").status_code == 200
    assert visitor("worker").sees(f"/tickets/{code}/photos/{other}").status_code == 404
    for stranger in ("neighbour", "drainage"):
        assert visitor(stranger).sees(f"/tickets/{code}/photos/{sha256}").status_code == 404


@pytest.mark.parametrize(
    "data",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html>",
        b"GIF89a" + b"\0" * 50,
        picture(form="TIFF"),
        picture()[:200],
        bomb(),
        b"PK\x03\x04" + b"\0" * 100,
    ],
    ids=["svg", "html", "gif", "tiff", "cut", "bomb", "zip"],
)
def test_what_is_no_photo_is_refused_in_words(
    town: Town, program: Callable[[str], Program], data: bytes
) -> None:
    worker = program("worker")
    answer = worker.client.post(
        "/api/v1/photos",
        data=data,
        content_type="image/jpeg",
        headers={"Authorization": f"Bearer {worker.token}"},
    )
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    assert "照片" in answer.json["errors"]["photos"]
    with town.database.reading() as session:
        assert session.exec(select(StoredPhoto)).all() == []


def test_a_photo_beyond_the_limit_is_too_large(app: Flask, program: Callable[[str], Program]) -> None:
    worker = program("worker")
    headers = {"Authorization": f"Bearer {worker.token}"}
    large = b"\xff" * (20 * 1024 * 1024 + 1)
    answer = worker.client.post("/api/v1/photos", data=large, content_type="image/jpeg", headers=headers)
    assert (answer.status_code, "20 MB" in answer.json["detail"]) == (422, True)
    answer = worker.client.post("/api/v1/photos", data=large * 4, content_type="image/jpeg", headers=headers)
    assert answer.status_code == 413


def test_heic_is_read_with_the_extra_and_served_as_jpeg(
    town: Town, program: Callable[[str], Program], visitor: Callable[[str], Visitor]
) -> None:
    if "HEIF" not in pictures.FORMATS:
        missing("pillow-heif", "pip install 'grid12345[heic]'")
    upright, out = Image.open(io.BytesIO(with_position(5))), io.BytesIO()
    upright.save(out, "HEIF", exif=upright.getexif())
    worker = program("worker")
    sha256 = upload(worker, out.getvalue())
    code = reported(worker, sha256)
    answer = visitor("department").sees(f"/tickets/{code}/photos/{sha256}")
    assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
    assert len(Image.open(io.BytesIO(answer.data)).getexif()) == 0
    with town.database.reading() as session:
        row = session.get(StoredPhoto, sha256)
    assert row
    assert row.captured_lon == pytest.approx(116.405)
