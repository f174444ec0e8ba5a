"""Where files lie: a local folder by default, any store that fsspec knows by its address.

A file is there whole or not at all: local ones are written aside, flushed and renamed.
"""

import contextlib
import errno
import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fsspec

from grid.errors import SettingsError, Unavailable

_FULL = (errno.ENOSPC, errno.EDQUOT)
# A store that hangs must not hold a page for minutes, and what another process wrote or removed is seen at once.
_PATIENCE = {"connect_timeout": 5, "read_timeout": 20, "retries": {"max_attempts": 2}}
_OPTIONS: dict[str, dict[str, Any]] = {"s3": {"use_listings_cache": False, "config_kwargs": _PATIENCE}}


class Shelf:
    """One store of files, addressed by URL (`file:///…`, `s3://bucket/…`)."""

    def __init__(self, url: str) -> None:
        try:
            self._fs, root = fsspec.core.url_to_fs(url, **_OPTIONS.get(url.partition(":")[0], {}))
        except (ImportError, ValueError) as error:
            raise SettingsError(
                f"GRID_PHOTO_URL:{url.partition(':')[0]} 需要的程序没有安装或不受支持({error});"
                "S3 兼容存储请安装 grid12345[s3],本机目录请写 file:///路径"
            ) from error
        self._root: str = root.rstrip("/")
        protocols = self._fs.protocol if isinstance(self._fs.protocol, tuple | list) else (self._fs.protocol,)
        self._local = "file" in protocols

    def write(self, path: str, data: bytes) -> None:
        """Keep `data` under `path`, readable by this user only."""
        try:
            if self._local:
                _write_local(Path(self._root, path), data)
            else:
                self._fs.pipe_file(self._full(path), data)
        except OSError as error:
            if error.errno in _FULL:
                raise Unavailable(
                    "照片存储空间已满,暂时存不下照片;请先不带照片提交,并通知管理员清理磁盘", cause="no space"
                ) from error
            raise _unreachable(error) from error
        except Exception as error:
            raise self._as_ours(error) from error

    def read(self, path: str) -> bytes:
        try:
            data: bytes = self._fs.cat_file(self._full(path))
        except FileNotFoundError as error:
            raise Unavailable("照片文件不在存储中,请联系管理员从备份恢复") from error
        except Exception as error:
            raise self._as_ours(error) from error
        return data

    def has(self, path: str) -> bool:
        try:
            return bool(self._fs.exists(self._full(path)))
        except Exception as error:
            raise self._as_ours(error) from error

    def remove(self, path: str) -> None:
        try:
            with contextlib.suppress(FileNotFoundError):
                self._fs.rm_file(self._full(path))
        except Exception as error:
            raise self._as_ours(error) from error

    def older_than(self, folder: str, before: datetime) -> Iterator[str]:
        """Paths of the files below `folder` last written before an instant, half-written ones included."""
        try:
            found: dict[str, Any] = self._fs.find(self._full(folder), detail=True)
        except FileNotFoundError:
            return
        except Exception as error:
            raise self._as_ours(error) from error
        for name, facts in found.items():
            written = facts.get("mtime") or facts.get("LastModified")
            at = (
                written if isinstance(written, datetime) else datetime.fromtimestamp(float(written or 0), UTC)
            )
            if at < before:
                yield name.removeprefix(self._root).lstrip("/")

    def _full(self, path: str) -> str:
        return f"{self._root}/{path}"

    def _as_ours(self, error: Exception) -> Exception:
        """Every driver of a distant store raises errors of its own kind; a local one only those of the system."""
        return _unreachable(error) if isinstance(error, OSError) or not self._local else error


def _unreachable(error: Exception) -> Unavailable:
    return Unavailable("照片存储暂时不可用,请稍后重试,或先不带照片提交", cause=type(error).__name__)


def _write_local(path: Path, data: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    try:
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    """Without this the new name may not outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
