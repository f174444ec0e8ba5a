"""Back up everything that cannot be made anew, prove an archive, and bring it back into an empty place.

Not inside: `settings.toml` and `secret_key`, which are kept apart from the data they protect, and the index of the
borders, which is made anew. Photos are kept by their hash and never change, so those that the dump names are
consistent with it whenever they are read.
"""

import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from dispatch.record.evidence import photos
from dispatch.upkeep import dumps, verifying
from dispatch.upkeep.archive import CHUNK_BYTES, LARGEST_MEMBER_BYTES, Manifest, Reader, Writer
from dispatch.upkeep.verifying import Proof
from grid import schema
from grid.areas import generations
from grid.auditing import record_change
from grid.database import Database
from grid.errors import InputError, Unavailable
from grid.settings import Settings

BACKUP, MADE = "backup", "made"
PHOTOS = "photos/"


@dataclass(frozen=True)
class Restored:
    """What came back, and whether it holds."""

    manifest: Manifest
    proof: Proof


def write(database: Database, settings: Settings, stream: IO[bytes], now: datetime) -> Manifest:
    """Write an archive of one instant while everything goes on; a photo that is missing is named, not fatal."""
    writer = Writer(stream)
    missing: list[str] = []
    with tempfile.TemporaryDirectory(prefix="backup-", dir=settings.instance_path) as folder:
        with dumps.dumped(database, Path(folder)) as (dump, session):
            manifest = Manifest(
                made_at=now.isoformat(),
                migration=schema.revision_of(session) or "",
                counts=verifying.counts(session),
            )
            named = list(verifying.photos_in(session))
        writer.add_file(dump.name, dump)
    for photo in named:
        try:
            for path, data in photos.files_of(settings, photo):
                writer.add(PHOTOS + path, data)
        except Unavailable:
            missing.append(photo.sha256)
    manifest.missing_photos = missing
    writer.finish(manifest)
    after = {"made_at": manifest.made_at, "photos": len(named), "missing": len(missing)}
    database.write(lambda s: record_change(s, None, BACKUP, manifest.made_at, MADE, after=after, now=now))
    return manifest


def check(stream: IO[bytes]) -> Manifest:
    """Read an archive to its end and compare every file with the manifest."""
    reader = Reader(stream)
    for _ in reader.members():
        pass
    assert reader.manifest is not None
    return reader.manifest


def restore(database: Database, settings: Settings, stream: IO[bytes]) -> Restored:
    """Bring an archive back into an empty database, then prove what came.

    Raises
    ------
    InputError, Conflict
        The archive is damaged or the database is not empty; the database is as it was.
    """
    reader = Reader(stream)
    with tempfile.TemporaryDirectory(prefix="restore-", dir=settings.instance_path) as folder:
        dump: Path | None = None
        for name, file in reader.members():
            if name.startswith(PHOTOS):
                photos.put_back(settings, name.removeprefix(PHOTOS), file.read(LARGEST_MEMBER_BYTES))
            elif name in (dumps.SQLITE, dumps.POSTGRES):
                dump = Path(folder) / name
                _keep(file, dump)
            else:
                raise InputError(f"备份中有不认识的文件 {name}")
        if dump is None or reader.manifest is None:
            raise InputError("备份中没有数据库,请换一份备份")
        dumps.install(dump, database)
    proof = verifying.verify(database, settings)
    with database.reading() as session:
        found = verifying.counts(session)
    for table, count in reader.manifest.counts.items():
        if found.get(table) != count:
            proof.wrong.append(f"表 {table}:备份时 {count} 行,恢复后 {found.get(table)} 行")
    generations.ensure_index(database, settings.instance_path)
    return Restored(reader.manifest, proof)


def _keep(file: IO[bytes], path: Path) -> None:
    with path.open("wb") as out:
        while data := file.read(CHUNK_BYTES):
            out.write(data)
