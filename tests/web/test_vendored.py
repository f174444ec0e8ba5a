"""The front-end code from outside is what its manifest says, with a licence, and nothing else is there."""

import hashlib
import json
from pathlib import Path

VENDOR = Path(__file__).parents[2] / "web" / "static" / "vendor"


def test_every_vendored_file_has_its_checksum_and_licence() -> None:
    manifest = json.loads((VENDOR / "manifest.json").read_text())
    for folder, entry in manifest.items():
        files = {
            str(path.relative_to(VENDOR / folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in (VENDOR / folder).rglob("*")
            if path.is_file()
        }
        assert files == entry["sha256"], folder
        assert "LICENSE" in files
        assert entry["version"]
    assert {path.name for path in VENDOR.iterdir() if path.is_dir()} == set(manifest)


def test_no_vendored_file_is_loaded_from_another_host() -> None:
    templates = Path(__file__).parents[2] / "web" / "templates"
    for template in templates.rglob("*.html"):
        text = template.read_text("utf-8")
        assert "//cdn" not in text, template
        assert "https://" not in text, template
