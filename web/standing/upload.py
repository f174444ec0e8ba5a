"""Border files between the check that shows the repairs and the choice among them: a private folder for a day."""

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import UUID, uuid4

from werkzeug.datastructures import FileStorage

from geo.reading import BorderFile, read_borders

_KEPT_S = 24 * 3600
_HOW = "how.json"


def keep(uploads: Sequence[FileStorage], how: Mapping[str, str], shelf: Path) -> UUID:
    """Put uploads under names that cannot lead elsewhere; older ones that nobody came back for go."""
    shelf.mkdir(parents=True, exist_ok=True, mode=0o700)
    for old in shelf.iterdir():
        if old.stat().st_mtime < time.time() - _KEPT_S:
            shutil.rmtree(old, ignore_errors=True)
    token = uuid4()
    folder = shelf / str(token)
    folder.mkdir(mode=0o700)
    for number, upload in enumerate(uploads):
        given = Path(upload.filename or "file")
        stem = "".join(sign for sign in given.stem if sign.isalnum() or sign in "-_")[:80]
        place = folder / f"{number:03d}"
        place.mkdir()
        upload.save(place / f"{stem or 'file'}{given.suffix.lower()[:8]}")
    (folder / _HOW).write_text(json.dumps(dict(how)), encoding="utf-8")
    return token


def drop(token: UUID, shelf: Path) -> None:
    """Forget uploads."""
    shutil.rmtree(shelf / str(token), ignore_errors=True)


def kept(token: UUID, shelf: Path) -> tuple[list[Path], dict[str, str]] | None:
    """The files and how they are to be read, or None when they are gone."""
    folder = shelf / str(token)
    if not (folder / _HOW).exists():
        return None
    files = sorted(path for path in folder.glob("*/*") if path.is_file())
    how: dict[str, str] = json.loads((folder / _HOW).read_text(encoding="utf-8"))
    return files, how


def read(paths: Sequence[Path], how: Mapping[str, str]) -> list[BorderFile]:
    """The files as the form says they are to be read."""
    return [
        read_borders(
            path,
            frame=how.get("epsg", "").strip() or how.get("frame") or None,
            level=how.get("level") or None,
            encoding=how.get("encoding") or None,
            swapped="swapped" in how,
        )
        for path in paths
    ]
