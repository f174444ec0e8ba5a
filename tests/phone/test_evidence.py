"""The evidence package: whole it proves itself without the service, changed by one byte it does not."""

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from tests.phone.test_scanning import upload
from tests.town import GARBAGE, IN_WEST, Town
from tests.web.conftest import Program, Visitor
from tests.web.pictures import with_position

TAKEN = {
    "at": "2026-03-02T01:58:00+00:00",
    "lon": 116.405,
    "lat": 39.905,
    "accuracy_m": 8,
    "original_sha256": "a" * 64,
}


def check(path: Path, *head: str) -> "subprocess.CompletedProcess[str]":
    """In a Python that knows nothing of the service."""
    script = path.parent / "check.py"
    with zipfile.ZipFile(path) as archive:
        script.write_bytes(archive.read("check.py"))
    return subprocess.run(
        [sys.executable, "-I", str(script), str(path), *head], capture_output=True, text=True, cwd=path.parent
    )


@pytest.mark.acceptance("A6")
def test_a_package_is_checked_without_the_service_and_any_changed_byte_shows(
    town: Town, program: Callable[[str], Program], visitor: Callable[[str], Visitor], tmp_path: Path
) -> None:
    worker = program("worker")
    sha256 = upload(worker, with_position(), TAKEN)
    body = {
        "client_uuid": str(uuid4()),
        "category_code": GARBAGE,
        "frame": "wgs84",
        "photos": [sha256],
        **IN_WEST,
    }
    code = worker.calls("POST", "/tickets", body).json["code"]
    assert visitor("worker").sees(f"/tickets/{code}/evidence.zip").status_code == 403
    assert visitor("drainage").sees(f"/tickets/{code}/evidence.zip").status_code == 404
    answer = visitor("department").sees(f"/tickets/{code}/evidence.zip")
    package = tmp_path / "evidence.zip"
    package.write_bytes(answer.data)
    said = json.loads(zipfile.ZipFile(io.BytesIO(answer.data)).read("ticket.json"))
    assert said["photos"][0]["sha256"] == sha256
    assert said["photos"][0]["taken"]["at"].startswith("2026-03-02T01:58")
    assert said["photos"][0]["taken"]["lon"] == 116.405
    assert said["photos"][0]["exif"]["lon"] == pytest.approx(116.405)
    head = json.loads(zipfile.ZipFile(io.BytesIO(answer.data)).read("chain.json"))[-1]["hash"]
    assert (check(package).returncode, check(package, head).returncode) == (0, 0)
    assert check(package, "0" * 64).returncode == 1
    for name in ("ticket.json", "chain.json", f"photos/{sha256}", "SHA256SUMS"):
        at = answer.data.index(zipfile.ZipFile(io.BytesIO(answer.data)).read(name)) + 40
        changed = bytearray(answer.data)
        changed[at] ^= 1
        package.write_bytes(bytes(changed))
        assert check(package).returncode == 1, name


def test_a_package_made_anew_by_a_forger_fails_against_the_head(
    town: Town, visitor: Callable[[str], Visitor], tmp_path: Path
) -> None:
    code = town.operator.reports(GARBAGE, photos=(), source="hotline").code
    body = visitor("supervisor").sees(f"/tickets/{code}/evidence.zip").data
    path = tmp_path / "evidence.zip"
    path.write_bytes(body)
    assert check(path).returncode == 0
    assert "末端" in check(path, "f" * 64).stdout
