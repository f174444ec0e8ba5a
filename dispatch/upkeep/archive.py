"""The archive: one tar with the database's dump, the photos, and at its end a manifest of what must be in it.

It can be written to and read from a pipe, so that any program may encrypt or carry it:
`flask ops backup - | gpg --encrypt … > backup.gpg`.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from grid.errors import InputError

FORMAT = 1
MANIFEST = "manifest.json"
LARGEST_MEMBER_BYTES = 64 * 1024 * 1024
LARGEST_MANIFEST_BYTES = 256 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024


@dataclass
class Manifest:
    """What an archive holds; `files` maps each name to its SHA-256."""

    made_at: str
    migration: str
    counts: dict[str, int]
    files: dict[str, str] = field(default_factory=dict)
    missing_photos: list[str] = field(default_factory=list)
    format: int = FORMAT


class Writer:
    """Writes an archive from front to end."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._tar = tarfile.open(fileobj=stream, mode="w|")  # noqa: SIM115 - closed by finish()
        self._files: dict[str, str] = {}

    def add(self, name: str, data: bytes) -> None:
        self._put(name, io.BytesIO(data), len(data))
        self._files[name] = hashlib.sha256(data).hexdigest()

    def add_file(self, name: str, path: Path) -> None:
        with path.open("rb") as file:
            self._files[name] = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            self._put(name, file, path.stat().st_size)

    def finish(self, manifest: Manifest) -> None:
        """Without its manifest an archive is not whole."""
        manifest.files = self._files
        data = json.dumps(asdict(manifest), ensure_ascii=False, sort_keys=True).encode()
        self._put(MANIFEST, io.BytesIO(data), len(data))
        self._tar.close()

    def _put(self, name: str, data: IO[bytes], size: int) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode = size, 0o600
        self._tar.addfile(member, data)


class Reader:
    """Reads an archive from front to end; whoever uses what it gives must wait for `manifest` to be checked."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._seen: dict[str, str] = {}
        self.manifest: Manifest | None = None

    def members(self) -> Iterator[tuple[str, IO[bytes]]]:
        """Each file with its name; at the end the manifest is compared with what came.

        Raises
        ------
        InputError
            It is not an archive of ours, it is cut off, or a file differs from its hash.
        """
        try:
            with tarfile.open(fileobj=self._stream, mode="r|*") as tar:
                for member in tar:
                    file = tar.extractfile(member)
                    if file is None or self.manifest is not None:
                        raise InputError("备份中有不该有的内容,不能使用")
                    if member.name == MANIFEST:
                        self.manifest = _read_manifest(file.read(LARGEST_MANIFEST_BYTES))
                    else:
                        hashed = _Hashed(file)
                        yield member.name, hashed  # type: ignore[misc]
                        self._seen[member.name] = hashed.finish()
        except (tarfile.TarError, EOFError) as error:
            raise InputError(
                f"备份不能读取({error}):不是本系统的备份,或者不完整(加密过的请先解密)"
            ) from error
        self._compare()

    def _compare(self) -> None:
        if self.manifest is None:
            raise InputError("备份不完整:没有清单,请换一份备份")
        wrong = {name for name, _ in self.manifest.files.items() ^ self._seen.items()}
        if wrong:
            raise InputError(f"备份已损坏:{len(wrong)} 个文件与清单不符,例如 {min(wrong)}")


class _Hashed:
    """A file that hashes what is read of it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._hash = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        try:
            data = self._file.read(size)
        except tarfile.TarError as error:
            raise InputError(f"备份不完整({error}),请换一份备份") from error
        self._hash.update(data)
        return data

    def finish(self) -> str:
        while self.read(CHUNK_BYTES):
            pass
        return self._hash.hexdigest()


def _read_manifest(data: bytes) -> Manifest:
    try:
        manifest = Manifest(**json.loads(data))
    except (ValueError, TypeError) as error:
        raise InputError("备份的清单不能读取,请换一份备份") from error
    if manifest.format != FORMAT:
        raise InputError(f"备份的格式是 {manifest.format},这个版本只认得 {FORMAT}:请用写它的程序版本恢复")
    return manifest
