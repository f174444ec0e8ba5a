"""Files between two steps of a page (a report and the choice, an unknown table and what its columns mean): a private folder for a day."""

import json
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from werkzeug.datastructures import FileStorage

from geo.reading import BorderFile, read_borders

_KEPT_S = 24 * 3600
_HOW = "how.json"


def keep(uploads: Sequence[FileStorage], how: Mapping[str, Any], shelf: Path) -> UUID:
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
    say(token, how, shelf)
    return token


def say(token: UUID, how: Mapping[str, Any], shelf: Path) -> None:
    """Keep how the files are to be read."""
    (shelf / str(token) / _HOW).write_text(json.dumps(dict(how)), encoding="utf-8")


def drop(token: UUID, shelf: Path) -> None:
    """Forget uploads."""
    shutil.rmtree(shelf / str(token), ignore_errors=True)


def kept(token: UUID, shelf: Path) -> tuple[list[Path], dict[str, Any]] | None:
    """The files and how they are to be read, or None when they are gone."""
    folder = shelf / str(token)
    if not (folder / _HOW).exists():
        return None
    files = sorted(path for path in folder.glob("*/*") if path.is_file())
    how: dict[str, Any] = json.loads((folder / _HOW).read_text(encoding="utf-8"))
    return files, how


def read(paths: Sequence[Path], how: Mapping[str, Any]) -> list[BorderFile]:
    """The files as the form says they are to be read; what was said of columns holds where a file has them."""
    return [_read(path, how) for path in paths]


def headings(files: Iterable[BorderFile]) -> list[str]:
    """Every column of the files, in the order of their coming."""
    return list(
        dict.fromkeys(str(key) for file in files for one in file.features[:1000] for key in one.properties)
    )


def _read(path: Path, how: Mapping[str, Any]) -> BorderFile:
    def attempt(columns: Mapping[str, str] | None) -> BorderFile:
        return read_borders(
            path,
            frame=how.get("frame") or None,
            level=how.get("level") or None,
            columns=columns,
            encoding=how.get("encoding") or None,
            swapped="swapped" in how,
        )

    file = attempt(None)
    known = set(headings([file]))
    said = {meaning: column for meaning, column in how.get("columns", {}).items() if column in known}
    now = {meaning: getattr(file.columns, meaning) for meaning in said}
    return attempt(said) if said != now else file
